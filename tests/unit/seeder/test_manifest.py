from __future__ import annotations

from urllib.parse import unquote, unquote_plus

from hypothesis import given

from seeder.listing.pages import Listed
from seeder.manifest import encode_key, encode_rows
from tests.keys import any_key


@given(any_key)
def test_both_of_awss_decoders_give_the_key_back(key: str) -> None:
    encoded = encode_key(key)
    assert unquote(encoded) == unquote_plus(encoded) == key


@given(any_key)
def test_a_row_is_two_plain_fields_on_one_line(key: str) -> None:
    row = encode_rows("bucket", [Listed(key, 1, "")]).decode("ascii")
    assert row.endswith("\n")
    assert row[:-1].isprintable()
    assert row[:-1].count(",") == 1
    assert not set(row[:-1]) & set("+\"' ")


def test_slashes_stay() -> None:
    assert encode_key("/a//b/") == "/a//b/"

from __future__ import annotations

from urllib.parse import unquote, unquote_plus

from hypothesis import given

from seeder.listing.page import encode_key
from tests.keys import any_key


@given(any_key)
def test_both_of_awss_decoders_give_the_key_back(key: str) -> None:
    encoded = encode_key(key)
    assert unquote(encoded) == unquote_plus(encoded) == key


def test_slashes_stay() -> None:
    assert encode_key("/a//b/") == "/a//b/"

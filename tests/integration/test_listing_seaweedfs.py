"""The listing engine against a real S3 server, whose order is not that of UTF-8 bytes and whose encoding is uneven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote, unquote_plus

import pytest

from seeder.listing.page import Page
from seeder.listing.tokens import FOLDER, Chain, TokenWalk
from seeder.listing.walk import Unordered, Walk
from seeder.listing.wire import Wire
from tests.integration.localcloud.seaweedfs import seaweedfs
from tests.listing_rules import every_rule, prove
from tests.served import Served

# Keys that SeaweedFS can hold: no empty path component, none over 255 bytes.
KEYS = [
    "B.x",
    "B/1",
    "B/2",
    "C-d",
    "C/d",
    "a b/c d.txt",
    "a+b/c+d.txt",
    "a&b/c&d=e@f.txt",
    "a%2Bb/100%.txt",
    'comma, "quote".csv',
    "ünï/cödé/🦊.txt",
    *(f"many/{number:04}.txt" for number in range(1100)),
]


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with seaweedfs() as client:
        client.create_bucket(Bucket="source")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: client.put_object(Bucket="source", Key=key), KEYS))
        yield client


class Rows:
    """Collects manifest rows."""

    def __init__(self) -> None:
        self.text = b""

    def accept(self, page: Page, stop: int) -> None:
        self.text += page.rows("source", stop)[0]

    @property
    def keys(self) -> Counter[str]:
        fields = [row.split(",")[1] for row in self.text.decode("ascii").splitlines()]
        assert all(unquote(field) == unquote_plus(field) for field in fields)
        return Counter(map(unquote, fields))


def test_its_order_is_noticed_and_tokens_list_every_key_once(s3: Any) -> None:
    wire, rows = Wire(s3, "source"), Rows()
    with pytest.raises(Unordered):
        Walk(wire, lambda page, stop: None, workers=4).run()
    assert TokenWalk(wire, rows.accept, [Chain("", FOLDER)], workers=4).run() == []
    wire.close()
    assert rows.keys == Counter(KEYS)


def test_where_folders_do_not_matter_ranges_are_walked(s3: Any) -> None:
    wire, rows = Wire(s3, "source"), Rows()
    Walk(wire, rows.accept, prefix="many/", workers=4).run()
    wire.close()
    assert rows.keys == Counter(key for key in KEYS if key.startswith("many/"))


def can_hold(key: str) -> bool:
    """SeaweedFS keeps keys as paths: no empty component, none over 255 bytes, no backslash."""
    parts = key.split("/")
    plain = all(part not in {"", ".", ".."} and len(part.encode()) <= 255 for part in parts)
    return plain and not set(key) & {"\\", "\0"}


@every_rule
def test_every_rule_holds(rule: Any, drawn: Any, s3: Any) -> None:
    prove(rule, drawn, Served(s3, examples=8, most_keys=16, is_ordered=False, can_hold=can_hold))

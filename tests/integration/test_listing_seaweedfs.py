"""The listing engine against a real S3 server, whose order is not that of UTF-8 bytes and whose encoding is uneven."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from typing import Any
from urllib.parse import unquote, unquote_plus

import pytest

from seeder.listing.page import Page
from seeder.listing.tokens import FOLDER, Chain, TokenWalk
from seeder.listing.walk import Unordered, Walk
from seeder.listing.wire import Wire
from tests.integration.localcloud.seaweedfs import Weed
from tests.listing_rules import every_rule, prove
from tests.served import Served
from tests.servers import Server, is_path

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
def s3(real: Server, weed: Weed) -> Any:
    client = real.buckets("source", "written")
    weed.fill("source", KEYS)
    return client


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


@pytest.fixture(scope="module")
def standing(weed: Weed, s3: Any) -> list[str]:
    """Fill `written` with 20,000 keys in one folder, whose ranges are in order, and with 5,000 in 20 folders."""
    keys = [f"one/{number:05}" for number in range(20_000)]
    keys += [f"many/{number % 20:02}/{number:05}" for number in range(5000)]
    weed.fill("written", keys)
    return keys


class Writers:
    """Write and delete keys between those that stand, until the end of the block."""

    def __init__(self, s3: Any, threads: int) -> None:
        self._s3, self._over = s3, threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(threads)]
        self.written = 0

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        for turn in itertools.count():
            if self._over.is_set():
                return
            place = "one" if turn % 2 else f"many/{(number + turn) % 20:02}"
            key = f"{place}/{turn * 37 % 20_000:05} by {number}"
            self._s3.put_object(Bucket="written", Key=key)
            if turn % 3 == 2:
                self._s3.delete_object(Bucket="written", Key=key)
            self.written += 1


def by_ranges(wire: Wire, rows: Rows) -> None:
    Walk(wire, rows.accept, prefix="one/", workers=16).run()


def by_tokens(wire: Wire, rows: Rows) -> None:
    assert TokenWalk(wire, rows.accept, [Chain("many/", FOLDER)], workers=16).run() == []


@pytest.mark.parametrize(("walk", "prefix"), [(by_ranges, "one/"), (by_tokens, "many/")])
def test_16_workers_find_each_of_many_keys_once_while_others_write(
    s3: Any, standing: list[str], walk: Any, prefix: str
) -> None:
    wire, rounds = Wire(s3, "written"), 2
    mine = {key for key in standing if key.startswith(prefix)}
    with Writers(s3, threads=4) as writers:
        for _ in range(rounds):
            before, rows = writers.written, Rows()
            walk(wire, rows)
            found = rows.keys
            assert writers.written > before
            assert mine <= found.keys()
            assert max(found.values()) == 1
    wire.close()


@every_rule
def test_every_rule_holds(rule: Any, drawn: Any, s3: Any) -> None:
    prove(rule, drawn, Served(s3, examples=8, most_keys=16, is_ordered=False, can_hold=is_path))

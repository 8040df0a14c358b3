from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest

from seeder.errors import Throttled, UnexpectedAnswer
from seeder.listing.any_order import START, Position, list_all
from seeder.listing.page import Page
from seeder.listing.tokens import FOLDER, Chain, TokenWalk, TooManyFolders
from tests.listed import ListedBucket
from tests.served import by_folders, refuse

KEYS = [f"{folder}/{number}" for folder in "abc" for number in range(5)] + ["d", "e"]


def listed(bucket: Any, chains: list[Chain], **given: Any) -> tuple[Counter[str], list[Chain]]:
    found: Counter[str] = Counter()

    def accept(page: Page, stop: int) -> None:
        found.update(page.decoded[:stop])

    return found, TokenWalk(bucket, accept, chains, sleep=lambda _: None, **given).run()


@pytest.mark.parametrize("delimiter", ["", FOLDER])
@pytest.mark.parametrize("workers", [1, 4])
def test_every_key_is_listed_once_by_folders_and_in_one_chain(delimiter: str, workers: int) -> None:
    bucket = ListedBucket(KEYS, page=2, order=by_folders)
    assert listed(bucket, [Chain("", delimiter)], workers=workers) == (Counter(KEYS), [])


def test_chains_left_are_just_the_keys_not_handed_over() -> None:
    bucket = ListedBucket(KEYS, page=2, order=by_folders)
    found, left = listed(bucket, [Chain("", FOLDER)], workers=2, out_of_time=lambda: bucket.calls >= 4)
    assert 0 < len(found) < len(KEYS)
    rest, end = listed(bucket, left)
    assert (found + rest, end) == (Counter(KEYS), [])


def test_folders_that_do_not_fit_the_state_are_told() -> None:
    bucket = ListedBucket([f"{number:03}{'x' * 100}/a" for number in range(100)], order=by_folders)
    with pytest.raises(TooManyFolders):
        listed(bucket, [Chain("", FOLDER)], most_bytes=8 * 1024)


def test_a_server_without_order_and_with_many_folders_is_listed_in_one_chain() -> None:
    keys = [f"{number:03}{mark}x" for number in range(100) for mark in "./"]
    bucket = ListedBucket(keys, page=10, is_aws=False, order=by_folders)
    found: Counter[str] = Counter()
    restarts = []

    def restart() -> None:
        restarts.append(len(found))
        found.clear()

    def accept(page: Page, stop: int) -> None:
        found.update(page.decoded[:stop])

    end = list_all(cast("Any", bucket), accept, restart, most_bytes=200)
    assert (found, len(restarts)) == (Counter(keys), 2)
    assert (end, end.is_end, START.is_end) == (Position([], []), True, False)


class Wrong(ListedBucket):
    """Answers a fixed body."""

    def __init__(self, body: bytes) -> None:
        super().__init__([])
        self._body = body

    def fetch(self, **asked: Any) -> bytes:
        return self._body


def body(inner: str, truncated: str = "false", encoding: str = "") -> bytes:
    head = f"<ListBucketResult>{encoding}<IsTruncated>{truncated}</IsTruncated>"
    return f"{head}{inner}</ListBucketResult>".encode()


def test_a_listing_that_gets_no_further_is_refused() -> None:
    for token in ("", "<NextContinuationToken>same</NextContinuationToken>"):
        with pytest.raises(UnexpectedAnswer, match="gets no further"):
            listed(Wrong(body(token, "true")), [Chain()])


def test_folders_are_found_in_xml_of_any_form() -> None:
    inner = "<CommonPrefixes><Prefix>a&amp;amp;b<![CDATA[<]]>/</Prefix></CommonPrefixes>"
    seen: list[str] = []

    class Folders(Wrong):
        def fetch(self, **asked: Any) -> bytes:
            seen.append(asked["Prefix"]) if "Prefix" in asked else None
            return body("") if "Prefix" in asked else self._body

    listed(Folders(body(inner)), [Chain("", FOLDER)])
    assert seen == ["a&amp;b</"]


def test_a_key_whose_characters_may_be_replaced_is_refused() -> None:
    wrong = Wrong(body("<Contents><Key>a\ufffdb</Key></Contents>"))
    with pytest.raises(UnexpectedAnswer, match="does not encode"):
        list_all(cast("Any", wrong), lambda page, stop: None, lambda: None)


def test_slow_downs_are_waited_out_but_not_for_ever() -> None:
    bucket = ListedBucket(KEYS, page=2, order=by_folders, fault=refuse({2, 3, 7, 8, 9}))
    assert listed(bucket, [Chain("", FOLDER)], workers=1) == (Counter(KEYS), [])
    with pytest.raises(Throttled):
        listed(ListedBucket(KEYS, fault=refuse(range(100))), [Chain()], workers=1)


def test_a_page_refused_when_time_is_out_is_left_for_the_next_call() -> None:
    bucket = ListedBucket(KEYS, page=2, order=by_folders, fault=refuse(range(3, 100)))
    found, left = listed(
        bucket, [Chain("a/"), Chain("b/"), Chain("c/")], workers=3, out_of_time=lambda: bucket.calls >= 2
    )
    rest, end = listed(ListedBucket(KEYS, page=2, order=by_folders), left)
    assert (found + rest, end) == (Counter(key for key in KEYS if "/" in key), [])

"""Listings put in S3's order."""

from __future__ import annotations

from seeder.listing.page import Page
from seeder_cli.here.ordered import _Table
from tests.keys import TRAPS
from tests.listed import ListedBucket


def filled(keys: list[str]) -> _Table:
    table = _Table()
    bucket = ListedBucket(
        keys, sizes={key: len(key) for key in keys}, order=lambda key: key.replace("/", "\0")
    )
    page = Page(bucket.fetch(MaxKeys=1000))
    table.accept(page, len(page.keys))
    return table


def test_keys_come_in_the_order_of_their_bytes_with_what_is_told_of_them() -> None:
    table = filled(TRAPS)
    page = Page(table.page("", 1000))
    assert page.decoded == sorted(TRAPS, key=str.encode)
    assert not page.truncated
    for index, key in enumerate(page.decoded):
        assert f"<Size>{len(key)}</Size>".encode() in page.body.split(b"<Contents>")[index + 1]
    table.close()


def test_pages_follow_each_other_to_the_end() -> None:
    table = filled(TRAPS)
    after, found = "", list[str]()
    while True:
        page = Page(table.page(after, 7))
        found += page.decoded
        if not page.truncated:
            break
        assert page.next == {"ContinuationToken": page.next["ContinuationToken"]}
        after = page.decoded[-1]
    assert found == sorted(TRAPS, key=str.encode)


def test_what_is_listed_twice_is_there_once_and_a_restart_forgets_all() -> None:
    table = filled(["a", "b"])
    again = Page(ListedBucket(["b", "c"]).fetch())
    table.accept(again, 1)
    assert Page(table.page("", 10)).decoded == ["a", "b"]
    table.restart()
    assert Page(table.page("", 10)).decoded == []


def test_of_nothing_asked_for_nothing_comes() -> None:
    page = Page(filled(["a"]).page("", 0))
    assert (page.decoded, page.truncated) == ([], True)

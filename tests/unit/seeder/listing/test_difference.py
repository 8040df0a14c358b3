from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.listing import two_sided
from seeder.listing import walk as walk_module
from seeder.listing.difference import Difference, Entry, compare, same
from seeder.listing.ranges import Range
from seeder.listing.selection import Selection
from seeder.listing.stretch import Stretch
from tests.compared import Fact, FactBucket, Side, expected, sides


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ranges be split however few keys are left, and versions be let go however few they are."""
    monkeypatch.setattr(walk_module, "SPLIT_KEYS", 1)
    monkeypatch.setattr(two_sided, "LET_GO_VERSIONS", 1)


def wires(ours: Side, theirs: Side, operation: str, pages: tuple[int, int] = (3, 3)) -> tuple[Any, Any]:
    return FactBucket(ours, operation, pages[0]), FactBucket(theirs, operation, pages[1])


def all_calls(
    both: tuple[Any, Any], stops: list[bool], workers: int
) -> tuple[Difference, Counter[tuple[str, str]]]:
    """Compare in as many calls as it takes; `stops` tells at which look at the clock time is out."""
    total, needed = Difference(), Counter[tuple[str, str]]()
    ranges: list[Range] | None = None
    clock = iter([*stops, *[False] * 100_000])
    for _ in range(10_000):
        result = compare(
            *both,
            lambda entries: needed.update((entry.key, entry.version) for entry in entries),
            workers=workers,
            ranges=ranges,
            out_of_time=lambda: next(clock),
        )
        for name in ("equal", "missing", "different", "extra"):
            setattr(total, name, getattr(total, name) + getattr(result, name))
        if not result.left:
            return total, needed
        # What is left is passed on as a document: of a range nothing but its position is known to the next call.
        ranges = [Range(left.start, left.end) for left in result.left]
    raise AssertionError("the difference has no end")


@pytest.mark.parametrize("versioned", [False, True])
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_each_entry_is_counted_once_wherever_a_difference_pauses(
    versioned: bool, data: st.DataObject
) -> None:
    ours, theirs = data.draw(sides(versioned))
    pages = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    stops = data.draw(st.lists(st.booleans(), max_size=30))
    both = wires(ours, theirs, "ListObjectVersions" if versioned else "ListObjectsV2", pages)
    total, needed = all_calls(both, stops, data.draw(st.integers(1, 5)))
    naive = expected(plain(ours), plain(theirs), Selection(archived=False)).counts
    assert (total.equal, total.missing, total.different, total.extra) == tuple(
        naive[kind] for kind in ("equal", "missing", "different", "extra")
    )
    assert needed == Counter(expected(plain(ours), plain(theirs), Selection(archived=False)).needed)


def plain(side: Side) -> Side:
    """Return a side as a difference sees it, which knows nothing of a run: nothing archived, all from long ago."""
    return {
        name: Fact(fact.size, fact.etag, fact.hours - 100, "STANDARD", deleted=fact.deleted)
        for name, fact in side.items()
    }


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 4), st.integers(1, 9), st.randoms())
@settings(max_examples=25, deadline=None)
def test_a_key_with_many_versions_is_compared_whatever_their_order(
    stops: list[bool], workers: int, page: int, random: Any
) -> None:
    ours = {("k", f"v{number}"): Fact(etag=str(number)) for number in range(60)} | {("a", "v"): Fact()}
    theirs = dict(sorted(ours.items(), key=lambda _: random.random()))
    for name in random.sample(sorted(ours), 10):
        del theirs[name]
    ours |= {("z", f"v{number}"): Fact() for number in range(5)}
    total, needed = all_calls(wires(ours, theirs, "ListObjectVersions", (page, 7)), stops, workers)
    assert (total.equal, total.missing, total.different, total.extra) == (51, 15, 0, 0)
    assert needed == Counter(ours.keys() - theirs.keys())


def test_versions_that_both_sides_list_alike_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_sided, "LET_GO_VERSIONS", 40)
    side = {("k", f"v{number}"): Fact() for number in range(2000)}
    kept: list[int] = []

    def merge(ours: Stretch, theirs: Stretch) -> None:
        kept.append(len(ours.keys))
        assert ours.proven + len(ours.keys) == 2000

    two_sided.TwoSidedWalk(*wires(side, side, "ListObjectVersions", (20, 30)), merge).run()
    assert max(kept) <= 100


def test_a_call_without_time_still_gets_on() -> None:
    side = {(f"{number:03}", ""): Fact() for number in range(20)}
    total, _ = all_calls(wires(side, side, "ListObjectsV2", (2, 3)), [True] * 1000, 1)
    assert total.equal == 20


def test_pages_of_delete_markers_alone_are_passed_by() -> None:
    ours = {(f"{number:03}", "gone"): Fact(deleted=True) for number in range(50)} | {("z", "v1"): Fact()}
    total, needed = all_calls(wires(ours, {}, "ListObjectVersions", (4, 4)), [True] * 20, 2)
    assert (total.equal, total.missing, needed) == (0, 1, Counter([("z", "v1")]))


def entry(size: int = 5, etag: str = "abc", hours: int = 0, version: str = "") -> Entry:
    return Fact(size, etag, hours).entry("k", version)


def test_another_size_is_another_object() -> None:
    assert not same(entry(5, "abc-2"), entry(6, "abc-2"))
    assert not same(entry(5, version="v1"), entry(6, version="v1"))


def test_etags_decide_where_they_can_be_compared() -> None:
    assert same(entry(), entry(hours=-3))
    assert not same(entry(etag="abc"), entry(etag="def", hours=3))
    assert not same(entry(etag="abc", version="v1"), entry(etag="def", version="v1"))


@pytest.mark.parametrize("etags", [("abc-2", "def"), ("def", "abc-2"), ("abc-2", "abc-3")])
def test_times_decide_where_etags_can_not_be_compared(etags: tuple[str, str]) -> None:
    ours, theirs = etags
    assert same(entry(etag=ours), entry(etag=theirs))
    assert same(entry(etag=ours), entry(etag=theirs, hours=1))
    assert not same(entry(etag=ours), entry(etag=theirs, hours=-1))


def test_a_multipart_etag_that_is_kept_needs_no_time() -> None:
    assert same(entry(etag="abc-2"), entry(etag="abc-2", hours=-1))


def test_a_version_id_decides_before_times_but_that_of_null_versions() -> None:
    ours, theirs = entry(etag="abc-2", version="v1"), entry(etag="def", hours=-1, version="v1")
    assert same(ours, theirs)
    assert not same(ours._replace(version="null"), theirs._replace(version="null"))


def test_etags_of_objects_encrypted_with_kms_keys_decide_nothing() -> None:
    assert same(entry(etag="abc"), entry(etag="def", hours=1), etags=False)
    assert not same(entry(etag="abc"), entry(etag="def", hours=-1), etags=False)


def test_an_etag_is_the_same_however_it_is_written() -> None:
    ours = entry()
    assert same(ours, ours._replace(facts=ours.facts.replace(b"&quot;", b'"')))
    assert same(ours, ours._replace(facts=ours.facts.replace(b"&quot;", b"&#34;")))

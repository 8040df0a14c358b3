from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.listing import walk as walk_module
from seeder.listing.difference import Entry, compare, same
from tests.keys import any_key
from tests.listed import ListedBucket


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ranges be split however few keys are left."""
    monkeypatch.setattr(walk_module, "SPLIT_KEYS", 1)


sides = st.one_of(
    st.dictionaries(any_key, st.integers(1, 2), max_size=20),
    st.dictionaries(st.integers(0, 99).map(lambda number: f"k{number:02}"), st.integers(1, 2), max_size=90),
)


@given(sides, sides, st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_counts_are_those_of_the_two_sets(
    source: dict[str, int], destination: dict[str, int], page: int, other_page: int, workers: int
) -> None:
    needed: list[str] = []
    result = compare(
        cast("Any", ListedBucket(source, page=page, sizes=source)),
        cast("Any", ListedBucket(destination, page=other_page, sizes=destination)),
        lambda wanting: needed.extend(entry.key for entry in wanting),
        workers=workers,
    )
    both = source.keys() & destination.keys()
    missing = source.keys() - destination.keys()
    different = {key for key in both if source[key] != destination[key]}
    assert result.missing == len(missing)
    assert result.extra == len(destination.keys() - source.keys())
    assert result.different == len(different)
    assert result.equal == len(both) - len(different)
    assert sorted(needed) == sorted(missing | different)
    assert result.is_equal == (source == destination)


many = st.dictionaries(any_key, st.sets(st.integers(0, 5)), max_size=12)


@given(many, many, st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_versions_are_compared_by_their_ids(
    source: dict[str, set[int]], destination: dict[str, set[int]], page: int, other_page: int, workers: int
) -> None:
    def versions(space: dict[str, set[int]]) -> set[tuple[str, str]]:
        return {(key, f"{'gone' if n == 5 else 'v'}{n}") for key, ids in space.items() for n in ids}

    ours, theirs = versions(source), versions(destination)
    wires: list[Any] = [
        ListedBucket(sorted(side), "ListObjectVersions", size)
        for side, size in ((ours, page), (theirs, other_page))
    ]
    needed: list[tuple[str, str]] = []
    result = compare(
        wires[0],
        wires[1],
        lambda wanting: needed.extend((entry.key, entry.version) for entry in wanting),
        workers=workers,
    )
    real_ours, real_theirs = ({item for item in side if item[1] != "gone5"} for side in (ours, theirs))
    assert sorted(needed) == sorted(real_ours - real_theirs)
    assert (result.equal, result.extra) == (len(real_ours & real_theirs), len(real_theirs - real_ours))


def test_sizes_decide_where_etags_can_not_be_compared() -> None:
    assert same(Entry("k", b"5", b"abc-2"), Entry("k", b"5", b"def"))
    assert not same(Entry("k", b"5", b"abc-2"), Entry("k", b"6", b"abc-2"))
    assert not same(Entry("k", b"5", b"abc"), Entry("k", b"5", b"def"))

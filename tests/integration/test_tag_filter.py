"""Tags as a filter: of a listing in any order, of versions, of an inventory and of a verification."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder import inventory, manifest, sink
from seeder.listing import walk as walk_module
from seeder.listing.selection import LARGEST_COPY, Selection
from seeder.listing.tagged import Name, asking_for
from seeder.listing.wire import Wire
from seeder.manifest import Progress
from seeder.verify import Verification, verify
from tests.compared import START, Fact, FactBucket, Side
from tests.inventories import packed, publish, row_of
from tests.keys import TRAPS
from tests.listed import ListedBucket
from tests.served import by_folders
from tests.servers import Server, in_small_parts
from tests.tagged import KnownTags

KEYS = [f"{folder}{mark}{number:03}" for folder in "abc" for mark in "./" for number in range(40)]
VERSIONS: list[Name] = [
    (f"k{number:02}", "gone1" if version == 2 else f"v{version}")
    for number in range(30)
    for version in range(4)
]


_runs = count(1)


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.buckets("state", "inventories", "source")


@pytest.fixture(autouse=True)
def small(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_module, "SPLIT_KEYS", 1)
    monkeypatch.setattr(inventory, "ROWS_AT_ONCE", 10)
    server.parts_of(monkeypatch, 1000)


def fresh() -> Progress:
    return Progress.fresh("state", f"runs/tags-{next(_runs)}/", "copy")


def names_in(s3: Any, *files: sink.Upload) -> Counter[Name]:
    found: Counter[Name] = Counter()
    for file in filter(lambda file: file.etag, files):
        body = s3.get_object(Bucket=file.bucket, Key=file.key)["Body"].read().decode()
        rows = [line.split(",") for line in body.splitlines()]
        found.update((unquote(row[1]), row[2] if len(row) > 2 else "") for row in rows)
    return found


def in_order(page: int) -> ListedBucket:
    return ListedBucket(KEYS, page=page)


def in_folders(page: int) -> ListedBucket:
    return ListedBucket(KEYS, page=page, is_aws=False, order=by_folders)


def of_versions(page: int) -> ListedBucket:
    return ListedBucket(VERSIONS, "ListObjectVersions", page=page)


@in_small_parts
@pytest.mark.parametrize(
    ("bucket", "entries"),
    [
        (in_order, [(key, "") for key in KEYS]),
        (in_folders, [(key, "") for key in KEYS]),
        (of_versions, [name for name in VERSIONS if not name[1].startswith("gone")]),
    ],
)
@given(st.lists(st.booleans(), max_size=30), st.integers(3, 30), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_a_listing_takes_what_has_the_tags_once_wherever_time_is_out(
    bucket: Any, entries: list[Name], s3: Any, stops: list[bool], page: int, chance: random.Random
) -> None:
    """Time is out in the middle of a page, too: what was not asked yet is listed again."""
    having = {name for name in entries if chance.random() < 0.3}
    clock = iter(stops)
    tagged, progress = KnownTags(having, lambda: next(clock, False)), fresh()
    for _ in range(200):
        progress = manifest.write(s3, progress, bucket(page), "source", workers=3, tagged=cast("Any", tagged))
        if progress.done:
            break
    assert names_in(s3, *progress.copy_files) == Counter(having)
    assert progress.census.objects == len(having) == progress.count


def test_large_and_archived_objects_and_other_filters_come_before_the_tags(s3: Any) -> None:
    side: Side = {
        ("archived", ""): Fact(storage="GLACIER"),
        ("archived too", ""): Fact(storage="GLACIER"),
        ("large", ""): Fact(size=LARGEST_COPY + 1),
        ("small", ""): Fact(size=2),
        ("too small", ""): Fact(size=1),
    }
    tagged = KnownTags({("archived", ""), ("large", ""), ("small", ""), ("too small", "")})
    done = manifest.write(
        s3,
        fresh(),
        cast("Any", FactBucket(side)),
        "source",
        selection=Selection(size_at_least=2),
        tagged=cast("Any", tagged),
    )
    assert sorted(tagged.asked) == [("large", ""), ("small", "")]
    assert [names_in(s3, *files).keys() for files in done.manifests] == [
        {("small", "")},
        {("large", "")},
        set(),
    ]
    everything = manifest.write(
        s3, fresh(), cast("Any", FactBucket(side)), "source", tagged=cast("Any", tagged)
    )
    assert names_in(s3, *everything.archived_files).keys() == {("archived", "")}
    assert (everything.tag_calls, everything.census.archived["GLACIER"].objects) == (7, 1)


def test_tags_are_those_of_s3_when_it_is_listed(server: Server, s3: Any) -> None:
    keys = list(filter(server.ways.can_hold, TRAPS))
    for number, key in enumerate(keys):
        s3.put_object(Bucket="source", Key=key, Body=b"x", Tagging="team=a&x=y" if number % 2 else "team=b")
    wire = Wire(s3, "source")
    with asking_for(s3, "source", {"team": "a"}) as tagged:
        done = manifest.write(s3, fresh(), wire, "source", tagged=tagged)
    wire.close()
    assert names_in(s3, *done.copy_files) == Counter((key, "") for key in keys[1::2])
    assert done.tag_calls == len(keys)


@pytest.mark.parametrize("versions", [False, True])
def test_the_rows_of_an_inventory_are_asked_for_their_tags_wherever_time_is_out(
    s3: Any, versions: bool
) -> None:
    names = [(f"{number:03}", f"v{number}" if versions else "") for number in range(95)]
    rows = [row_of(key, version=version) for key, version in names]
    location = publish(s3, "inventories", [packed(rows[:50]), packed(rows[50:])])
    turns, progress = iter([False, True, True, False] * 20), fresh()
    tagged = KnownTags(set(names[::4]), lambda: next(turns))
    calls = 0
    while not progress.done:
        calls += 1
        progress = inventory.write(
            s3, progress, s3, location, "source", versions=versions, tagged=cast("Any", tagged)
        )
    assert calls > 5
    assert names_in(s3, *progress.copy_files) == Counter(names[::4])


def test_a_verification_asks_what_differs_alone_and_finds_nothing_extra(s3: Any) -> None:
    ours: Side = {(f"{number:02}", ""): Fact() for number in range(20)}
    theirs: Side = {name: Fact() for name in list(ours)[:12]}
    theirs |= {("11", ""): Fact(size=5), ("extra", ""): Fact()}
    tagged = KnownTags({("03", ""), ("11", ""), ("15", "")})
    found = verify(
        s3,
        Verification.fresh("state", "runs/tags-verified/"),
        cast("Any", FactBucket(ours)),
        cast("Any", FactBucket(theirs)),
        source_name="source",
        started_at=START,
        tagged=cast("Any", tagged),
    )
    assert {name for name, _ in tagged.asked} == {"11", *(f"{number}" for number in range(12, 20))}
    assert found.counts == {
        "equal": 11,
        "missing": 1,
        "different": 1,
        "extra": 0,
        "archived": 0,
        "during": 0,
    }
    assert names_in(s3, found.differs) == Counter([("11", ""), ("15", "")])
    assert found.tag_calls == 9


def test_a_verification_that_runs_out_of_time_among_tags_counts_nothing_twice(s3: Any) -> None:
    ours: Side = {(f"{number:02}", ""): Fact() for number in range(60)}
    turns = iter([False, True, False, True, True] * 30)
    tagged = KnownTags({name for name in ours if name[0].endswith("3")}, lambda: next(turns))
    found, calls = Verification.fresh("state", "runs/tags-paused/"), 0
    while not found.done:
        calls += 1
        found = verify(
            s3,
            found,
            cast("Any", FactBucket(ours, page=4)),
            cast("Any", FactBucket({}, page=4)),
            source_name="source",
            started_at=datetime.now(UTC) + timedelta(days=1),
            tagged=cast("Any", tagged),
        )
    assert calls > 3
    assert found.missing == 6 == found.differs.count
    assert names_in(s3, found.differs) == Counter((f"{number}3", "") for number in [0, 1, 2, 3, 4, 5])

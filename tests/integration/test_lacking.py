"""The manifests of a re-sync: paused, repeated and died at every step, they hold what a plain comparison finds."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder import lacking, sink, walks
from seeder.clients import Clients
from seeder.listing import two_sided
from seeder.listing import walk as walk_module
from seeder.listing.selection import Selection
from seeder.listing.walk import Unordered
from seeder.manifest import Limits, Progress
from seeder.verify import Verification, proven
from tests.compared import START, Fact, FactBucket, Name, Side, expected, sides
from tests.dying import Died, Dying
from tests.keys import TRAPS
from tests.listed import ListedBucket
from tests.runs import EUROPE, HOME, run_of
from tests.served import by_folders
from tests.servers import Server, each_death, in_regions, in_small_parts
from tests.tagged import KnownTags

_runs = count(1)


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.buckets("state")


@pytest.fixture(autouse=True)
def eager(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Split ranges, upload parts and let versions go however little there is."""
    monkeypatch.setattr(walk_module, "SPLIT_KEYS", 1)
    monkeypatch.setattr(two_sided, "LET_GO_VERSIONS", 1)
    server.parts_of(monkeypatch, 300)


def fresh() -> Progress:
    return Progress.fresh("state", f"runs/resync-{next(_runs)}/", "copy")


def call(s3: Any, before: Progress, source: Any, destination: Any, **given: Any) -> Progress:
    # What a state returns, the next one is given as a document.
    again = Progress.model_validate_json(before.model_dump_json())
    given = {"started_at": START, "workers": 3, **given}
    return lacking.write(s3, again, source, destination, source_name="source", **given)


def all_calls(
    s3: Any, source: Any, destination: Any, stops: list[bool] | None = None, **given: Any
) -> tuple[Progress, list[Progress]]:
    """Call until it is done, `stops` telling at which look at the clock time is out; repeat a call that died."""
    clock = iter(stops or [])
    passed = [fresh()]
    for _ in range(500):
        try:
            after = call(s3, passed[-1], source, destination, out_of_time=lambda: next(clock, False), **given)
        except Died:
            continue
        assert len(after.model_dump_json()) < 64 * 1024
        if after.done:
            return after, passed
        passed.append(after)
    raise AssertionError("not done after 500 calls")


def rows_of(s3: Any, files: tuple[sink.Upload, ...]) -> Counter[Name]:
    found: Counter[Name] = Counter()
    for file in files:
        if not file.etag:
            assert not file.count
            continue
        lines = s3.get_object(Bucket=file.bucket, Key=file.key)["Body"].read().decode("ascii").splitlines()
        assert len(lines) == file.count
        rows = [line.split(",") for line in lines]
        assert {row[0] for row in rows} == {"source"}
        found.update((unquote(row[1]), row[2] if len(row) > 2 else "") for row in rows)
    return found


def placed(ours: Side, theirs: Side, selection: Selection) -> list[Counter[Name]]:
    """Return what each manifest should hold, found the plain way."""
    places: list[Counter[Name]] = [Counter(), Counter(), Counter()]
    needed = expected(ours, theirs, selection).needed
    for name, one in ours.items():
        archived = one.archived and name not in theirs and not one.deleted
        passes = selection.wants(name[0], one.size, one.storage, one.modified.isoformat())
        if name in needed or (archived and passes):
            large = selection.largest is not None and one.size > selection.largest
            places[2 if one.archived else 1 if large else 0][name] += 1
    return places


selections = st.sampled_from(
    [
        Selection(largest=1),
        Selection(largest=1),
        Selection(largest=None),
        Selection(size_at_least=2),
        Selection(created_after=START - timedelta(hours=2), suffix="1"),
        Selection(largest=1, storage_classes=frozenset({"STANDARD", "GLACIER"})),
    ]
)


@in_small_parts
@pytest.mark.parametrize("operation", ["ListObjectsV2", "ListObjectVersions"])
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_the_manifests_hold_what_the_destination_needs_wherever_the_walk_pauses_or_dies(
    operation: str, s3: Any, data: st.DataObject
) -> None:
    ours, theirs = data.draw(sides(operation == "ListObjectVersions"))
    pages = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    stops = data.draw(st.lists(st.booleans(), max_size=20))
    dying = Dying(s3, data.draw(st.integers(1, 8)), data.draw(st.booleans()))
    selection = data.draw(selections)
    wires = FactBucket(ours, operation, pages[0]), FactBucket(theirs, operation, pages[1])
    done, passed = all_calls(dying, *wires, stops, selection=selection)
    naive, places = expected(ours, theirs, selection), placed(ours, theirs, selection)
    assert done.compared is not None
    assert done.compared.counts == {name: naive.counts[name] for name in done.compared.counts}
    assert [rows_of(s3, files) for files in done.manifests] == places
    assert (done.count, done.large_count, done.archived_count) == tuple(place.total() for place in places)
    assert (done.proof is not None) == (not naive.needed)
    if any(places):
        # Any document given again, even where the buckets are others by now, changes nothing.
        for stale in (*passed, done):
            assert call(s3, stale, FactBucket({}, operation), FactBucket({}, operation)) == done


@in_small_parts
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_only_what_has_the_tags_is_needed_and_only_what_differs_is_asked_wherever_time_is_out(
    s3: Any, data: st.DataObject
) -> None:
    ours, theirs = data.draw(sides(versioned=True))
    stops = iter(data.draw(st.lists(st.booleans(), max_size=20)))
    having = data.draw(st.sets(st.sampled_from(sorted(ours)))) if ours else set()
    tagged = KnownTags(having, lambda: next(stops, False))
    source, destination = (FactBucket(side, "ListObjectVersions", 3) for side in (ours, theirs))
    done, _ = all_calls(s3, source, destination, tagged=tagged, selection=Selection(largest=1))
    places = placed(ours, theirs, Selection(largest=1))
    assert set(tagged.asked) == {name for place in places for name in place}
    found = Counter(name for files in done.manifests for name in rows_of(s3, files).elements())
    assert found == Counter(name for place in places for name in place if name in having)
    naive = expected(ours, theirs, Selection()).counts
    assert done.compared is not None
    counts = done.compared.counts
    assert (counts["equal"], counts["extra"]) == (naive["equal"], 0)
    assert counts["missing"] + counts["different"] + counts["archived"] == found.total()


@each_death(range(1, 13))
def test_a_death_at_any_write_loses_and_doubles_nothing(s3: Any, at: int, after: bool) -> None:
    ours: Side = {(f"{number:03}", ""): Fact(size=1 + number % 3) for number in range(100)}
    theirs: Side = {name: Fact(size=9) for name in list(ours)[:30]}
    stops = [number % 6 == 5 for number in range(60)]
    sides = FactBucket(ours, page=5), FactBucket(theirs, page=5)
    given: dict[str, Any] = {"selection": Selection(largest=2), "limits": Limits(copy=40)}
    done, passed = all_calls(Dying(s3, at, after), *sides, stops, **given)
    assert len(passed) > 2
    assert rows_of(s3, done.copy_files) + rows_of(s3, done.large_files) == Counter(ours.keys())
    assert [file.count for file in done.copy_files] == [40, 27]
    size = sum(fact.size for fact in ours.values())
    assert (done.census.objects, done.census.bytes) == (100, size)
    assert done.census.prefixes == {"": (100, size)}


def test_nothing_is_made_where_nothing_is_needed_and_the_walk_is_the_proof(s3: Any) -> None:
    both: Side = {(f"{number:03}", ""): Fact() for number in range(20)}
    more: Side = {("archived", ""): Fact(storage="GLACIER"), ("during", ""): Fact(hours=1)}
    done, _ = all_calls(
        s3, FactBucket(both, page=3), FactBucket({**both, ("x", ""): Fact()}, page=4), [True] * 3
    )
    assert (done.done, done.count, done.large_count, done.archived_count) == (True, 0, 0, 0)
    assert s3.list_objects_v2(Bucket="state", Prefix=done.copy_files[0].key)["KeyCount"] == 0
    assert done.proof is not None
    verified = proven(Verification.fresh("state", "runs/r/"), done.proof)
    assert (verified.done, verified.result, verified.equal, verified.extra) == (True, "extra", 20, 1)
    assert verified.examples == {"extra": "x"}
    with_archived, _ = all_calls(s3, FactBucket({**both, **more}), FactBucket(both))
    assert with_archived.proof is not None
    assert (with_archived.proof.archived, with_archived.proof.during) == (1, 1)
    assert rows_of(s3, with_archived.archived_files) == Counter([("archived", "")])


def test_a_walk_that_goes_on_or_a_plain_listing_proves_nothing(s3: Any) -> None:
    both: Side = {(f"{number:03}", ""): Fact() for number in range(20)}
    begun = call(s3, fresh(), FactBucket(both, page=3), FactBucket(both, page=3), out_of_time=lambda: True)
    assert not begun.done
    assert begun.proof is None
    assert fresh().model_copy(update={"done": True}).proof is None


def test_keys_with_traps_come_out_as_they_went_in(s3: Any) -> None:
    done, _ = all_calls(s3, FactBucket({(key, ""): Fact() for key in TRAPS}, page=5), FactBucket({}))
    assert rows_of(s3, done.copy_files) == Counter((key, "") for key in TRAPS)


def test_an_archived_object_with_a_restored_copy_is_copied_and_never_replicated(s3: Any) -> None:
    restored = FactBucket({("k", ""): Fact(storage="GLACIER", restored=True)})
    done, _ = all_calls(s3, restored, FactBucket({}))
    assert (done.count, done.archived_count) == (1, 0)
    done, _ = all_calls(s3, restored, FactBucket({}), selection=Selection(largest=None, restored=False))
    assert (done.count, done.archived_count) == (0, 1)


def test_both_listings_and_the_tags_asked_for_are_counted(s3: Any) -> None:
    ours: Side = {(f"{number:03}", ""): Fact() for number in range(30)}
    source, destination = FactBucket(ours, page=5), FactBucket({}, page=5)
    done = call(s3, fresh(), source, destination, tagged=KnownTags({("003", "")}))
    assert (done.list_calls, done.destination_list_calls) == (source.calls, destination.calls)
    assert (done.tag_calls, done.count) == (30, 1)


def test_a_server_of_another_order_is_refused_before_anything_is_seeded(s3: Any) -> None:
    keys = [f"{folder}{mark}{number:03}" for folder in "ab" for mark in "./" for number in range(4)]
    other = ListedBucket(keys, page=10, is_aws=False, order=by_folders)
    with pytest.raises(Unordered, match=r"order|does not list"):
        call(s3, fresh(), other, ListedBucket([], is_aws=False))


@in_regions
def test_what_was_written_before_a_new_rule_was_in_force_is_seeded_and_otherwise_left_to_others(
    s3: Any,
) -> None:
    """The runs began long before the objects were written."""
    plain, with_rule = (
        run_of("replicate", HOME, f"since-{new}", resync=True, enable_replication=new)
        for new in (False, True)
    )
    s3.create_bucket(Bucket="source")
    s3.create_bucket(Bucket="destination", CreateBucketConfiguration={"LocationConstraint": EUROPE})
    for key in ("a", "b"):
        s3.put_object(Bucket="source", Key=key, Body=b"")
    made = [walks.make_manifests(run, None, Clients(), HOME, lambda: False) for run in (plain, with_rule)]
    found = [one.compared.counts if one.compared else {} for one in made]
    assert [(counts["during"], counts["missing"]) for counts in found] == [(2, 0), (0, 2)]
    assert [(one.done, one.count) for one in made] == [(True, 0), (True, 2)]

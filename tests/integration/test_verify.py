"""A verification against S3: paused, repeated and died at every step, it finds what a plain comparison finds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.listing import two_sided
from seeder.listing import walk as walk_module
from seeder.listing.selection import Selection
from seeder.listing.wire import Wire
from seeder.verify import Verification, abandon, verify
from tests.compared import START, Fact, FactBucket, Name, Side, expected, sides
from tests.dying import Died, Dying
from tests.keys import TRAPS
from tests.servers import Server, each_death, in_small_parts

KINDS = ("equal", "missing", "different", "extra", "archived", "during")
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


def fresh() -> Verification:
    return Verification.fresh("state", f"runs/{next(_runs)}/")


def call(s3: Any, before: Verification, source: Any, destination: Any, **given: Any) -> Verification:
    given = {"started_at": START, "workers": 3, **given}
    # What a state returns, the next one is given as a document.
    again = Verification.model_validate_json(before.model_dump_json())
    return verify(s3, again, source, destination, source_name="source", **given)


def all_calls(
    s3: Any, source: Any, destination: Any, stops: list[bool] | None = None, **given: Any
) -> tuple[Verification, list[Verification]]:
    """Call until it is done, `stops` telling at which look at the clock time is out; repeat a call that died.

    Returns all documents that were passed on, too.
    """
    clock = iter(stops or [])
    passed = [fresh()]
    for _ in range(500):
        try:
            after = call(s3, passed[-1], source, destination, out_of_time=lambda: next(clock, False), **given)
        except Died:
            continue
        if after.done:
            return after, passed
        passed.append(after)
    raise AssertionError("not done after 500 calls")


def counts_of(found: Verification) -> dict[str, int]:
    return {kind: getattr(found, kind) for kind in KINDS}


def rows_of(s3: Any, found: Verification) -> Counter[Name]:
    if not found.differs.etag:
        return Counter()
    body = s3.get_object(Bucket=found.differs.bucket, Key=found.differs.key)["Body"].read().decode("ascii")
    rows = [line.split(",") for line in body.splitlines()]
    assert {row[0] for row in rows} == {"source"}
    return Counter((unquote(row[1]), row[2] if len(row) > 2 else "") for row in rows)


def keys_in(s3: Any, found: Verification) -> list[str]:
    listing = s3.list_objects_v2(Bucket="state", Prefix=f"{found.folder}/")
    return [item["Key"] for item in listing.get("Contents", [])]


selections = st.sampled_from(
    [
        Selection(),
        Selection(),
        Selection(archived=False),
        Selection(size_at_least=2),
        Selection(created_after=START - timedelta(hours=2), suffix="1"),
        Selection(storage_classes=frozenset({"STANDARD", "GLACIER"})),
    ]
)


@in_small_parts
@pytest.mark.parametrize("operation", ["ListObjectsV2", "ListObjectVersions"])
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_it_finds_what_a_plain_comparison_finds_wherever_it_pauses_or_dies(
    operation: str, s3: Any, data: st.DataObject
) -> None:
    ours, theirs = data.draw(sides(operation == "ListObjectVersions"))
    pages = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    stops = data.draw(st.lists(st.booleans(), max_size=20))
    dying = Dying(s3, data.draw(st.integers(1, 8)), data.draw(st.booleans()))
    selection = data.draw(selections)
    wires = FactBucket(ours, operation, pages[0]), FactBucket(theirs, operation, pages[1])
    done, passed = all_calls(dying, *wires, stops, selection=selection)
    naive = expected(ours, theirs, selection, archives=selection.archived)
    assert counts_of(done) == {kind: naive.counts[kind] for kind in KINDS}
    assert rows_of(s3, done) == Counter(naive.needed)
    assert done.differs.count == len(naive.needed) == done.missing + done.different
    told = "archived" if done.archived else "extra" if done.extra else "equal"
    assert done.result == ("differs" if naive.needed else told)
    assert set(done.examples) == {kind for kind in KINDS[1:] if naive.counts[kind]}
    if naive.needed:
        # Any document given again, even where the buckets are others by now, changes nothing.
        for stale in (*passed, done):
            again = call(s3, stale, FactBucket({}, operation), FactBucket({}, operation))
            assert again == done


@each_death(range(1, 13))
def test_a_death_at_any_write_counts_and_writes_nothing_twice(
    server: Server, s3: Any, at: int, after: bool
) -> None:
    ours: Side = {(f"{number:03}", ""): Fact() for number in range(100)}
    theirs: Side = {name: Fact(size=2) for name in list(ours)[:30]}
    stops = [number % 6 == 5 for number in range(60)]
    dying = Dying(s3, at, after)
    done, passed = all_calls(dying, FactBucket(ours, page=5), FactBucket(theirs, page=5), stops)
    assert len(passed) > 2
    assert (done.missing, done.different, done.equal) == (70, 30, 0)
    assert rows_of(s3, done) == Counter(ours.keys())
    assert done.differs.parts > (3 if server.ways.smallest_part == 1 else 0)


def test_nothing_is_made_where_nothing_differs(s3: Any) -> None:
    ours: Side = {(f"{number:03}", ""): Fact(etag="a-2") for number in range(20)}
    theirs: Side = dict.fromkeys(ours, Fact(etag="b"))
    done, _ = all_calls(s3, FactBucket(ours, page=3), FactBucket(theirs, page=4), [True] * 5)
    assert (done.result, done.equal, done.differs.count, done.looks) == ("equal", 20, 0, 1)
    assert keys_in(s3, done) == []
    uploads = s3.list_multipart_uploads(Bucket="state").get("Uploads", [])
    assert not [upload for upload in uploads if upload["Key"] == done.differs.key]


def test_keys_with_traps_come_out_as_they_went_in(s3: Any) -> None:
    done, _ = all_calls(s3, FactBucket({(key, ""): Fact() for key in TRAPS}, page=5), FactBucket({}))
    assert rows_of(s3, done) == Counter((key, "") for key in TRAPS)


class Filling:
    """A replica that has more at each look: `at_look` gives what it holds at the first, the second, and so on."""

    def __init__(self, *at_look: Side) -> None:
        self._at_look = [FactBucket(side, page=7) for side in at_look]
        self.look = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._at_look[min(self.look, len(self._at_look)) - 1], name)


def wait_for(s3: Any, ours: Side, *at_look: Side) -> tuple[list[Verification], Verification]:
    destination = Filling(*at_look)
    looks: list[Verification] = []
    now = fresh()
    for _ in range(100):
        now = call(s3, now, FactBucket(ours, page=7), destination, waits=True)
        if now.done:
            return looks, now
        assert now.next_look_seconds
        looks.append(now)
        destination.look += 1
    raise AssertionError("not done after 100 looks")


OURS: Side = {(f"{number:03}", ""): Fact() for number in range(30)}
HALF: Side = dict(list(OURS.items())[:15])


def test_a_pending_replica_is_looked_at_until_nothing_is_missing(s3: Any) -> None:
    looks, done = wait_for(s3, OURS, {}, HALF, OURS)
    assert [(look.missing, look.equal, look.next_look_seconds) for look in looks] == [
        (30, 0, 30),
        (15, 15, 60),
    ]
    assert (done.result, done.equal, done.missing, done.looks, done.waited_seconds) == ("equal", 30, 0, 3, 90)
    assert looks[0].list_calls < looks[1].list_calls < done.list_calls
    assert keys_in(s3, done) == []


def test_a_replica_that_stays_behind_ends_with_what_is_missing_in_a_file_of_its_own(s3: Any) -> None:
    looks, done = wait_for(s3, OURS, {}, HALF)
    assert (done.result, done.missing, done.looks) == ("differs", 15, len(looks) + 1)
    assert done.waited_seconds == sum(look.next_look_seconds for look in looks)
    assert rows_of(s3, done) == Counter(OURS.keys() - HALF.keys())
    assert done.differs.key.endswith(f"differs-{done.looks}.csv")
    assert all(look.differs.etag == "" for look in looks)


def test_what_is_different_archived_or_written_since_is_not_waited_for(s3: Any) -> None:
    ours: Side = {
        ("archived", ""): Fact(storage="GLACIER"),
        ("different", ""): Fact(),
        ("during", ""): Fact(hours=1),
    }
    looks, done = wait_for(s3, ours, {("different", ""): Fact(size=2)})
    assert looks == []
    assert counts_of(done) == {
        "equal": 0,
        "missing": 0,
        "different": 1,
        "extra": 0,
        "archived": 1,
        "during": 1,
    }


@in_small_parts
def test_an_abandoned_verification_leaves_no_upload(s3: Any) -> None:
    ours: Side = {(f"{number:03}", ""): Fact() for number in range(200)}
    source = FactBucket(ours, page=5)
    paused = call(s3, fresh(), source, FactBucket({}), out_of_time=lambda: source.calls > 20)
    assert paused.differs.upload_id
    for _ in range(2):
        abandon(s3, paused)
    uploads = s3.list_multipart_uploads(Bucket="state").get("Uploads", [])
    assert paused.differs.upload_id not in [upload["UploadId"] for upload in uploads]


def test_real_buckets_with_versions_are_compared(s3: Any) -> None:
    """moto gives no two versions one id, so each bucket is also compared with itself."""
    for name in ("real-source", "real-replica"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    written = [
        (key, s3.put_object(Bucket="real-source", Key=key, Body=b"x" * number)["VersionId"])
        for number in range(2)
        for key in ("a b", "c+d", "e,f")
    ]
    s3.delete_object(Bucket="real-source", Key="a b")
    soon = datetime.now(UTC) + timedelta(days=1)

    def found(destination: str) -> Verification:
        wires = [Wire(s3, name, "ListObjectVersions") for name in ("real-source", destination)]
        try:
            return call(s3, fresh(), *wires, started_at=soon)
        finally:
            for wire in wires:
                wire.close()

    assert (found("real-source").equal, found("real-source").result) == (6, "equal")
    differs = found("real-replica")
    assert rows_of(s3, differs) == Counter(written)
    assert (differs.missing, differs.result, differs.list_calls) == (6, "differs", 2)


def test_real_buckets_are_compared_by_size_and_etag(s3: Any) -> None:
    for name, bodies in (("plain-source", b"abc"), ("plain-replica", b"abd")):
        s3.create_bucket(Bucket=name)
        for key, byte in zip(("1", "2", "3"), bodies, strict=True):
            s3.put_object(Bucket=name, Key=key, Body=bytes([byte]))
    s3.put_object(Bucket="plain-replica", Key="extra", Body=b"")
    s3.put_object(Bucket="plain-source", Key="cold", Body=b"", StorageClass="DEEP_ARCHIVE")
    wires = [Wire(s3, name) for name in ("plain-source", "plain-replica")]
    done = call(s3, fresh(), *wires, started_at=datetime.now(UTC) + timedelta(days=1))
    assert [counts_of(done)[kind] for kind in KINDS] == [2, 0, 1, 1, 1, 0]
    assert done.examples == {"different": "3", "extra": "extra", "archived": "cold"}
    assert done.result == "differs"

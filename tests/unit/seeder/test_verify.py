"""As what each pair that differs is counted, and how large a verification can become."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from seeder.judge import Compared, Judge
from seeder.listing import walk as walk_module
from seeder.listing.difference import Entry, Pair
from seeder.listing.selection import Selection
from seeder.verify import Verification, verify
from tests.compared import START, Fact, FactBucket, Side


def entry(fact: Fact) -> Entry:
    return fact.entry("k")


def kind(ours: Fact | None, theirs: Fact | None, selection: Selection | None = None) -> str | None:
    judge = Judge(Compared(), lambda _: None, START, selection or Selection(), etags=True)
    return judge.kind(Pair(entry(ours) if ours else None, entry(theirs) if theirs else None))


def test_what_the_destination_lacks_is_missing() -> None:
    assert kind(Fact(hours=-1), None) == "missing"


def test_what_was_written_to_the_source_since_the_run_began_is_no_failure() -> None:
    assert kind(Fact(hours=0), None) == "during"
    assert kind(Fact(hours=1), Fact(size=2)) == "during"
    assert kind(Fact(hours=-1), Fact(size=2, hours=1)) == "different"


def test_what_the_destination_has_besides_is_told_by_its_own_time() -> None:
    assert kind(None, Fact(hours=-1)) == "extra"
    assert kind(None, Fact(hours=0)) == "extra"
    assert kind(None, Fact(hours=1)) == "during"


def test_nothing_is_extra_where_filters_leave_out_what_it_may_be_a_copy_of() -> None:
    assert kind(None, Fact(hours=-1), Selection(suffix=".csv")) is None


@pytest.mark.parametrize("storage", ["GLACIER", "DEEP_ARCHIVE"])
def test_archived_objects_are_apart_where_the_destination_lacks_them(storage: str) -> None:
    assert kind(Fact(storage=storage), None) == "archived"
    assert kind(Fact(storage=storage, hours=1), None) == "archived"
    assert kind(Fact(storage=storage), Fact(size=2)) == "different"
    assert kind(Fact(storage=storage), None, Selection(archived=False)) == "missing"
    assert kind(Fact(storage="GLACIER_IR"), None) == "missing"


class State:
    """A state bucket that is empty, and takes what a pause leaves behind."""

    def get_object(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")

    def put_object(self, **_: Any) -> None:
        pass


def test_what_a_call_leaves_for_the_next_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_module, "SPLIT_KEYS", 1)
    ours: Side = {(f"{'ü' * 500}{number:05}", ""): Fact(hours=number % 2 - 1) for number in range(600)}
    theirs: Side = {("ü" * 500 + f"{number:05}x", ""): Fact(hours=number % 2 - 1) for number in range(600)}
    source, destination = FactBucket(ours, page=2), FactBucket(theirs, page=2)
    left = verify(
        cast("Any", State()),
        Verification.fresh("state", "runs/r/"),
        cast("Any", source),
        cast("Any", destination),
        source_name="source",
        started_at=START,
        out_of_time=lambda: source.calls > 150,
        workers=64,
    )
    assert left.ranges
    assert len(left.ranges) > 5
    assert set(left.examples) == {"missing", "extra", "during"}
    assert len(left.model_dump_json().encode()) < 64 * 1024
    assert Verification.model_validate_json(left.model_dump_json()) == left

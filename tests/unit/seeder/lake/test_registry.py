from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from seeder.errors import AccessDenied, InvalidRequest, Throttled, Undecided
from seeder.lake.document import FORMAT, MOST_TRANSACTIONS
from seeder.lake.registry import Registry, Snapshot
from tests.unit.seeder.lake.store import Fate, Store, scripted, timeless

GOOD = Fate.GOOD
KEY = "metastore/r.json"
LOST_ANSWERS = [Fate.FAILED, Fate.NO_ANSWER, Fate.REPEATED, Fate.DENIED_AGAIN]
Change = Callable[[dict[str, Any]], dict[str, Any] | None]


@pytest.fixture
def store() -> Store:
    return Store()


def registry(s3: Any, deadline_seconds: float = 60, key: str = KEY) -> Registry:
    retry = timeless(deadline_seconds)
    return Registry(
        s3,
        "state",
        key,
        deadline_seconds=deadline_seconds,
        sleep=retry.sleep,
        clock=retry.clock,
        uniform=retry.uniform,
        new_id=retry.new_id,
    )


def setting(name: str, value: Any = 1) -> Change:
    return lambda body: {**body, name: value}


def one_more(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "n": body.get("n", 0) + 1}


def by_another(store: Store, times: int = 1) -> Callable[[], None]:
    def update() -> None:
        for _ in range(times):
            registry(store).update(one_more)

    return update


def put(store: Store, data: bytes) -> None:
    store.put_object("state", KEY, data, IfNoneMatch="*", Metadata={}, ContentType="")


def test_where_there_is_no_object_the_revision_is_0(store: Store) -> None:
    assert registry(store).read() == Snapshot(0, {}, "")
    assert registry(store).update(lambda body: None) == Snapshot(0, {}, "")
    assert store.history == []


def test_what_is_written_is_read_and_counted(store: Store) -> None:
    first = registry(store).update(setting("ü 🦊", ["%2B", None, 1.5]))
    assert first == Snapshot(1, {"ü 🦊": ["%2B", None, 1.5]}, store.objects[KEY].etag)
    assert registry(store).read() == first
    assert registry(store).update(setting("b")).revision == 2
    assert store.objects[KEY].content_type == "application/json"


def test_a_function_that_returns_none_has_changed_nothing(store: Store) -> None:
    before = registry(store).update(setting("a"))
    assert registry(store).update(lambda body: body.clear()) == before
    assert len(store.history) == 1


def test_an_exception_of_the_function_passes_and_changes_nothing(store: Store) -> None:
    before = registry(store).update(setting("a"))

    def fail(body: dict[str, Any]) -> dict[str, Any]:
        body.clear()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        registry(store).update(fail)
    assert registry(store).read() == before


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), b"", "\ud800"])
def test_a_body_that_json_cannot_hold_changes_nothing(store: Store, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"body: .*; give what JSON can hold"):
        registry(store).update(setting("a", value))
    assert store.history == []


def test_a_body_is_a_dict(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="body: it is a list; give a dict"):
        registry(store).update(lambda body: [])  # type: ignore[arg-type,return-value]  # what it is about


def test_what_is_returned_is_what_others_read_not_what_the_function_holds(store: Store) -> None:
    held: dict[str, Any] = {"a": {1: (2,)}}
    snapshot = registry(store).update(lambda body: held)
    held["a"].clear()
    assert snapshot.body == {"a": {"1": [2]}} == registry(store).read().body


def test_the_function_is_applied_to_what_another_wrote_meanwhile(store: Store) -> None:
    by_another(store)()
    s3 = scripted(store, GOOD, by_another(store), GOOD)
    assert registry(s3).update(one_more).body == {"n": 3}
    assert s3.calls == ["get_object", "put_object"] * 2


def test_two_first_writes_make_one_object_with_both(store: Store) -> None:
    s3 = scripted(store, GOOD, by_another(store), GOOD)
    assert registry(s3).update(setting("a")) == registry(store).read()
    assert registry(store).read().body == {"n": 1, "a": 1}


@pytest.mark.parametrize("fate", LOST_ANSWERS)
@pytest.mark.parametrize("before", [0, 1])
def test_an_update_whose_answer_was_lost_is_not_made_again(store: Store, fate: Fate, before: int) -> None:
    by_another(store, before)()
    assert registry(scripted(store, GOOD, fate)).update(one_more) == registry(store).read()
    assert registry(store).read().body == {"n": before + 1}


@pytest.mark.parametrize("after", [1, MOST_TRANSACTIONS - 1])
def test_an_update_is_found_among_those_that_followed_and_told_as_it_was(store: Store, after: int) -> None:
    s3 = scripted(store, GOOD, Fate.NO_ANSWER, by_another(store, after), GOOD)
    assert registry(s3).update(one_more) == Snapshot(1, {"n": 1}, "")
    assert registry(store).read().body == {"n": after + 1}


def test_an_update_that_so_many_followed_that_no_trace_is_left_is_not_guessed(store: Store) -> None:
    s3 = scripted(store, GOOD, Fate.NO_ANSWER, by_another(store, MOST_TRANSACTIONS), GOOD)
    with pytest.raises(Undecided, match="129 revisions have followed"):
        registry(s3).update(one_more)


def test_an_update_that_is_not_among_those_that_followed_is_made(store: Store) -> None:
    s3 = scripted(store, GOOD, Fate.SLOW_DOWN, by_another(store, MOST_TRANSACTIONS), GOOD)
    assert registry(s3).update(one_more).body == {"n": MOST_TRANSACTIONS + 1}


def test_a_doubt_ends_when_another_is_found_in_the_place_of_the_update(store: Store) -> None:
    s3 = scripted(store, GOOD, Fate.SLOW_DOWN, by_another(store), *[GOOD, Fate.CONFLICT] * 100)
    with pytest.raises(Throttled):
        registry(s3, 5).update(setting("a"))


def test_an_update_that_certainly_lost_is_made_however_many_followed(store: Store) -> None:
    s3 = scripted(store, GOOD, by_another(store, 2 * MOST_TRANSACTIONS), GOOD)
    assert registry(s3).update(one_more).body == {"n": 2 * MOST_TRANSACTIONS + 1}


def test_while_an_update_may_still_arrive_no_other_is_made(store: Store) -> None:
    applied = []

    def change(body: dict[str, Any]) -> dict[str, Any]:
        applied.append(body)
        return {"application": len(applied)}

    s3 = scripted(store, GOOD, Fate.IN_FLIGHT, GOOD, store.land, GOOD)
    assert registry(s3).update(change).body == {"application": 1} == registry(store).read().body
    assert len(applied) == len(store.history) == 1


def test_an_object_put_back_by_hand_is_built_upon(store: Store) -> None:
    by_another(store, 5)()
    old = next(entry for _, entry in store.history if entry)

    def put_back() -> None:
        store.objects[KEY] = old

    assert registry(scripted(store, GOOD, put_back, GOOD)).update(setting("a")).body == {"n": 1, "a": 1}


def test_as_many_transactions_are_kept_as_are_needed_and_one_body(store: Store) -> None:
    by_another(store, MOST_TRANSACTIONS + 9)()
    document = json.loads(store.objects[KEY].body)
    assert set(document) == {"format", "revision", "transactions", "body"}
    assert (len(document["transactions"]), document["revision"]) == (MOST_TRANSACTIONS, MOST_TRANSACTIONS + 9)
    assert len(set(document["transactions"])) == MOST_TRANSACTIONS
    assert document["body"] == {"n": MOST_TRANSACTIONS + 9}


def test_a_newer_format_is_refused_with_what_to_do_and_left_alone(store: Store) -> None:
    put(store, json.dumps({"format": FORMAT + 1, "revision": 1, "anything": {}}).encode())
    refused = r"s3://state/metastore/r\.json has format 2.*upgrade"
    with pytest.raises(InvalidRequest, match=refused):
        registry(store).read()
    with pytest.raises(InvalidRequest, match=refused):
        registry(store).update(one_more)
    assert len(store.history) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"1", b"\xff", b"{", b'{"format": 1}', b'{"format": "1"}', b'{"format": 0}'],
)
def test_what_is_no_registry_is_refused_and_left_alone(store: Store, data: bytes) -> None:
    put(store, data)
    with pytest.raises(InvalidRequest, match=r"registry: .* is not one; restore"):
        registry(store).update(one_more)
    assert store.bodies(KEY) == [data]


def test_a_newer_format_found_after_a_lost_answer_leaves_it_unknown(store: Store) -> None:
    def upgrade() -> None:
        newer = json.dumps({"format": FORMAT + 1}).encode()
        etag = store.objects[KEY].etag
        store.put_object("state", KEY, newer, IfMatch=etag, Metadata={}, ContentType="")

    with pytest.raises(Undecided) as caught:
        registry(scripted(store, GOOD, Fate.NO_ANSWER, upgrade)).update(one_more)
    assert isinstance(caught.value.__cause__, InvalidRequest)


def test_others_until_the_deadline_are_a_throttle_and_no_doubt(store: Store) -> None:
    contest: list[Fate | Callable[[], None]] = [GOOD, by_another(store), GOOD]
    with pytest.raises(Throttled, match="other writers came first"):
        registry(scripted(store, *contest * 100), 5).update(setting("a"))
    assert "a" not in registry(store).read().body


def test_no_answer_until_the_deadline_is_a_doubt(store: Store) -> None:
    with pytest.raises(Undecided):
        registry(scripted(store, *[GOOD, Fate.SLOW_DOWN] * 100), 5).update(one_more)


def test_an_answer_lost_beyond_the_deadline_is_still_looked_for(store: Store) -> None:
    assert registry(scripted(store, GOOD, Fate.NO_ANSWER), 0).update(one_more).revision == 1


def test_a_missing_permission_is_told_at_once(store: Store) -> None:
    for fates in ([Fate.DENIED], [GOOD, Fate.DENIED]):
        s3 = scripted(store, *fates)
        with pytest.raises(AccessDenied):
            registry(s3).update(one_more)
        assert len(s3.calls) == len(fates)


def test_waits_grow_are_drawn_from_zero_and_end_with_the_deadline(store: Store) -> None:
    bounds, waits, now = [], list[float](), [0.0]

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    s3: Any = scripted(store, *[GOOD, Fate.CONFLICT] * 100)
    with pytest.raises(Throttled):
        Registry(
            s3, "b", "k", deadline_seconds=10, sleep=sleep, clock=lambda: now[0], uniform=uniform
        ).update(one_more)
    assert {low for low, _ in bounds} == {0}
    highs = [high for _, high in bounds]
    assert highs[:3] == [0.02, 0.04, 0.08]
    assert max(highs) == 2
    assert sum(waits) == pytest.approx(10)


def test_two_permissions_and_conditional_writes_are_enough(store: Store) -> None:
    s3 = scripted(store)
    registry(s3).update(one_more)
    registry(s3).update(one_more)
    assert set(s3.calls) == {"get_object", "put_object"}


def test_keys_are_taken_as_they_are(store: Store) -> None:
    for key in ("a//b", "/a", "é 🦊+%2B"):
        registry(store, key=key).update(setting("key", key))
        assert registry(store, key=key).read().body == {"key": key}

from __future__ import annotations

from typing import Any

import pytest

from seeder.errors import AccessDenied, AlreadyExists, Gone, InvalidRequest, Lost, Throttled, Undecided
from seeder.lake import objects
from seeder.lake.objects import Written
from seeder.lake.retry import Retry
from tests.keys import TRAPS
from tests.unit.seeder.lake.store import Fate, Store, scripted, timeless

GOOD = Fate.GOOD
LOST_ANSWERS = [Fate.FAILED, Fate.NO_ANSWER, Fate.REPEATED, Fate.DENIED_AGAIN]


@pytest.fixture
def store() -> Store:
    return Store()


def create(s3: Any, body: bytes = b"1", retry: Retry | None = None, **given: Any) -> Written:
    return objects.create(s3, "b", "k", body, retry=retry or timeless(), **given)


def replace(s3: Any, body: bytes, etag: str, retry: Retry | None = None) -> Written:
    return objects.replace(s3, "b", "k", body, etag, retry=retry or timeless())


def delete(s3: Any, etag: str, retry: Retry | None = None) -> None:
    objects.delete(s3, "b", "k", etag, retry=retry or timeless())


def put_by_another(store: Store, body: bytes) -> Any:
    def put() -> None:
        held = store.objects.get("k")
        condition = {"IfMatch": held.etag} if held else {"IfNoneMatch": "*"}
        store.put_object("b", "k", body, Metadata={}, ContentType="", **condition)

    return put


@pytest.mark.parametrize("key", TRAPS)
def test_an_object_is_read_as_it_was_created(store: Store, key: str) -> None:
    s3: Any = store
    written = objects.create(
        s3, "b", key, b"\0\xff", content_type="text/csv", metadata={"a": "b"}, retry=timeless()
    )
    assert written.is_new
    read = objects.read(s3, "b", key, retry=timeless())
    assert read is not None
    assert (read.body, read.etag, read.version_id) == (b"\0\xff", written.etag, written.version_id)
    assert (read.content_type, read.metadata) == ("text/csv", {"a": "b"})


def test_nothing_is_read_where_nothing_stands(store: Store) -> None:
    assert objects.read(scripted(store, Fate.SLOW_DOWN, GOOD), "b", "k", retry=timeless()) is None  # type: ignore[arg-type]  # no client


def test_the_same_bytes_again_are_no_new_object(store: Store) -> None:
    first, again = create(store), create(store, content_type="text/plain")
    assert (first.is_new, again.is_new) == (True, False)
    assert again.etag == first.etag
    assert store.objects["k"].content_type == objects.BINARY


@pytest.mark.parametrize("body", [b"2", b"22", b""])
def test_other_bytes_are_refused_and_left_alone(store: Store, body: bytes) -> None:
    create(store)
    with pytest.raises(AlreadyExists, match="s3://b/k stands there already"):
        create(store, body)
    assert store.bodies("k") == [b"1"]


@pytest.mark.parametrize("fate", LOST_ANSWERS)
def test_a_creation_whose_answer_was_lost_knows_its_own(store: Store, fate: Fate) -> None:
    assert create(scripted(store, fate)).is_new
    assert store.bodies("k") == [b"1"]


@pytest.mark.parametrize("fate", [Fate.CONFLICT, Fate.SLOW_DOWN, Fate.IN_FLIGHT])
def test_a_creation_that_was_not_made_is_made(store: Store, fate: Fate) -> None:
    assert create(scripted(store, fate)).is_new


def test_a_creation_that_arrives_late_is_no_others(store: Store) -> None:
    s3 = scripted(store, Fate.IN_FLIGHT, GOOD, store.land, GOOD)
    assert create(s3).is_new
    assert store.bodies("k") == [b"1"]


def test_an_object_deleted_before_it_is_compared_is_created(store: Store) -> None:
    create(store, b"2")
    gone = lambda: store.delete_object("b", "k", store.objects["k"].etag)  # noqa: E731 - one step of a script
    assert create(scripted(store, GOOD, GOOD, gone, GOOD)).is_new
    assert store.bodies("k") == [b"2", None, b"1"]


def test_an_object_is_replaced_as_it_was_read(store: Store) -> None:
    written = replace(store, b"2", create(store).etag)
    assert (store.bodies("k"), written.etag) == ([b"1", b"2"], store.objects["k"].etag)


def test_another_write_that_came_first_is_told_without_looking(store: Store) -> None:
    etag = create(store).etag
    put_by_another(store, b"2")()
    s3 = scripted(store)
    with pytest.raises(Lost, match="read it again"):
        replace(s3, b"3", etag)
    with pytest.raises(Lost):
        delete(s3, etag)
    assert s3.calls == ["put_object", "delete_object"]
    assert store.bodies("k") == [b"1", b"2"]


def test_an_object_that_is_gone_is_told_as_such(store: Store) -> None:
    etag = create(store).etag
    delete(store, etag)
    with pytest.raises(Gone):
        replace(store, b"3", etag)
    with pytest.raises(Gone):
        delete(store, etag)
    assert "k" not in store.objects


@pytest.mark.parametrize("fate", LOST_ANSWERS)
def test_a_replacement_whose_answer_was_lost_knows_its_own(store: Store, fate: Fate) -> None:
    etag = create(store).etag
    assert replace(scripted(store, fate), b"2", etag).etag == store.objects["k"].etag
    assert store.bodies("k") == [b"1", b"2"]


@pytest.mark.parametrize("fate", LOST_ANSWERS)
def test_whether_a_replacement_stood_before_anothers_is_not_guessed(store: Store, fate: Fate) -> None:
    etag = create(store).etag
    with pytest.raises(Undecided, match="read it to know"):
        replace(scripted(store, fate, put_by_another(store, b"3"), GOOD), b"2", etag)


def test_a_doubt_outlasts_later_answers_that_are_clear(store: Store) -> None:
    etag = create(store).etag
    s3 = scripted(store, Fate.IN_FLIGHT, GOOD, store.land, put_by_another(store, b"3"), GOOD)
    with pytest.raises(Undecided):
        replace(s3, b"2", etag)
    assert store.bodies("k") == [b"1", b"2", b"3"]


def test_the_same_bytes_of_another_are_not_taken_for_ones_own(store: Store) -> None:
    etag = create(store).etag
    with pytest.raises(Lost):
        replace(scripted(store, Fate.CONFLICT, put_by_another(store, b"2"), GOOD), b"2", etag)


def test_after_a_conflict_the_object_is_looked_at_before_it_is_tried_again(store: Store) -> None:
    etag = create(store).etag
    s3 = scripted(store, Fate.CONFLICT)
    replace(s3, b"2", etag)
    assert s3.calls == ["put_object", "head_object", "put_object"]


@pytest.mark.parametrize("fate", LOST_ANSWERS)
def test_a_deletion_whose_answer_was_lost_is_one(store: Store, fate: Fate) -> None:
    etag = create(store).etag
    delete(scripted(store, fate), etag)
    assert "k" not in store.objects


def test_a_deletion_that_lost_against_another_after_a_conflict_is_told(store: Store) -> None:
    etag = create(store).etag
    gone = lambda: store.delete_object("b", "k", etag)  # noqa: E731 - one step of a script
    with pytest.raises(Gone):
        delete(scripted(store, Fate.CONFLICT, gone, GOOD), etag)


def test_a_missing_permission_is_told_at_once(store: Store) -> None:
    s3 = scripted(store, Fate.DENIED)
    with pytest.raises(AccessDenied):
        create(s3)
    assert s3.calls == ["put_object"]


@pytest.mark.parametrize("fates", [(Fate.NO_ANSWER, Fate.DENIED), (Fate.IN_FLIGHT, GOOD, Fate.DENIED)])
def test_a_permission_that_ends_after_a_lost_answer_leaves_it_unknown(store: Store, fates: Any) -> None:
    with pytest.raises(Undecided) as caught:
        create(scripted(store, *fates))
    assert isinstance(caught.value.__cause__, AccessDenied)


def test_conflicts_until_the_deadline_are_a_throttle_and_no_doubt(store: Store) -> None:
    with pytest.raises(Throttled, match="ConditionalRequestConflict"):
        create(scripted(store, *[Fate.CONFLICT, GOOD] * 100), retry=timeless(5))
    assert store.history == []


def test_without_doubt_nothing_is_tried_after_the_deadline(store: Store) -> None:
    s3 = scripted(store, Fate.CONFLICT)
    with pytest.raises(Throttled):
        create(s3, retry=timeless(0))
    assert s3.calls == ["put_object", "head_object"]


def test_no_answer_until_the_deadline_is_a_doubt(store: Store) -> None:
    with pytest.raises(Undecided):
        create(scripted(store, *[Fate.SLOW_DOWN] * 100), retry=timeless(5))


def test_an_answer_lost_beyond_the_deadline_is_still_looked_for(store: Store) -> None:
    assert create(scripted(store, Fate.NO_ANSWER), retry=timeless(0)).is_new


@pytest.mark.parametrize("etag", ["", "*"])
def test_what_names_no_object_is_refused(store: Store, etag: str) -> None:
    create(store)
    with pytest.raises(InvalidRequest, match=r"etag: .* give the ETag that was read"):
        replace(store, b"2", etag)
    with pytest.raises(InvalidRequest, match="etag"):
        delete(store, etag)


def test_the_name_of_the_transaction_is_taken(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="metadata: 'seeder-transaction'"):
        create(store, metadata={"Seeder-Transaction": "mine"})

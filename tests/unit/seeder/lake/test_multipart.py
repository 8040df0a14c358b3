from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.errors import (
    AccessDenied,
    AlreadyExists,
    Gone,
    InvalidRequest,
    Lost,
    ServiceUnavailable,
    Throttled,
    Undecided,
)
from seeder.lake import multipart, objects
from tests.unit.seeder.lake.store import DEATHS, Client, Died, Fate, Store, scripted, timeless
from tests.unit.seeder.lake.turns import LIVING

BODY = b"0123456789"


def create(s3: Any, body: bytes = BODY, part_bytes: int = 4, **given: Any) -> objects.Written:
    return multipart.create(s3, "b", "k", io.BytesIO(body), part_bytes=part_bytes, retry=timeless(), **given)


def replace(s3: Any, etag: str, body: bytes = BODY) -> objects.Written:
    return multipart.replace(s3, "b", "k", io.BytesIO(body), etag, part_bytes=4, retry=timeless())


def at_completion(*fates: Fate) -> Callable[[str], Fate]:
    left = iter(fates)
    return lambda name: next(left, Fate.GOOD) if name == "complete_multipart_upload" else Fate.GOOD


@pytest.mark.parametrize("body", [b"", b"1", b"1234", b"12345", BODY])
def test_what_is_streamed_in_parts_stands_as_it_was(body: bytes) -> None:
    store, told = Store(), list[int]()
    assert create(store, body, metadata={"a": "b"}, content_type="text/csv", tell=told.append).is_new
    assert (store.objects["k"].body, store.objects["k"].content_type) == (body, "text/csv")
    assert store.objects["k"].metadata["a"] == "b"
    assert (told[-1], told) == (len(body), sorted(told))


def test_what_would_need_too_many_parts_has_larger_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "MOST_PARTS", 3)
    store = Store()
    client = scripted(store)
    create(client, part_bytes=1)
    assert client.calls.count("upload_part") == 3


def test_the_same_bytes_are_left_and_others_refused_without_an_upload() -> None:
    store = Store()
    first = create(store)
    client = scripted(store)
    assert create(client) == first._replace(is_new=False)
    for other in (b"other", b"012345678x"):
        with pytest.raises(AlreadyExists):
            create(client, other)
    assert "create_multipart_upload" not in client.calls


def test_a_conflict_restarts_the_whole_upload() -> None:
    client = Client(Store(), at_completion(Fate.CONFLICT, Fate.CONFLICT))
    assert create(client).is_new
    assert client.calls.count("create_multipart_upload") == 3
    assert client.calls.count("upload_part") == 9


@pytest.mark.parametrize("fate", [Fate.FAILED, Fate.NO_ANSWER, Fate.REPEATED])
def test_a_completion_whose_answer_was_lost_is_known_as_its_own(fate: Fate) -> None:
    store = Store()
    client = Client(store, at_completion(fate))
    assert create(client).is_new
    assert client.calls.count("create_multipart_upload") == 1
    assert len(store.history) == 1


def test_a_completion_under_way_can_not_land_after_its_upload_was_aborted() -> None:
    store = Store()
    create(Client(store, at_completion(Fate.IN_FLIGHT)))
    store.land()
    assert store.bodies("k") == [BODY]


@pytest.mark.parametrize(("fate", "error"), [(Fate.DENIED, AccessDenied), (Fate.DIES_BEFORE, Died)])
def test_an_upload_that_fails_is_aborted(fate: Fate, error: type[Exception]) -> None:
    store = Store()
    with pytest.raises(error):
        create(Client(store, lambda name: fate if name == "upload_part" else Fate.GOOD))
    assert (store.uploads, store.objects) == ({}, {})


def test_a_source_that_grows_meanwhile_is_refused() -> None:
    class Growing(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            end = super().seek(0, 2)
            if whence == 0:
                self.write(b"more")
            return super().seek(offset) if whence == 0 else end

    store = Store()
    with pytest.raises(InvalidRequest, match="source"):
        multipart.create(store, "b", "k", Growing(BODY), part_bytes=4, retry=timeless())  # type: ignore[arg-type]  # a store is no client
    assert (store.uploads, store.objects) == ({}, {})


def test_a_replacement_needs_what_was_read() -> None:
    store = Store()
    first = create(store)
    second = replace(store, first.etag, b"second one")
    client = scripted(store)
    with pytest.raises(Lost):
        replace(client, first.etag)
    assert "create_multipart_upload" not in client.calls
    objects.delete(store, "b", "k", second.etag)  # type: ignore[arg-type]  # a store is no client
    with pytest.raises(Gone):
        replace(store, second.etag)
    with pytest.raises(InvalidRequest, match="etag"):
        replace(store, "*")


def test_a_replacement_that_another_overtakes_is_lost() -> None:
    store = Store()
    first = create(store)

    def overtaken(name: str) -> Fate:
        if name == "complete_multipart_upload":
            objects.replace(store, "b", "k", b"other", first.etag)  # type: ignore[arg-type]  # as above
        return Fate.GOOD

    with pytest.raises(Lost):
        replace(Client(store, overtaken), first.etag)
    assert (store.objects["k"].body, store.uploads) == (b"other", {})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*LIVING, *DEATHS]), max_size=25), st.booleans())
def test_an_upload_repeated_after_any_death_or_fault_leaves_one_object(
    fates: list[Fate], is_replacing: bool
) -> None:
    store = Store()
    before = create(store, b"before").etag if is_replacing else ""
    client = scripted(store, *fates)
    while True:
        try:
            replace(client, before) if is_replacing else create(client)
        except (Died, Undecided):
            continue
        except Lost:
            assert is_replacing
        except (Throttled, ServiceUnavailable):
            continue
        break
    while store.in_flight:
        store.land()
    assert store.bodies("k") == ([b"before", BODY] if is_replacing else [BODY])

"""What must hold of shared objects and registries on any S3."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seeder.errors import AlreadyExists, Conflict, Gone, Lost
from seeder.lake import objects
from seeder.lake.objects import Written
from seeder.lake.registry import Registry, Snapshot

WRITERS = 16
UPDATES = 15


def no_update_of_many_threads_is_lost_or_doubled(s3: Any, bucket: str, key: str) -> None:
    def write(number: int) -> list[Snapshot]:
        registry = Registry(s3, bucket, key)
        return [registry.update(adding(f"{number}-{turn}")) for turn in range(UPDATES)]

    def adding(name: str) -> Any:
        return lambda body: {"n": body.get("n", 0) + 1, "names": [*body.get("names", []), name]}

    with ThreadPoolExecutor(WRITERS) as pool:
        told = [snapshot for each in pool.map(write, range(WRITERS)) for snapshot in each]
    last = Registry(s3, bucket, key).read()
    names = last.body["names"]
    assert Counter(names) == Counter(f"{n}-{turn}" for n in range(WRITERS) for turn in range(UPDATES))
    assert last.revision == last.body["n"] == WRITERS * UPDATES
    assert sorted(one.revision for one in told) == list(range(1, last.revision + 1))
    assert all(one.body == {"n": one.revision, "names": names[: one.revision]} for one in told)


def one_of_many_threads_creates_an_object(s3: Any, bucket: str, key: str, writers: int = WRITERS) -> None:
    start = threading.Barrier(writers)

    def create(number: int) -> Written | AlreadyExists:
        start.wait(30)
        try:
            return objects.create(s3, bucket, key, b"%02d" % (number % (writers // 2)))
        except AlreadyExists as error:
            return error

    with ThreadPoolExecutor(writers) as pool:
        told = list(pool.map(create, range(writers)))
    stands = objects.read(s3, bucket, key)
    assert stands is not None
    written = {number: one for number, one in enumerate(told) if isinstance(one, Written)}
    assert [one.is_new for one in written.values()].count(True) == 1
    assert {number % (writers // 2) for number in written} == {int(stands.body)}
    assert (len(written), {one.etag for one in written.values()}) == (2, {stands.etag})


def outcomes_are_kept_apart(s3: Any, bucket: str, key: str, when_gone: type[Conflict] = Gone) -> None:
    """`when_gone`: what a server says, against S3's documentation, of a condition on an object that is not there."""
    first = objects.create(s3, bucket, key, b"1", content_type="text/csv", metadata={"a": "b"})
    held = objects.read(s3, bucket, key)
    assert held is not None
    assert (held.body, held.etag, held.version_id) == (b"1", first.etag, first.version_id)
    assert (held.content_type, held.metadata) == ("text/csv", {"a": "b"})
    assert not objects.create(s3, bucket, key, b"1").is_new
    with pytest.raises(AlreadyExists):
        objects.create(s3, bucket, key, b"2")
    second = objects.replace(s3, bucket, key, b"2", first.etag)
    with pytest.raises(Lost):
        objects.replace(s3, bucket, key, b"3", first.etag)
    with pytest.raises(Lost):
        objects.delete(s3, bucket, key, first.etag)
    objects.delete(s3, bucket, key, second.etag)
    assert objects.read(s3, bucket, key) is None
    with pytest.raises(when_gone):
        objects.replace(s3, bucket, key, b"3", second.etag)
    assert objects.create(s3, bucket, key, b"3").is_new


def a_deleted_registry_begins_anew(s3: Any, bucket: str, key: str) -> None:
    registry = Registry(s3, bucket, key)
    before = registry.update(lambda body: {"a": 1})
    objects.delete(s3, bucket, key, before.etag)
    assert registry.read() == Snapshot(0, {}, "")
    after = registry.update(lambda body: {**body, "b": 2})
    assert (after.revision, after.body) == (1, {"b": 2})
    assert registry.read() == after

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from seeder import telling
from tests.unit.seeder_cli.test_pace import Clock


class Bucket:
    """Keeps objects; fails where it is told to."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts = 0
        self.fails = False

    def put_object(self, Bucket: str, Key: str, Body: bytes, Tagging: str) -> None:  # noqa: N803
        assert Tagging == "seeder=temporary"
        self.puts += 1
        self._check()
        self.objects[Key] = Body

    def get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        self._check()
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        body = self.objects[Key]
        return {"Body": type("Body", (), {"read": lambda self: body})()}

    def _check(self) -> None:
        if self.fails:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")


@pytest.fixture
def bucket() -> Any:
    return Bucket()


def told(bucket: Any, clock: Clock, listed: Callable[[], int], is_late: bool = False) -> Callable[[], bool]:
    key = telling.address("my-run", "PaginateKeys")
    return telling.telling(bucket, "state", key, listed, lambda: is_late, clock)


def test_how_far_a_walk_is_is_told_every_ten_seconds(bucket: Any) -> None:
    clock = Clock()
    asked = told(bucket, clock, lambda: int(clock.now) * 1000)
    for _ in range(35):
        assert asked() is False
        clock.now += 1
    assert bucket.puts == 3
    note = telling.read(bucket, "state", "my-run", "PaginateKeys")
    assert note is not None
    assert note.keys == 1_030_000


def test_a_short_walk_tells_nothing(bucket: Any) -> None:
    clock = Clock()
    asked = told(bucket, clock, lambda: 1)
    clock.now += 9
    asked()
    assert bucket.puts == 0
    assert telling.read(bucket, "state", "my-run", "PaginateKeys") is None


@pytest.mark.parametrize("is_late", [True, False])
def test_the_walk_is_told_of_its_time_whether_or_not_a_note_can_be_written(
    bucket: Any, is_late: bool
) -> None:
    clock = Clock()
    asked = told(bucket, clock, lambda: 1, is_late)
    bucket.fails = True
    clock.now += 11
    assert asked() is is_late
    assert bucket.puts == 1


def test_a_note_that_may_not_be_read_is_none(bucket: Any) -> None:
    bucket.fails = True
    assert telling.read(bucket, "state", "my-run", "VerifyReplica") is None


def test_a_note_that_is_none_of_this_library_is_none(bucket: Any) -> None:
    bucket.objects[telling.address("my-run", "VerifyReplica")] = b"{"
    assert telling.read(bucket, "state", "my-run", "VerifyReplica") is None

"""What the end of a run makes of its copies in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from seeder.large.ending import Abandoned, abandon
from tests.large_objects import (
    RUN,
    SIZES,
    Deaths,
    Died,
    Watched,
    copier,
    note,
    refusing,
    upload,
    uploads,
)


class OneClient:
    """The clients of a process that has only one."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def s3(self, region: str) -> Any:
        assert region == "us-east-1"
        return self._s3


def abandon_all(s3: Any, **other: Any) -> Abandoned:
    return abandon(s3, "state", cast("Any", OneClient(s3)), RUN, **other)


def test_the_end_of_a_run_aborts_what_is_unfinished_and_nothing_else(s3: Any) -> None:
    done, half, dead = (upload(s3, key, SIZES) for key in ("done", "half", "dead"))
    other = s3.create_multipart_upload(Bucket="destination", Key="half")["UploadId"]
    copier(s3).copy(done)
    copier(s3, remaining=lambda: 0).copy(half)
    with pytest.raises(Died):
        copier(Deaths(9, after=False).of(s3)).copy(dead)
    assert len(uploads(s3)) == 3
    assert abandon_all(s3) == (2, [])
    assert abandon_all(s3) == (0, [])
    assert uploads(s3) == [other]
    assert (note(s3, done).state, note(s3, half).state, note(s3, half).reason) == (
        "done",
        "failed",
        "the run ended",
    )


def test_an_upload_whose_id_was_lost_is_aborted_by_who_began_it(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    with pytest.raises(Died):
        copier(Deaths(2, after=True).of(s3)).copy(item)
    assert abandon_all(s3) == (0, [])
    assert abandon_all(s3, copier=":assumed-role/another/") == (0, [])
    assert len(uploads(s3)) == 1
    assert abandon_all(s3, copier=":user/user1-") == (1, [])
    assert uploads(s3) == []


def test_what_can_not_be_aborted_is_told_and_left_for_the_next_time(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    copier(s3, remaining=lambda: 0).copy(item)
    denied = cast("Any", OneClient(refusing(s3, "abort_multipart_upload", "AccessDenied", 403)))
    aborted, problems = abandon(s3, "state", denied, RUN)
    assert (aborted, len(problems)) == (0, 1)
    assert problems[0].startswith("s3://destination/key: AccessDenied: ")
    assert abandon_all(s3) == (1, [])


def test_parts_that_arrive_after_an_abort_are_aborted_too(s3: Any) -> None:
    item, counts = upload(s3, "key", SIZES), dict[str, int]()
    copier(s3, remaining=lambda: 0).copy(item)

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        counts[name] = counts.get(name, 0) + 1
        if name == "abort_multipart_upload" and counts[name] < 3:
            return {}
        return original(**given)

    assert abandon(s3, "state", cast("Any", OneClient(Watched(s3, call))), RUN) == (1, [])
    assert uploads(s3) == []


def test_a_call_still_copying_when_the_run_ends_comes_to_an_end(s3: Any) -> None:
    item = upload(s3, "key", SIZES)

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        if name == "upload_part_copy" and given["PartNumber"] == 3:
            abandon_all(s3)
        return original(**given)

    outcome = copier(Watched(s3, call), streams=1).copy(item)
    assert (outcome.code, outcome.text.split(":")[0]) == ("TemporaryFailure", "NoSuchUpload")
    assert (uploads(s3), note(s3, item).reason) == ([], "the run ended")

"""Large objects copied on a real S3 server, in real parts of 5 MiB."""

from __future__ import annotations

from typing import Any

import pytest

from seeder.large.copier import Copier
from seeder.large.ending import abandon
from seeder.large.notes import Item, Notes
from seeder.large.opening import Destination, Work
from seeder.large.plan import MIB, Bounds
from tests import large_scenarios
from tests.large_objects import RUN, Deaths, Died, copier, upload, uploads
from tests.servers import Server

BOUNDS = Bounds(usual=5 * MIB)
SIZES = [6 * MIB, 5 * MIB, 1000]


@pytest.fixture(scope="module")
def s3(real: Server) -> Any:
    return real.buckets("source", "destination", "state")


def same(s3: Any, key: str) -> bool:
    there, here = (
        s3.get_object(Bucket=bucket, Key=key)["Body"].read() for bucket in ("source", "destination")
    )
    return bool(here == there)


@pytest.mark.parametrize("key", ["a b/c+d.txt", "a%2Bb/100%.bin", 'comma, "quote"', "ünï/🦊"])
def test_an_object_is_copied_with_its_parts_and_metadata(s3: Any, key: str) -> None:
    item = upload(s3, key, SIZES, Metadata={"a": "b"}, CacheControl="no-cache", Tagging="t=1")
    assert copier(s3, bounds=BOUNDS).copy(item).text == f"copied {sum(SIZES)} bytes in 3 parts"
    assert same(s3, key)
    head = s3.head_object(Bucket="destination", Key=key, PartNumber=1)
    assert (head["Metadata"], head["CacheControl"], head["PartsCount"]) == ({"a": "b"}, "no-cache", 3)
    assert head["ContentLength"] == SIZES[0]
    assert s3.get_object_tagging(Bucket="destination", Key=key)["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert copier(s3, bounds=BOUNDS).copy(item).text.startswith("copied before")
    assert uploads(s3) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 10))
def test_a_death_at_any_write_leaves_an_equal_object_and_no_upload(s3: Any, at: int, after: bool) -> None:
    key = f"death-{at}-{after}"
    item = upload(s3, key, SIZES)
    with pytest.raises(Died):
        copier(Deaths(at, after).of(s3), bounds=BOUNDS, streams=1).copy(item)
    assert copier(s3, bounds=BOUNDS).copy(item).code == "Succeeded"
    assert same(s3, key)
    assert uploads(s3) == []


def test_an_object_of_one_piece_is_continued_and_then_abandoned(s3: Any) -> None:
    s3.put_object(Bucket="source", Key="piece", Body=bytes(range(256)) * 4 * 11 * 1024)
    left = iter([900.0, 900.0] + [0.0] * 20)
    work = Work(
        s3,
        Destination(s3, "destination", "us-east-1"),
        Notes(s3, "state", RUN),
        lambda: next(left),
        BOUNDS,
        streams=1,
    )
    assert Copier(work).copy(Item("source", "piece")).text.startswith("OutOfTime: ")
    assert len(uploads(s3)) == 1

    class OneClient:
        def s3(self, region: str) -> Any:
            return s3

    clients: Any = OneClient()
    assert abandon(s3, "state", clients, RUN) == (1, [])
    assert uploads(s3) == []
    assert copier(s3, bounds=BOUNDS).copy(Item("source", "piece")).text == "copied 11534336 bytes in 3 parts"
    assert same(s3, "piece")


def test_a_source_written_between_two_calls_is_copied_anew(s3: Any) -> None:
    item = upload(s3, "changed", SIZES)
    copier(s3, bounds=BOUNDS, remaining=lambda: 0).copy(item)
    upload(s3, "changed", [5 * MIB, 2000], salt=9)
    assert copier(s3, bounds=BOUNDS).copy(item).code == "Succeeded"
    assert same(s3, "changed")
    assert uploads(s3) == []


def test_uploads_of_others_to_the_key_are_left_alone(s3: Any) -> None:
    large_scenarios.uploads_of_others_to_the_key_are_left_alone(s3, "others", SIZES, bounds=BOUNDS)


@pytest.mark.parametrize("created", [False, True])
def test_two_calls_at_once_make_one_object(s3: Any, created: bool) -> None:
    large_scenarios.two_calls_at_once_make_one_object(s3, f"twice-{created}", SIZES, created, bounds=BOUNDS)


def test_a_source_deleted_in_the_middle_leaves_no_upload(s3: Any) -> None:
    large_scenarios.a_source_deleted_in_the_middle_leaves_no_upload(s3, "deleted", SIZES, bounds=BOUNDS)

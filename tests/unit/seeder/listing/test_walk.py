from __future__ import annotations

import random
from collections import Counter
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from seeder.errors import Throttled
from seeder.listing import walk as walk_module
from seeder.listing.page import Page
from seeder.listing.ranges import Range
from seeder.listing.walk import Unordered, Walk
from tests.listed import ListedBucket


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ranges be split however few keys are left."""
    monkeypatch.setattr(walk_module, "SPLIT_KEYS", 1)


def listed(
    bucket: ListedBucket,
    workers: int = 4,
    ranges: list[Range] | None = None,
    out_of_time: Any = lambda: False,
    prefix: str = "",
) -> tuple[Counter[tuple[str, str]], list[Range]]:
    found: Counter[tuple[str, str]] = Counter()

    def accept(page: Page, stop: int) -> None:
        versions = [version.decode() for version in page.versions] or [""] * len(page.keys)
        found.update(zip(page.decoded[:stop], versions, strict=False))

    left = Walk(cast("Any", bucket), accept, ranges, prefix, workers, out_of_time, sleep=lambda _: None).run()
    return found, left


def test_a_boundary_that_is_a_key_belongs_to_the_left() -> None:
    bucket = ListedBucket(["a", "b", "c"])
    found, _ = listed(bucket, ranges=[Range("", "b"), Range("b", "")])
    assert found == Counter({("a", ""): 1, ("b", ""): 1, ("c", ""): 1})


def test_an_empty_range_is_done_by_one_call() -> None:
    bucket = ListedBucket(["a", "z"])
    found, left = listed(bucket, ranges=[Range("m", "n")])
    assert (found, left, bucket.calls) == (Counter(), [], 1)


def test_a_prefix_limits_the_walk() -> None:
    found, _ = listed(ListedBucket(["a", "p/1", "p/2", "q"], page=1), prefix="p/")
    assert sorted(key for key, _ in found) == ["p/1", "p/2"]


def test_a_small_bucket_takes_no_more_calls_than_it_has_pages() -> None:
    bucket = ListedBucket([f"{number:03}" for number in range(10)])
    listed(bucket, workers=16)
    assert bucket.calls == 1


def test_few_calls_are_wasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    bucket = ListedBucket([f"logs/{n // 30000}/part-{n:08}" for n in range(100_000)], page=200)
    listed(bucket, workers=8)
    assert bucket.calls <= 1.25 * 100_000 / 200


def slow_down(number: int) -> None:
    if number % 3:
        answer: Any = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
        raise ClientError(answer, "ListObjectsV2")


def test_slow_downs_are_waited_out() -> None:
    space = [f"{number:03}" for number in range(50)]
    found, _ = listed(ListedBucket(space, page=3, fault=slow_down))
    assert sorted(key for key, _ in found) == space


def test_slow_downs_without_end_end_the_walk() -> None:
    def always(number: int) -> None:
        slow_down(1)

    with pytest.raises(Throttled):
        listed(ListedBucket(["a"], fault=always))


def test_an_error_of_one_worker_ends_the_walk() -> None:
    def fail(number: int) -> None:
        if number == 5:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        listed(ListedBucket([f"{number:03}" for number in range(100)], page=3, fault=fail))


def test_another_order_than_that_of_utf_8_is_noticed() -> None:
    def folders_first(key: str) -> Any:
        return [part.encode() for part in key.split("/")]

    space = ["B.x", "B/1", "B/2", "C"]
    with pytest.raises(Unordered):
        listed(ListedBucket(space, is_aws=False, order=folders_first))


def test_workers_share_the_work() -> None:
    random.seed(1)
    space = [f"{random.getrandbits(64):016x}" for _ in range(20_000)]
    bucket = ListedBucket(space, page=100)
    found, _ = listed(bucket, workers=8)
    assert len(found) == len(space)

"""The manifests' sink against S3: continued, repeated and died at every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import unquote

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder import manifest, sink
from seeder.listing.selection import LARGEST_COPY
from seeder.manifest import Progress
from tests.dying import Died, Dying
from tests.keys import TRAPS
from tests.listed import ListedBucket

KEYS = [f"{number:05}" + "x" * 900 for number in range(3000)]


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        client = cloud.client("s3")
        client.create_bucket(Bucket="state")
        yield client


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts as small as moto takes them are still large for a test; let it take smaller ones."""
    monkeypatch.setattr(sink, "SMALLEST_PART_BYTES", 300_000)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1, raising=False)
    monkeypatch.setenv("S3_UPLOAD_PART_MIN_SIZE", "1")


def fresh(name: str) -> Progress:
    return Progress.fresh("state", f"runs/{name}/", "copy")


def calls_of(s3: Any, progress: Progress, bucket: ListedBucket, budget: int = 7) -> Progress:
    """Call again and again, each time with time for a few pages."""
    for _ in range(200):
        until = bucket.calls + budget
        out = cast("Callable[[], bool]", lambda until=until: bucket.calls >= until)
        progress = manifest.write(s3, progress, cast("Any", bucket), "source", workers=3, out_of_time=out)
        if progress.done:
            return progress
    raise AssertionError("not done after 200 calls")


def keys_of(s3: Any, upload: sink.Upload) -> Counter[str]:
    body = s3.get_object(Bucket=upload.bucket, Key=upload.key)["Body"].read().decode("ascii")
    return Counter(unquote(row.split(",")[1]) for row in body.splitlines())


def test_a_manifest_written_in_many_calls_holds_every_key_once(s3: Any) -> None:
    done = calls_of(s3, fresh("many"), ListedBucket(KEYS, page=100))
    assert keys_of(s3, done.copy_file) == Counter(KEYS)
    assert (done.count, done.copy_file.count) == (len(KEYS), len(KEYS))
    assert done.copy_file.parts > 3
    assert done.copy_file.etag == s3.head_object(Bucket="state", Key=done.copy_file.key)["ETag"]


def test_what_a_call_leaves_for_the_next_is_small(s3: Any) -> None:
    bucket = ListedBucket(["ü" * 500 + f"{number:05}" for number in range(3000)], page=10)
    progress = manifest.write(
        s3, fresh("small"), cast("Any", bucket), "source", workers=64, out_of_time=lambda: bucket.calls > 150
    )
    assert not progress.done
    assert len(progress.model_dump_json()) < 64 * 1024


def test_an_old_progress_given_again_changes_nothing(s3: Any) -> None:
    bucket = ListedBucket(KEYS, page=100)
    start = fresh("again")
    first = manifest.write(s3, start, cast("Any", bucket), "source", out_of_time=lambda: bucket.calls > 5)
    done = calls_of(s3, first, bucket)
    for stale in (start, first, done):
        again = manifest.write(s3, stale, cast("Any", ListedBucket([])), "source")
        assert again.copy_file == done.copy_file
    assert keys_of(s3, done.copy_file) == Counter(KEYS)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 14))
def test_a_death_at_any_write_loses_and_doubles_no_key(s3: Any, at: int, after: bool) -> None:
    """The caller repeats the call that died with the progress it had before, as Step Functions does."""
    keys, dying = KEYS[:900], Dying(s3, at, after)
    bucket, progress = ListedBucket(keys, page=50), fresh(f"death-{at}-{after}")
    for _ in range(100):
        until = bucket.calls + 6
        out = cast("Callable[[], bool]", lambda until=until: bucket.calls >= until)
        try:
            progress = manifest.write(
                cast("Any", dying), progress, cast("Any", bucket), "source", workers=2, out_of_time=out
            )
        except Died:
            continue
        if progress.done:
            break
    assert keys_of(s3, progress.copy_file) == Counter(keys)
    assert progress.count == len(keys)


def test_large_and_archived_objects_go_to_manifests_of_their_own(s3: Any) -> None:
    sizes = {"large": LARGEST_COPY + 1, "largest that fits": LARGEST_COPY}
    bucket = ListedBucket([*sizes, "small"], sizes=sizes)
    done = manifest.write(s3, fresh("large"), cast("Any", bucket), "source")
    assert keys_of(s3, done.copy_file) == Counter(["largest that fits", "small"])
    assert keys_of(s3, done.large_file) == Counter(["large"])
    assert (done.count, done.large_file.count, done.archived_file.count) == (2, 1, 0)


def test_traps_come_out_as_they_went_in(s3: Any) -> None:
    done = manifest.write(s3, fresh("traps"), cast("Any", ListedBucket(TRAPS, page=5)), "source")
    assert keys_of(s3, done.copy_file) == Counter(TRAPS)
    assert b"+" not in s3.get_object(Bucket="state", Key=done.copy_file.key)["Body"].read()


def test_an_empty_source_creates_nothing(s3: Any) -> None:
    done = manifest.write(s3, fresh("empty"), cast("Any", ListedBucket([])), "source")
    assert (done.done, done.count) == (True, 0)
    assert "Contents" not in s3.list_objects_v2(Bucket="state", Prefix="runs/empty/")


def test_an_abandoned_manifest_leaves_no_upload_and_can_be_abandoned_again(s3: Any) -> None:
    bucket = ListedBucket(KEYS, page=100)
    progress = manifest.write(
        s3, fresh("abandoned"), cast("Any", bucket), "source", out_of_time=lambda: bucket.calls > 10
    )
    assert progress.copy_file.upload_id
    for _ in range(2):
        manifest.abandon(s3, progress)
    uploads = s3.list_multipart_uploads(Bucket="state").get("Uploads", [])
    assert progress.copy_file.upload_id not in [upload["UploadId"] for upload in uploads]


def test_ten_thousand_parts_hold_terabytes() -> None:
    assert sum(map(sink.part_bytes, range(1, sink.MOST_PARTS + 1))) > 10**10
    assert sink.part_bytes(1) == sink.part_bytes(1250) == sink.part_bytes(1251) // 2

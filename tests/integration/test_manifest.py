"""The manifest's sink against S3: continued, repeated and died at every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder import manifest
from seeder.listing.pages import Listed
from seeder.manifest import Progress

PAGES = [
    [Listed(f"{page:02}/{number:03}" + "x" * 900, 1, "") for number in range(1000)] for page in range(12)
]
KEYS = [listed.key for page in PAGES for listed in page]


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        client = cloud.client("s3")
        client.create_bucket(Bucket="state")
        yield client


def pages_after(after: str) -> Iterator[list[Listed]]:
    for page in PAGES:
        rest = [listed for listed in page if listed.key > after]
        if rest:
            yield rest


def keys_of(s3: Any, progress: Progress) -> list[str]:
    body = s3.get_object(Bucket=progress.bucket, Key=progress.key)["Body"].read().decode("ascii")
    return [unquote(row.split(",")[1]) for row in body.splitlines()]


def fresh(name: str) -> Progress:
    return Progress(bucket="state", key=f"runs/{name}/manifests/copy.csv")


def finish(s3: Any, progress: Progress) -> Progress:
    calls = 0
    while not progress.done:
        progress = manifest.write(s3, progress, "source", pages_after(progress.after), lambda: True)
        calls += 1
        assert calls < 20
    return progress


def test_a_manifest_that_is_always_out_of_time_still_holds_every_key_once(s3: Any) -> None:
    done = finish(s3, fresh("slow"))
    assert done.count == len(KEYS)
    assert keys_of(s3, done) == KEYS
    assert done.etag == s3.head_object(Bucket="state", Key=done.key)["ETag"]


def test_calling_again_with_an_old_progress_changes_nothing(s3: Any) -> None:
    start = fresh("again")
    first = manifest.write(s3, start, "source", pages_after(""), lambda: True)
    done = finish(s3, first)
    for stale in (start, first, done):
        assert manifest.write(s3, stale, "source", iter([])) == done
    assert keys_of(s3, done) == KEYS


class Died(Exception):
    pass


class Dying:
    """An S3 client whose nth writing call is made, or not, and then ends the caller."""

    def __init__(self, s3: Any, at: int, after: bool) -> None:
        self._s3, self._left, self._after = s3, at, after

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._s3, name)
        if name not in {"create_multipart_upload", "upload_part", "put_object", "complete_multipart_upload"}:
            return original

        def call(**given: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Died
            answer = original(**given)
            if self._left == 0:
                raise Died
            return answer

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 6))
def test_a_death_at_any_write_loses_and_doubles_no_key(s3: Any, at: int, after: bool) -> None:
    progress = fresh(f"death-{at}-{after}")
    with pytest.raises(Died):
        finish(Dying(s3, at, after), progress)
    done = finish(s3, progress)
    assert keys_of(s3, done) == KEYS
    assert done.count == len(KEYS)


def test_an_empty_source_creates_nothing(s3: Any) -> None:
    done = manifest.write(s3, fresh("empty"), "source", iter([[]]))
    assert (done.done, done.count, done.upload_id) == (True, 0, "")
    assert "Contents" not in s3.list_objects_v2(Bucket="state", Prefix="runs/empty/")


def test_an_abandoned_manifest_leaves_no_upload_and_can_be_abandoned_again(s3: Any) -> None:
    progress = manifest.write(s3, fresh("abandoned"), "source", pages_after(""), lambda: True)
    for _ in range(2):
        manifest.abandon(s3, progress)
    uploads = s3.list_multipart_uploads(Bucket="state").get("Uploads", [])
    assert progress.upload_id not in [upload["UploadId"] for upload in uploads]

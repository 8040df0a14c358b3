"""The manifests' sink against S3: continued, repeated and died at every step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import unquote

import pytest

from seeder import manifest, sink
from seeder.listing.counting import Census, Tally
from seeder.listing.selection import LARGEST_COPY, Selection
from seeder.manifest import Limits, Progress
from tests.dying import Died, Dying
from tests.keys import TRAPS
from tests.listed import ListedBucket
from tests.served import by_folders
from tests.servers import Server, each_death, in_small_parts, on_real

KEYS = [f"{number:05}" + "x" * 900 for number in range(3000)]
# Rows of 6 MB: more than a part as S3 takes it.
LONG_KEYS = [f"{number:05}" + "ü" * 480 for number in range(2200)]


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.buckets("state")


@pytest.fixture(autouse=True)
def part(server: Server, monkeypatch: pytest.MonkeyPatch) -> int:
    return server.parts_of(monkeypatch, 300_000)


def fresh(name: str) -> Progress:
    return Progress.fresh("state", f"runs/{name}/", "copy")


def calls_of(s3: Any, progress: Progress, bucket: ListedBucket, budget: int = 7, **given: Any) -> Progress:
    """Call again and again, each time with time for a few pages; a call that dies is repeated as it was."""
    for _ in range(200):
        until = bucket.calls + budget
        out = cast("Callable[[], bool]", lambda until=until: bucket.calls >= until)
        try:
            progress = manifest.write(
                s3, progress, cast("Any", bucket), "source", workers=3, out_of_time=out, **given
            )
        except Died:
            continue
        assert len(progress.model_dump_json()) < 64 * 1024
        if progress.done:
            return progress
    raise AssertionError("not done after 200 calls")


def rows_of(s3: Any, upload: sink.Upload) -> list[str]:
    rows = s3.get_object(Bucket=upload.bucket, Key=upload.key)["Body"].read().decode("ascii").splitlines()
    assert len(rows) == upload.count
    return list(rows)


def keys_of(s3: Any, *uploads: sink.Upload) -> Counter[str]:
    return Counter(unquote(row.split(",")[1]) for upload in uploads for row in rows_of(s3, upload))


def test_a_manifest_written_in_many_calls_holds_every_key_once(s3: Any, part: int) -> None:
    done = calls_of(s3, fresh("many"), ListedBucket(KEYS, page=100))
    assert keys_of(s3, done.copy_files[0]) == Counter(KEYS)
    assert (done.count, done.copy_files[0].count) == (len(KEYS), len(KEYS))
    head = s3.head_object(Bucket="state", Key=done.copy_files[0].key)
    most = head["ContentLength"] // part + 1
    assert most // 2 < done.copy_files[0].parts <= most
    assert done.copy_files[0].etag == head["ETag"]


def test_what_a_call_leaves_for_the_next_is_small(s3: Any) -> None:
    bucket = ListedBucket(["ü" * 500 + f"{number:05}" for number in range(3000)], page=10)
    progress = manifest.write(
        s3, fresh("small"), cast("Any", bucket), "source", workers=64, out_of_time=lambda: bucket.calls > 150
    )
    assert not progress.done
    assert len(progress.model_dump_json()) < 64 * 1024


@pytest.mark.parametrize("name", ["x", "\U0001f600"], ids=["ascii", "emoji"])
def test_many_long_prefixes_leave_room_for_the_walk_and_sum_up(s3: Any, name: str) -> None:
    keys = [f"{name * 120}{number % 250:03}/{'k' * 200}{number:04}" for number in range(2000)]
    bucket, progress = ListedBucket(keys, page=10), fresh(f"prefixes-{name.isascii()}")
    while not progress.done:
        until = bucket.calls + 60
        progress = manifest.write(
            s3,
            progress,
            cast("Any", bucket),
            "source",
            workers=64,
            out_of_time=cast("Callable[[], bool]", lambda until=until: bucket.calls >= until),
        )
        assert len(json.dumps(progress.model_dump())) < manifest.MOST_STATE_BYTES + 4096
    census = progress.census
    assert (
        census.objects == sum(tally.objects for tally in census.prefixes.values()) + census.other_prefixes[0]
    )
    assert 0 < len(census.prefixes) <= 40
    assert set(census.prefixes.values()) == {Tally(8, 8)}
    assert census.objects == len(keys) == progress.count


def test_the_room_of_a_walk_does_not_depend_on_what_was_counted() -> None:
    census = Census(prefixes={f"{number:03}{'x' * 50}/": Tally(1, 1) for number in range(200)})
    counted = fresh("room").model_copy(update={"census": census})
    assert manifest.room_of(counted) == manifest.room_of(fresh("room"))


def test_an_old_progress_given_again_changes_nothing(s3: Any) -> None:
    bucket = ListedBucket(KEYS, page=100)
    start = fresh("again")
    first = manifest.write(s3, start, cast("Any", bucket), "source", out_of_time=lambda: bucket.calls > 5)
    done = calls_of(s3, first, bucket)
    for stale in (start, first, done):
        again = manifest.write(s3, stale, cast("Any", ListedBucket([])), "source")
        assert again.copy_files[0] == done.copy_files[0]
    assert keys_of(s3, done.copy_files[0]) == Counter(KEYS)


@each_death(range(1, 14))
def test_a_death_at_any_write_loses_and_doubles_no_key(s3: Any, at: int, after: bool) -> None:
    """The caller repeats the call that died with the progress it had before, as Step Functions does."""
    keys = KEYS[:900]
    bucket, dying = ListedBucket(keys, page=50), cast("Any", Dying(s3, at, after))
    done = calls_of(dying, fresh(f"death-{at}-{after}"), bucket, budget=6)
    assert keys_of(s3, done.copy_files[0]) == Counter(keys)
    assert done.count == len(keys)


@on_real
def test_parts_as_large_as_s3_takes_them_hold_every_key_once(s3: Any) -> None:
    done = calls_of(s3, fresh("long"), ListedBucket(LONG_KEYS, page=200), budget=5)
    assert keys_of(s3, done.copy_files[0]) == Counter(LONG_KEYS)
    assert done.copy_files[0].parts == 2


def test_large_and_archived_objects_go_to_manifests_of_their_own(s3: Any) -> None:
    sizes = {"large": LARGEST_COPY + 1, "largest that fits": LARGEST_COPY}
    bucket = ListedBucket([*sizes, "small"], sizes=sizes)
    done = manifest.write(s3, fresh("large"), cast("Any", bucket), "source")
    assert keys_of(s3, done.copy_files[0]) == Counter(["largest that fits", "small"])
    assert keys_of(s3, done.large_files[0]) == Counter(["large"])
    assert (done.count, done.large_files[0].count, done.archived_files[0].count) == (2, 1, 0)


def test_traps_come_out_as_they_went_in(s3: Any) -> None:
    done = manifest.write(s3, fresh("traps"), cast("Any", ListedBucket(TRAPS, page=5)), "source")
    assert keys_of(s3, done.copy_files[0]) == Counter(TRAPS)
    assert b"+" not in s3.get_object(Bucket="state", Key=done.copy_files[0].key)["Body"].read()


def test_an_empty_source_creates_nothing(s3: Any) -> None:
    done = manifest.write(s3, fresh("empty"), cast("Any", ListedBucket([])), "source")
    assert (done.done, done.count) == (True, 0)
    assert "Contents" not in s3.list_objects_v2(Bucket="state", Prefix="runs/empty/")


def test_an_abandoned_manifest_leaves_no_upload_and_can_be_abandoned_again(s3: Any) -> None:
    bucket = ListedBucket(LONG_KEYS, page=100)
    progress = manifest.write(
        s3,
        fresh("abandoned"),
        cast("Any", bucket),
        "source",
        workers=1,
        out_of_time=lambda: bucket.calls > 20,
    )
    assert progress.copy_files[0].upload_id
    for _ in range(2):
        manifest.abandon(s3, progress)
    uploads = s3.list_multipart_uploads(Bucket="state").get("Uploads", [])
    assert progress.copy_files[0].upload_id not in [upload["UploadId"] for upload in uploads]


def test_ten_thousand_parts_hold_terabytes() -> None:
    assert sum(map(sink.part_bytes, range(1, sink.MOST_PARTS + 1))) > 10**10
    assert sink.part_bytes(1) == sink.part_bytes(1250) == sink.part_bytes(1251) // 2


def test_a_manifest_goes_on_in_the_next_file_where_a_job_takes_no_more(s3: Any) -> None:
    sizes = dict.fromkeys(KEYS[:450], LARGEST_COPY + 1)
    bucket = ListedBucket(KEYS, page=100, sizes=sizes)
    done = calls_of(s3, fresh("limits"), bucket, limits=Limits(copy=1000, large=200))
    names = [file.key.removeprefix("runs/limits/manifests/") for file in done.files]
    assert names == [
        "copy.csv",
        "copy-2.csv",
        "copy-3.csv",
        "large.csv",
        "large-2.csv",
        "large-3.csv",
        "archived.csv",
    ]
    assert [file.count for file in done.files] == [1000, 1000, 550, 200, 200, 50, 0]
    assert (done.count, done.large_count, done.archived_count) == (2550, 450, 0)
    assert keys_of(s3, *done.copy_files) == Counter(KEYS[450:])
    assert keys_of(s3, *done.large_files) == Counter(KEYS[:450])
    assert all(file.etag for file in (*done.copy_files, *done.large_files))


@each_death(range(1, 21, 2))
def test_a_death_loses_and_doubles_no_key_where_files_follow_one_another(
    s3: Any, at: int, after: bool
) -> None:
    keys = KEYS[:600]
    bucket, dying = ListedBucket(keys, page=50), cast("Any", Dying(s3, at, after))
    done = calls_of(dying, fresh(f"files-{at}-{after}"), bucket, budget=5, limits=Limits(copy=170))
    assert [file.count for file in done.copy_files] == [170, 170, 170, 90]
    assert keys_of(s3, *done.copy_files) == Counter(keys)


@in_small_parts
def test_a_file_whose_parts_are_used_up_is_followed_by_another(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "MOST_PARTS", 3)
    done = calls_of(s3, fresh("parts"), ListedBucket(KEYS, page=100), budget=3)
    assert len(done.copy_files) > 2
    assert max(file.parts for file in done.copy_files) <= 3
    assert keys_of(s3, *done.copy_files) == Counter(KEYS)


VERSIONS = [("many", "null" if number == 70 else f"v{number:03}") for number in range(100)]
VERSIONS += [("a,b +", "v1"), ("a,b +", "gone1"), ("old", "null"), ("deleted", "gone2"), ("z", "v1")]


def test_every_version_has_a_row_but_delete_markers(s3: Any) -> None:
    bucket = ListedBucket(VERSIONS, "ListObjectVersions", page=7)
    selection = Selection(largest=None)
    done = calls_of(s3, fresh("versions"), bucket, budget=2, selection=selection, limits=Limits(copy=40))
    rows = [row.split(",") for file in done.copy_files for row in rows_of(s3, file)]
    found = Counter((bucket, unquote(key), version) for bucket, key, version in rows)
    expected = [("source", *entry) for entry in VERSIONS if not entry[1].startswith("gone")]
    assert found == Counter(expected)
    assert done.count == len(expected)


FOLDERS = [f"{folder}{mark}{number:03}" for folder in "abcdef" for mark in "./" for number in range(40)]


def by_folder(keys: list[str], page: int = 10) -> ListedBucket:
    return ListedBucket(keys, page=page, is_aws=False, order=by_folders)


@each_death(range(1, 12))
def test_a_death_at_any_write_loses_and_doubles_no_key_of_a_server_of_another_order(
    s3: Any, at: int, after: bool
) -> None:
    """What the walk in order had handed over before it noticed stands in no file."""
    keys, dying = [f"{number}.txt" for number in range(100)] + FOLDERS, cast("Any", Dying(s3, at, after))
    done = calls_of(dying, fresh(f"order-{at}-{after}"), by_folder(keys), limits=Limits(copy=300))
    assert done.chains == []
    assert keys_of(s3, *done.copy_files) == Counter(keys)
    assert done.count == len(keys)


def test_the_state_stays_small_where_folders_are_many_and_long(s3: Any) -> None:
    keys = [f"{number:04}{'ü' * 200}{mark}x" for number in range(400) for mark in "./"]
    done = calls_of(s3, fresh("folders"), by_folder(keys))
    assert keys_of(s3, *done.copy_files) == Counter(keys)


def test_tails_are_tagged_to_expire_and_never_deleted(s3: Any) -> None:
    bucket = ListedBucket(KEYS, page=100)
    progress = manifest.write(
        s3, fresh("tails"), cast("Any", bucket), "source", out_of_time=lambda: bucket.calls > 1
    )
    tail = progress.copy_files[0].tail
    tags = s3.get_object_tagging(Bucket="state", Key=tail)["TagSet"]
    assert tags == [{"Key": "seeder", "Value": "temporary"}]
    calls_of(s3, progress, bucket)
    assert s3.head_object(Bucket="state", Key=tail)

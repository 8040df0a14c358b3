"""Large objects copied in parts: continued, repeated, refused, and died at every write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto.s3.models import s3_backends

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder.large.ending import Abandoned, abandon
from seeder.large.notes import Item, Note, Notes
from seeder.large.session import patient
from tests.keys import TRAPS
from tests.large_objects import BOUNDS, RUN, Deaths, Died, Watched, assert_copied, copier, upload, uploads

SIZES = [300, 250, 300, 40]
# Three notes, the upload, four parts, the completion, and the last note; tags that fit no header are one more.
WRITES_OF_A_COPY = 10
MANY_TAGS = [{"Key": f"{number}", "Value": "é" * 250} for number in range(10)]


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000)) as running:
        yield running


@pytest.fixture(scope="module")
def client(cloud: LocalCloud) -> Any:
    return patient().client("s3", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture
def s3(client: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """S3 takes parts of 5 MiB and more; here it takes any."""
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    s3_backends.reset()
    for bucket in ("source", "destination", "state"):
        client.create_bucket(Bucket=bucket)
    return client


def note(s3: Any, item: Item) -> Note:
    found = Notes(s3, "state", RUN).load(item).note
    assert found
    return found


def refusing(s3: Any, operation: str, code: str, status: int, times: int = 1) -> Any:
    """A client whose first calls of an operation are refused."""
    left, lock = [times], threading.Lock()

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        with lock:
            struck = name == operation and left[0] > 0
            left[0] -= struck
        if struck:
            error: Any = {
                "Error": {"Code": code, "Message": "no"},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            raise ClientError(error, operation)
        return original(**given)

    return Watched(s3, call)


def counting(s3: Any, counts: dict[str, int]) -> Any:
    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        counts[name] = counts.get(name, 0) + 1
        return original(**given)

    return Watched(s3, call)


# ── what is carried ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_has_the_sources_parts_and_so_its_etag(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    assert copier(s3).copy(item) == ("Succeeded", "copied 890 bytes in 4 parts")
    assert_copied(s3, "key")
    assert s3.head_object(Bucket="destination", Key="key")["ETag"].endswith('-4"')
    assert note(s3, item).state == "done"


def test_an_object_of_one_piece_is_copied_in_parts(s3: Any) -> None:
    s3.put_object(Bucket="source", Key="key", Body=bytes(range(256)) * 4)
    assert copier(s3).copy(Item("source", "key")).text == "copied 1024 bytes in 6 parts"
    body = s3.get_object(Bucket="destination", Key="key")["Body"].read()
    assert body == bytes(range(256)) * 4


def test_headers_metadata_class_and_tags_are_carried(s3: Any) -> None:
    headers: dict[str, Any] = {
        "CacheControl": "no-cache",
        "ContentDisposition": "attachment",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    item = upload(
        s3,
        "key",
        SIZES,
        **headers,
        Metadata={"one": "1", "two": "zwei"},
        StorageClass="STANDARD_IA",
        Tagging="a=b%20%2B&%C3%A9=1",
    )
    copier(s3).copy(item)
    head = s3.head_object(Bucket="destination", Key="key")
    assert headers.items() <= head.items()
    assert (head["Metadata"], head["StorageClass"]) == ({"one": "1", "two": "zwei"}, "STANDARD_IA")
    tag_set = s3.get_object_tagging(Bucket="destination", Key="key")["TagSet"]
    assert tag_set == [{"Key": "a", "Value": "b +"}, {"Key": "é", "Value": "1"}]


def test_tags_that_fit_no_header_are_put_once_the_object_is_there(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    s3.put_object_tagging(Bucket="source", Key="key", Tagging={"TagSet": MANY_TAGS})
    assert copier(s3).copy(item).code == "Succeeded"
    assert s3.get_object_tagging(Bucket="destination", Key="key")["TagSet"] == MANY_TAGS


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, ("CRC64NVME", "FULL_OBJECT")),
        ({"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}, ("SHA256", "COMPOSITE")),
        ({"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}, ("CRC32", "FULL_OBJECT")),
    ],
)
def test_the_checksum_is_of_the_sources_kind(s3: Any, given: dict[str, Any], asked: tuple[str, str]) -> None:
    item = upload(s3, "key", SIZES, **given)
    seen: dict[str, Any] = {}

    def call(name: str, original: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        seen[name] = arguments
        return original(**arguments)

    assert copier(Watched(s3, call), source_s3=s3).copy(item).code == "Succeeded"
    created, completed = seen["create_multipart_upload"], seen["complete_multipart_upload"]
    assert (created["ChecksumAlgorithm"], created["ChecksumType"]) == asked
    source, copy = (
        s3.head_object(Bucket=b, Key="key", ChecksumMode="ENABLED") for b in ("source", "destination")
    )
    if given:
        name = f"Checksum{asked[0]}"
        assert copy[name] == source[name]
        assert completed.get(name) == (source[name] if asked[1] == "FULL_OBJECT" else None)
    assert completed["MpuObjectSize"] == 890


@pytest.mark.parametrize("key", TRAPS)
def test_a_key_with_traps_is_copied_under_its_name(s3: Any, key: str) -> None:
    item = upload(s3, key, [300, 10])
    assert copier(s3).copy(item).code == "Succeeded"
    assert s3.get_object(Bucket="destination", Key=key)["Body"].read() == b"\x01" * 300 + b"\x02" * 10


def test_a_version_is_copied_when_one_is_named(s3: Any) -> None:
    for bucket in ("source", "destination"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    upload(s3, "key", [300, 10])
    first = s3.head_object(Bucket="source", Key="key")["VersionId"]
    upload(s3, "key", [200, 20], salt=7)
    assert copier(s3).copy(Item("source", "key", first)).code == "Succeeded"
    assert s3.head_object(Bucket="destination", Key="key")["ContentLength"] == 310


def test_an_object_over_5_gib_is_copied_whole(cloud: LocalCloud, s3: Any) -> None:
    size = 6 * 1024**3 + 1
    cloud.declare_object("source", "key", size, part_size=512 * 1024**2)
    found = copier(s3, bounds=BOUNDS._replace(most=5 * 1024**3)).copy(Item("source", "key"))
    assert found == ("Succeeded", f"copied {size} bytes in 13 parts")
    there, here = (s3.head_object(Bucket=bucket, Key="key") for bucket in ("source", "destination"))
    assert (here["ContentLength"], here["ETag"]) == (size, there["ETag"])


# ── repeated and continued ──────────────────────────────────────────────────────────────────────────────────


def test_a_copy_that_stands_is_not_made_again(s3: Any) -> None:
    item, counts = upload(s3, "key", SIZES), dict[str, int]()
    copier(s3).copy(item)
    assert copier(counting(s3, counts)).copy(item) == ("Succeeded", "copied before: 890 bytes")
    assert "upload_part_copy" not in counts


@pytest.mark.parametrize("deleted", [False, True])
def test_a_copy_that_was_overwritten_or_deleted_is_made_again(s3: Any, deleted: bool) -> None:
    item = upload(s3, "key", SIZES)
    copier(s3).copy(item)
    if deleted:
        s3.delete_object(Bucket="destination", Key="key")
    else:
        s3.put_object(Bucket="destination", Key="key", Body=b"x" * 890)
    assert copier(s3).copy(item).text.startswith("copied 890 bytes")
    assert_copied(s3, "key")


def test_what_another_wrote_at_the_destination_is_never_taken_for_the_copy(s3: Any) -> None:
    item = upload(s3, "key", SIZES, Metadata={"new": "1"})
    s3.put_object(
        Bucket="destination", Key="key", Body=s3.get_object(Bucket="source", Key="key")["Body"].read()
    )
    assert copier(s3).copy(item).text.startswith("copied 890 bytes")
    assert_copied(s3, "key")


def test_out_of_time_the_next_call_copies_only_what_is_missing(s3: Any) -> None:
    item, counts, texts = upload(s3, "key", [100] * 10), dict[str, int](), []
    for calls in range(1, 20):
        left = iter([900.0] * (calls + 1) + [0.0] * 30)
        outcome = copier(counting(s3, counts), remaining=left.__next__, streams=1).copy(item)
        if outcome.code == "Succeeded":
            break
        assert outcome.code == "TemporaryFailure"
        assert len(uploads(s3)) == 1
        texts.append(outcome.text)
    assert texts[0] == "OutOfTime: 1 of 10 parts are there; the next call goes on"
    assert len(texts) > 2
    assert_copied(s3, "key")
    assert (counts["upload_part_copy"], counts["create_multipart_upload"]) == (10, 1)


def test_a_part_of_another_size_is_copied_again(s3: Any) -> None:
    item = upload(s3, "key", [100] * 4)
    copier(s3, remaining=lambda: 0).copy(item)
    s3.upload_part(Bucket="destination", Key="key", UploadId=uploads(s3)[0], PartNumber=2, Body=b"short")
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


def test_an_upload_that_vanished_is_begun_anew(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    copier(s3, remaining=lambda: 0).copy(item)
    s3.abort_multipart_upload(Bucket="destination", Key="key", UploadId=uploads(s3)[0])
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("at", "tags"),
    [(at, tags) for tags in (False, True) for at in range(1, WRITES_OF_A_COPY + tags + 1)],
)
def test_a_death_at_any_write_leaves_one_object_and_no_upload(
    s3: Any, at: int, after: bool, tags: bool
) -> None:
    s3.put_bucket_versioning(Bucket="destination", VersioningConfiguration={"Status": "Enabled"})
    item = upload(s3, "key", SIZES, Metadata={"a": "b"})
    if tags:
        s3.put_object_tagging(Bucket="source", Key="key", Tagging={"TagSet": MANY_TAGS})
    with pytest.raises(Died):
        copier(Deaths(at, after).of(s3), streams=1).copy(item)
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")
    assert s3.get_object_tagging(Bucket="destination", Key="key")["TagSet"] == (MANY_TAGS if tags else [])


@pytest.mark.parametrize("first", range(1, WRITES_OF_A_COPY + 1))
def test_deaths_in_a_row_leave_one_object_and_no_upload(s3: Any, first: int) -> None:
    item, died = upload(s3, "key", SIZES), 0
    for at in (2, first, 3, 2):
        try:
            copier(Deaths(at, after=True).of(s3), streams=1).copy(item)
        except Died:
            died += 1
    assert died >= 2
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


def test_uploads_of_others_to_the_key_are_left_alone(s3: Any) -> None:
    other = s3.create_multipart_upload(Bucket="destination", Key="key")["UploadId"]
    longer = s3.create_multipart_upload(Bucket="destination", Key="key2")["UploadId"]
    item = upload(s3, "key", SIZES)
    with pytest.raises(Died):
        copier(Deaths(2, after=True).of(s3)).copy(item)
    assert len(uploads(s3)) == 3
    assert copier(s3).copy(item).code == "Succeeded"
    assert sorted(uploads(s3)) == sorted([other, longer])


@pytest.mark.parametrize("created", [False, True])
def test_two_calls_at_once_make_one_object(s3: Any, created: bool) -> None:
    """The second call comes while the first has noted that it begins, and not yet its upload's id."""
    item, second = upload(s3, "key", SIZES), []

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        answer = original(**given) if created or name != "create_multipart_upload" else None
        if name == "create_multipart_upload":
            second.append(copier(s3).copy(item))
        return answer or original(**given)

    first = copier(Watched(s3, call)).copy(item)
    assert [outcome.code for outcome in second] == ["Succeeded"]
    assert first == ("TemporaryFailure", "Conflict: another call copies this object too")
    assert copier(s3).copy(item).text == "copied before: 890 bytes"
    assert_copied(s3, "key")


# ── a source that changes ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("part", range(1, 5))
def test_a_source_written_in_the_middle_is_copied_as_it_is_then(s3: Any, part: int) -> None:
    item = upload(s3, "key", SIZES)

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        if name == "upload_part_copy" and given["PartNumber"] == part and not written:
            written.append(upload(s3, "key", [150, 400, 30], salt=99))
        return original(**given)

    written: list[Item] = []
    assert copier(Watched(s3, call)).copy(item).code == "Succeeded"
    assert written
    assert_copied(s3, "key")


def test_a_source_written_between_two_calls_is_copied_anew(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    copier(s3, remaining=lambda: 0).copy(item)
    upload(s3, "key", [150, 400, 30], salt=99)
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


def test_a_source_that_is_always_written_is_left_for_later(s3: Any) -> None:
    item, salts = upload(s3, "key", SIZES), iter(range(1, 100))

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        if name == "upload_part_copy":
            upload(s3, "key", SIZES, salt=next(salts))
        return original(**given)

    outcome = copier(Watched(s3, call), streams=1).copy(item)
    assert (outcome.code, outcome.text[:14]) == ("TemporaryFailure", "SourceChanged:")
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "operation", ["create_multipart_upload", "upload_part_copy", "complete_multipart_upload", "head_object"]
)
def test_a_destination_that_denies_is_told_and_left_without_an_upload(s3: Any, operation: str) -> None:
    item = upload(s3, "key", SIZES)
    outcome = copier(refusing(s3, operation, "AccessDenied", 403), source_s3=s3).copy(item)
    assert outcome.code == "PermanentFailure"
    assert outcome.text.startswith("AccessDenied: ")
    assert uploads(s3) == []
    assert note(s3, item).reason == outcome.text
    assert copier(s3).copy(item).code == "Succeeded"


@pytest.mark.parametrize(
    ("item", "code"),
    [(Item("source", "missing"), "NoSuchKey: "), (Item("nowhere", "key"), "NoSuchBucket: ")],
)
def test_an_object_that_is_not_there_is_a_permanent_failure(s3: Any, item: Item, code: str) -> None:
    outcome = copier(s3).copy(item)
    assert (outcome.code, outcome.text[: len(code)]) == ("PermanentFailure", code)


def test_a_source_deleted_in_the_middle_leaves_no_upload(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    copier(s3, remaining=lambda: 0).copy(item)
    s3.delete_object(Bucket="source", Key="key")
    assert copier(s3).copy(item).code == "PermanentFailure"
    assert (uploads(s3), note(s3, item).state) == ([], "failed")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("SlowDown", 503),
        ("InternalError", 500),
        ("RequestTimeout", 400),
        ("OperationAborted", 409),
        ("502", 502),
    ],
)
@pytest.mark.parametrize(
    "operation",
    ["create_multipart_upload", "upload_part_copy", "complete_multipart_upload", "head_object", "put_object"],
)
def test_what_passes_is_tried_again_and_goes_on(s3: Any, operation: str, code: str, status: int) -> None:
    item = upload(s3, "key", SIZES)
    one = copier(refusing(s3, operation, code, status))
    outcome = one.copy(item)
    assert (outcome.code, outcome.text.split(":")[0]) == ("TemporaryFailure", code)
    assert one.copy(item).code == "Succeeded"
    assert_copied(s3, "key")


def test_a_connection_that_breaks_is_a_temporary_failure(s3: Any) -> None:
    item = upload(s3, "key", SIZES)

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        if name == "upload_part_copy":
            raise ConnectTimeoutError(endpoint_url="https://example.com")
        return original(**given)

    outcome = copier(Watched(s3, call)).copy(item)
    assert (outcome.code, outcome.text.split(":")[0]) == ("TemporaryFailure", "ServiceUnavailable")


def test_after_an_error_no_further_part_is_begun(s3: Any) -> None:
    item, counts = upload(s3, "key", [100] * 10), dict[str, int]()
    denied = refusing(counting(s3, counts), "upload_part_copy", "AccessDenied", 403)
    copier(denied, streams=1).copy(item)
    assert "upload_part_copy" not in counts


def test_an_object_no_upload_can_hold_is_refused(s3: Any) -> None:
    s3.put_object(Bucket="source", Key="key", Body=b"x" * 21)
    outcome = copier(s3, bounds=BOUNDS._replace(most=1)).copy(Item("source", "key"))
    assert (outcome.code, outcome.text[:15]) == ("PermanentFailure", "InvalidRequest:")


# ── the end of a run ────────────────────────────────────────────────────────────────────────────────────────


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

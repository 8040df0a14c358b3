"""Whether an endpoint keeps the promises of conditional writes, by really writing.

Contract: S3 User Guide, "Add preconditions to S3 operations with conditional requests": If-None-Match: * creates an
object once, If-Match replaces or deletes only what was read. All of seeder's state rests on them. A server that does
not know these headers takes every write: only trying shows it.

What is written are some bytes below `doctor/`, tagged as temporary, and removed again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from seeder.errors import code_of
from seeder.sink import TEMPORARY
from seeder_cli.checks.finding import Verdict, miss, ok, warning

PREFIX = "doctor/"
RACERS = 8
_LOST = frozenset({"412", "409", "PreconditionFailed", "ConditionalRequestConflict"})
_NOT_THERE = frozenset({"501", "NotImplemented"})
_WRONG_ETAG = '"00000000000000000000000000000000"'
_TODO = (
    "seeder can't keep its state there: use AWS S3, or a server whose PutObject, CompleteMultipartUpload and "
    "DeleteObject honour If-None-Match and If-Match"
)


def conditional_writes(s3: Any, bucket: str, new_id: Callable[[], str] = lambda: uuid.uuid4().hex) -> Verdict:
    """Whether conditional writes decide who wins. Raises ClientError when a plain write is refused."""
    trial = _Trial(s3, bucket, f"{PREFIX}{new_id()}/")
    try:
        broken = [name for name, promise in _PROMISES.items() if not _kept(promise, trial)]
    finally:
        left = trial.clean_up()
    if broken:
        return miss(f"this endpoint does not honour {', '.join(broken)}", _TODO)
    if left:
        return warning(
            f"conditional writes are honoured, but {left} test objects below {PREFIX} could not be removed",
            "allow s3:DeleteObject and s3:DeleteObjectVersion there, or let the lifecycle rule for objects tagged "
            f"{TEMPORARY} expire them",
        )
    return ok("conditional writes are honoured: tried, and removed what was written")


def _kept(promise: Callable[[_Trial], bool], trial: _Trial) -> bool:
    try:
        return promise(trial)
    except ClientError as error:
        if code_of(error) in _NOT_THERE:
            return False
        raise


class _Trial:
    """Writes to keys of its own, and knows all that it wrote."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._prefix = s3, bucket, prefix
        self._written: list[dict[str, str]] = []

    def place(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    def put(self, key: str, body: bytes, **condition: str) -> str:
        """Write; return the ETag, "" where the condition did not hold. Raises ClientError."""
        answer = self._attempt(
            lambda: self._s3.put_object(**self.place(key), Body=body, Tagging=TEMPORARY, **condition)
        )
        return self._wrote(key, answer)

    def upload(self, key: str, body: bytes, **condition: str) -> str:
        """Write in one part; return as `put` does."""
        place = self.place(key)
        upload = {"UploadId": self._s3.create_multipart_upload(**place, Tagging=TEMPORARY)["UploadId"]}
        part = self._s3.upload_part(**place, **upload, PartNumber=1, Body=body)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        answer = self._attempt(
            lambda: self._s3.complete_multipart_upload(**place, **upload, MultipartUpload=parts, **condition)
        )
        if answer is None:
            # Some servers have forgotten an upload that they refused to complete.
            with suppress(ClientError):
                self._s3.abort_multipart_upload(**place, **upload)
        return self._wrote(key, answer)

    def delete(self, key: str, etag: str) -> bool:
        """Delete if the ETag is this; return whether it was."""
        answer = self._attempt(lambda: self._s3.delete_object(**self.place(key), IfMatch=etag))
        if answer is None:
            return False
        self._note(key, answer)
        return True

    def clean_up(self) -> int:
        """Remove every version and delete marker this trial made; return how many could not be."""
        left = 0
        for item in self._written:
            try:
                self._s3.delete_object(**item)
            except ClientError:
                left += 1
        return left

    def _wrote(self, key: str, answer: Any) -> str:
        if answer is None:
            return ""
        self._note(key, answer)
        return str(answer["ETag"])

    def _note(self, key: str, answer: Any) -> None:
        version = answer.get("VersionId")
        item = self.place(key) | ({"VersionId": version} if version else {})
        if item not in self._written:
            self._written.append(item)

    @staticmethod
    def _attempt(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            if code_of(error) in _LOST:
                return None
            raise


def _creates_once(trial: _Trial) -> bool:
    first = trial.put("once", b"first", IfNoneMatch="*")
    return bool(first) and not trial.put("once", b"second", IfNoneMatch="*")


def _creates_once_among_many(trial: _Trial) -> bool:
    with ThreadPoolExecutor(RACERS) as pool:
        won = pool.map(lambda number: trial.put("race", b"%d" % number, IfNoneMatch="*"), range(RACERS))
        return sum(map(bool, won)) <= 1  # none, where all were told to try again (409)


def _completes_once(trial: _Trial) -> bool:
    first = trial.upload("parts", b"first", IfNoneMatch="*")
    return bool(first) and not trial.upload("parts", b"second", IfNoneMatch="*")


def _swaps(trial: _Trial) -> bool:
    before = trial.put("swap", b"before")
    after = trial.put("swap", b"after", IfMatch=before)
    return bool(after) and not trial.put("swap", b"late", IfMatch=before)


def _deletes_what_was_read(trial: _Trial) -> bool:
    etag = trial.put("gone", b"here")
    return not trial.delete("gone", _WRONG_ETAG) and trial.delete("gone", etag)


_PROMISES: dict[str, Callable[[_Trial], bool]] = {
    "If-None-Match: * on PutObject": _creates_once,
    "If-None-Match: * when several write at once": _creates_once_among_many,
    "If-None-Match: * on CompleteMultipartUpload": _completes_once,
    "If-Match on PutObject": _swaps,
    "If-Match on DeleteObject": _deletes_what_was_read,
}

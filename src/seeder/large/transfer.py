"""Parts copied at once, as far as the time goes. Contract: S3 API reference, UploadPartCopy."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder.errors import code_of
from seeder.large import plan
from seeder.large.notes import Later, Note
from seeder.large.opening import Work
from seeder.large.plan import Part
from seeder.large.source import CHANGED, SourceChanged

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef


def copy_parts(work: Work, note: Note, missing: list[Part], total: int) -> None:
    """Copy the missing parts of `total`.

    Raises Later if time is out before all are there, SourceChanged if any part's source is another by now, and the
    first error of a part; then no further part is begun.
    """
    stop = threading.Event()

    def copy(part: Part) -> bool:
        if stop.is_set() or work.remaining() < plan.reserve_seconds(part.size):
            return False
        try:
            _copy(work, note, part)
        except BaseException:
            stop.set()
            raise
        return True

    pool = ThreadPoolExecutor(work.streams, "part")
    futures = [pool.submit(copy, part) for part in missing]
    # What is under way beyond this is not waited for: S3 ends it, and the next call finds the part there.
    finished, _ = wait(futures, timeout=max(0.0, work.remaining() - plan.STOP_SECONDS))
    stop.set()
    pool.shutdown(wait=False, cancel_futures=True)
    errors = [error for future in finished if (error := future.exception())]
    if errors:
        raise errors[0]
    copied = sum(future.result() for future in finished)
    if copied < len(missing):
        there = total - len(missing) + copied
        raise Later("OutOfTime", f"{there} of {total} parts are there; the next call goes on")


def _copy(work: Work, note: Note, part: Part) -> None:
    origin: CopySourceTypeDef = {"Bucket": note.bucket, "Key": note.key}
    if note.version_id:
        origin["VersionId"] = note.version_id
    piece: dict[str, Any] = {"CopySourceRange": part.range} if part.range else {}
    try:
        work.to.s3.upload_part_copy(
            Bucket=work.to.bucket,
            Key=note.key,
            UploadId=note.upload_id,
            PartNumber=part.number,
            CopySource=origin,
            CopySourceIfMatch=note.etag,
            **piece,
        )
    except ClientError as error:
        if code_of(error) in CHANGED:
            raise SourceChanged from error
        raise

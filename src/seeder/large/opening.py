"""The upload that takes an object's parts: the one noted, or a new one.

The note is written before the upload is created, so that an upload whose id a dying call could not note is found
again and aborted. Contract: S3 API reference, CreateMultipartUpload and ListMultipartUploads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from seeder.errors import code_of
from seeder.large import plan, source, uploads
from seeder.large.notes import Item, Later, Note, Noted, Notes
from seeder.large.plan import Bounds
from seeder.large.source import Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Destination(NamedTuple):
    """The bucket to copy to, its region, and a client for it."""

    s3: S3Client
    bucket: str
    region: str

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload, whether or not it is there. Raises UnexpectedAnswer, ClientError."""
        uploads.abort(self.s3, self.bucket, key, upload_id)

    def parts(self, note: Note) -> dict[int, Any]:
        """Return the parts of a note's upload, by number. Raises ClientError, of NoSuchUpload too."""
        return uploads.parts(self.s3, self.bucket, note.key, note.upload_id)


@dataclass(frozen=True)
class Work:
    """What a call copies with.

    `source_s3` reads the source bucket; parts are copied by the destination's client, `streams` at once.
    `remaining` tells how many seconds the call has left.
    """

    source_s3: S3Client
    to: Destination
    notes: Notes
    remaining: Callable[[], float]
    bounds: Bounds = plan.S3
    streams: int = plan.STREAMS


class Opened(NamedTuple):
    """An upload that takes parts: its note, the mark to swap that with, and the parts that are there by number."""

    note: Note
    mark: str
    there: dict[int, Any]

    @property
    def noted(self) -> Noted:
        """The note as it stands."""
        return Noted(self.note, self.mark)


def open_upload(work: Work, item: Item, seen: Source, noted: Noted) -> Opened:
    """Return the upload that was noted if it is there and of this source, else a new one.

    An upload of a source that was written since is aborted. Raises SourceChanged, Later, InvalidRequest, ClientError.
    """
    note = noted.note
    if note and note.state in {"copying", "completing"}:
        if not is_of(note, seen):
            work.to.abort(note.key, note.upload_id)
        else:
            try:
                return Opened(note, noted.mark, work.to.parts(note))
            except ClientError as error:
                if code_of(error) != "NoSuchUpload":
                    raise
    return _begin(work, item, seen, noted)


def is_of(note: Note, seen: Source) -> bool:
    """Tell whether a note is of the source as it is now."""
    return (note.etag, note.size, note.modified) == (seen.etag, seen.size, seen.modified)


def _begin(work: Work, item: Item, seen: Source, before: Noted) -> Opened:
    to, died = work.to, before.note if before.note and before.note.state == "begun" else None
    sizes = source.part_sizes(work.source_s3, item, seen, work.streams)
    tag_set = source.tags(work.source_s3, item)
    note = Note(
        state="begun",
        bucket=item.bucket,
        key=item.key,
        version_id=item.version_id,
        destination=to.bucket,
        region=to.region,
        etag=seen.etag,
        size=seen.size,
        modified=seen.modified,
        parts=plan.pack(plan.plan(seen.size, sizes, work.bounds)),
        others=died.others if died else [upload["UploadId"] for upload in _uploads(to, item.key)],
        tags_later=not source.fits_header(tag_set),
    )
    begun = work.notes.swap(before, note)
    given = source.upload_parameters(seen, tag_set)
    upload_id = to.s3.create_multipart_upload(Bucket=to.bucket, Key=item.key, **given)["UploadId"]
    note = note.model_copy(update={"state": "copying", "upload_id": upload_id})
    if died:
        _abort_lost(to, note)
    try:
        mark = work.notes.swap(begun, note).mark
    except Later:
        to.abort(item.key, upload_id)
        raise
    return Opened(note, mark, {})


def _uploads(to: Destination, key: str) -> list[Any]:
    return uploads.of_key(to.s3, to.bucket, key)


def _abort_lost(to: Destination, note: Note) -> None:
    """Abort what an earlier call created and could not note: known by who began it, as the upload of this call."""
    own = [
        uploads.initiator(upload) for upload in _uploads(to, note.key) if upload["UploadId"] == note.upload_id
    ]
    known = {*note.others, note.upload_id}
    uploads.abort_lost(to.s3, to.bucket, note.key, known, lambda who: who in own)

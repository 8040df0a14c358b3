"""One object copied in parts, in as many calls as it takes.

A call finds in the note of the object where the last one left it. Whatever call dies, and wherever: the next one ends
in the same single object, and no upload is left behind. Contract: S3 API reference, CompleteMultipartUpload.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from seeder.errors import UnexpectedAnswer, code_of
from seeder.large import outcome, plan, source, uploads
from seeder.large.notes import Item, Later, Note, Noted
from seeder.large.opening import Opened, Work, is_of, open_upload
from seeder.large.outcome import Outcome
from seeder.large.source import Source, SourceChanged
from seeder.large.transfer import copy_parts

# How often a call starts anew because the source was written meanwhile.
MOST_STARTS = 3
# What a call must have left to begin completing: S3 may take minutes to join 10,000 parts.
COMPLETE_SECONDS = 180


class Copier:
    """Copies objects of one pair for one run."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._to = work.to
        self._notes = work.notes

    def copy(self, item: Item) -> Outcome:
        """Copy an object, or go on with its copy.

        A copy that this run made of the same source, and that still stands at the destination, is not made again;
        nothing else that stands there is taken for one. After a permanent failure no upload is left.
        """
        try:
            return outcome.succeeded(self._persist(item))
        except outcome.FAILURES as error:
            result = outcome.failed(error)
            if result.code == "PermanentFailure":
                self._give_up(item, result.text)
            return result

    def _persist(self, item: Item) -> str:
        for _ in range(MOST_STARTS):
            with suppress(SourceChanged):
                return self._copy(item)
        raise Later("SourceChanged", f"the source was written {MOST_STARTS} times while it was copied")

    def _copy(self, item: Item) -> str:
        seen = source.look(self._work.source_s3, item)
        noted = self._notes.load(item)
        if noted.note and is_of(noted.note, seen) and self._stands(noted.note, noted):
            return f"copied before: {seen.size} bytes"
        opened = open_upload(self._work, item, seen, noted)
        parts = plan.unpack(opened.note.parts)
        missing = [part for part in parts if _size(opened.there.get(part.number)) != part.size]
        copy_parts(self._work, opened.note, missing, len(parts))
        self._complete(opened, seen)
        return f"copied {seen.size} bytes in {len(parts)} parts"

    def _stands(self, note: Note, noted: Noted) -> bool:
        """Tell whether the copy of a note was made and is there; note that it is done if a call died before."""
        if not note.copied_etag or note.state not in {"completing", "done"}:
            return False
        try:
            head = self._to.s3.head_object(Bucket=self._to.bucket, Key=note.key)
        except ClientError as error:
            if code_of(error) in {"404", "NoSuchKey"}:
                return False
            raise
        if (head["ETag"], head["ContentLength"]) != (note.copied_etag, note.size):
            return False
        if note.state == "completing":
            self._finish(note, noted, note.copied_etag, head.get("VersionId", ""))
        return True

    def _complete(self, opened: Opened, seen: Source) -> None:
        """Make the object of exactly the parts planned. Raises Later, UnexpectedAnswer, ClientError."""
        note, parts = opened.note, plan.unpack(opened.note.parts)
        if self._work.remaining() < COMPLETE_SECONDS:
            raise Later("OutOfTime", f"all {len(parts)} parts are there; the next call completes them")
        there = self._to.parts(note)
        if any(_size(there.get(part.number)) != part.size for part in parts):
            raise Later("PartsMissing", "parts are not there that were copied; the next call copies them")
        ordered = [there[part.number] for part in parts]
        note = note.model_copy(update={"state": "completing", "copied_etag": uploads.etag_of(ordered)})
        noted = self._notes.swap(opened.noted, note)
        answer = self._to.s3.complete_multipart_upload(
            Bucket=self._to.bucket,
            Key=note.key,
            UploadId=note.upload_id,
            MultipartUpload={"Parts": [_completed(part) for part in ordered]},
            **source.completion_parameters(seen),
        )
        self._finish(note, noted, answer["ETag"], answer.get("VersionId", ""))

    def _finish(self, note: Note, noted: Noted, etag: str, version_id: str) -> None:
        """Check the size of the copy, put tags that are put later, and note that it is done."""
        copy: Any = {"Bucket": self._to.bucket, "Key": note.key}
        if version_id:
            copy["VersionId"] = version_id
        size = self._to.s3.head_object(**copy)["ContentLength"]
        if size != note.size:
            raise UnexpectedAnswer(f"the copy has {size} bytes, the source {note.size}")
        if note.tags_later:
            tag_set = source.tags(self._work.source_s3, note.item)
            self._to.s3.put_object_tagging(**copy, Tagging={"TagSet": tag_set})
        self._notes.swap(noted, note.model_copy(update={"state": "done", "copied_etag": etag}))

    def _give_up(self, item: Item, reason: str) -> None:
        """Abort what was begun, and note why. What can't be aborted stays noted, for a retry or the end of the run."""
        with suppress(*outcome.FAILURES):
            noted = self._notes.load(item)
            note = noted.note
            if note is None or note.state in {"done", "failed"}:
                return
            told: dict[str, Any] = {"reason": reason}
            if note.upload_id:
                self._to.abort(item.key, note.upload_id)
                told["state"] = "failed"
            self._notes.swap(noted, note.model_copy(update=told))


def _size(part: Any) -> int:
    return int(part["Size"]) if part else -1


def _completed(part: Any) -> Any:
    """What CompleteMultipartUpload is told of a part: number, ETag and checksums."""
    return {
        name: value
        for name, value in part.items()
        if name in {"PartNumber", "ETag"} or name.startswith("Checksum")
    }

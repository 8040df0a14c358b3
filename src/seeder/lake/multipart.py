"""Large objects that many write: created once or replaced as they were read, streamed in parts.

Contract: S3 User Guide, "How to prevent object overwrites with conditional writes": the condition is that of
CompleteMultipartUpload; a 409 restarts the whole upload. An upload that does not end well is aborted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from seeder.errors import AlreadyExists, InvalidRequest, SeederError, aws_errors
from seeder.lake.conditional import Answer, Place, Standing, answer_to
from seeder.lake.objects import BINARY, Written, defeat, late, marked, require_etag
from seeder.lake.retry import USUAL, Attempts, Retry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 8 * 1024 * 1024
MOST_PARTS = 10_000
PARTS_AT_ONCE = 4


def _tell_nobody(sent: int) -> None:
    """Take the bytes sent so far, and do nothing."""


def create(
    s3: S3Client,
    bucket: str,
    key: str,
    source: BinaryIO,
    *,
    content_type: str = BINARY,
    metadata: Mapping[str, str] | None = None,
    retry: Retry = USUAL,
    part_bytes: int = PART_BYTES,
    tell: Callable[[int], None] = _tell_nobody,
) -> Written:
    """Write an object where there is none; where the same bytes stand already, leave them and say so.

    `source` can be sought in, and is read from its beginning; parts have `part_bytes`, more where 10,000 would not do;
    `tell` is given the bytes sent so far. Where an object of that size stands it is read to compare.

    Needs s3:PutObject, s3:AbortMultipartUpload, s3:GetObject and s3:ListBucket. Raises as `objects.create` does.
    """
    place = Place(s3, bucket, key)
    transaction, attempts = retry.new_id(), Attempts(retry, place.url)
    upload = _Upload(place, source, content_type, marked(metadata, transaction), retry, part_bytes, tell)
    while True:
        stands = attempts.read(place.look)
        if stands is not None and stands.transaction == transaction:
            return Written(stands.etag, stands.version_id)
        if stands is not None:
            attempts.read(partial(upload.require_same, stands))
            return Written(stands.etag, stands.version_id, is_new=False)
        answer = upload.send("", attempts)
        if answer.refusal is None:
            return Written(answer.etag, answer.version_id)
        attempts.pause(late(place, answer))


def replace(
    s3: S3Client,
    bucket: str,
    key: str,
    source: BinaryIO,
    etag: str,
    *,
    content_type: str = BINARY,
    metadata: Mapping[str, str] | None = None,
    retry: Retry = USUAL,
    part_bytes: int = PART_BYTES,
    tell: Callable[[int], None] = _tell_nobody,
) -> Written:
    """Write an object in place of the one that was read with that ETag; `source` and the rest as in `create`.

    Needs what `create` needs. Raises as `objects.replace` does.
    """
    require_etag(etag)
    place = Place(s3, bucket, key)
    transaction, attempts = retry.new_id(), Attempts(retry, place.url)
    upload = _Upload(place, source, content_type, marked(metadata, transaction), retry, part_bytes, tell)
    while True:
        stands = attempts.read(place.look)
        if stands is not None and stands.transaction == transaction:
            return Written(stands.etag, stands.version_id)
        if stands is None or stands.etag != etag:
            attempts.end(defeat(place, stands))
        answer = upload.send(etag, attempts)
        if answer.refusal is None:
            return Written(answer.etag, answer.version_id)
        attempts.pause(late(place, answer))


@dataclass(frozen=True)
class _Upload:
    """What is to be uploaded, and where to; each sending is an upload of its own."""

    place: Place
    source: BinaryIO
    content_type: str
    metadata: Mapping[str, str]
    retry: Retry
    part_bytes: int
    tell: Callable[[int], None]

    def send(self, etag: str, attempts: Attempts) -> Answer:
        """Upload all, and complete it where the object with that ETag stands, or none if it is ""."""
        upload_id = attempts.read(self._begin)
        try:
            parts = self._put_parts(upload_id, attempts)
            answer = attempts.ask(lambda: answer_to(lambda: self._complete(upload_id, parts, etag)))
        except BaseException:
            self._abort(upload_id)
            raise
        if answer.refusal is not None:
            # After this a completion that is still under way fails, so what is looked at next stays.
            self._abort(upload_id)
        return answer

    def require_same(self, stands: Standing) -> None:
        """Raise AlreadyExists where the object that stands has other bytes than the source."""
        taken = AlreadyExists(f"{self.place.url} stands there already, with other bytes")
        if stands.size != self._size():
            raise taken
        with aws_errors():
            held = self.place.s3.get_object(
                Bucket=self.place.bucket, Key=self.place.key, IfMatch=stands.etag
            )["Body"]
            self.source.seek(0)
            while mine := self.source.read(self.part_bytes):
                if held.read(len(mine)) != mine:
                    raise taken

    def _size(self) -> int:
        return self.source.seek(0, 2)

    @aws_errors()
    def _begin(self) -> str:
        answer: Any = self.place.s3.create_multipart_upload(
            Bucket=self.place.bucket,
            Key=self.place.key,
            ContentType=self.content_type,
            Metadata=self.metadata,
        )
        return str(answer["UploadId"])

    def _put_parts(self, upload_id: str, attempts: Attempts) -> list[CompletedPartTypeDef]:
        parts: list[CompletedPartTypeDef] = []
        waiting: deque[Future[CompletedPartTypeDef]] = deque()
        size, sent = self._size(), 0

        with ThreadPoolExecutor(PARTS_AT_ONCE, "part") as pool:
            for number, piece in enumerate(self._pieces(size), start=1):
                if len(waiting) == PARTS_AT_ONCE:
                    parts.append(waiting.popleft().result())
                    self.tell(sent)
                waiting.append(pool.submit(self._put_part, upload_id, number, piece))
                sent += len(piece)
            parts += [future.result() for future in waiting]
        if sent != size:
            attempts.end(
                InvalidRequest("source", f"it had {size} bytes, then {sent}; leave it as it is until the end")
            )
        self.tell(sent)
        return parts

    def _pieces(self, size: int) -> Iterator[bytes]:
        length = max(self.part_bytes, -(-size // MOST_PARTS))
        self.source.seek(0)
        # An empty object has one part, which is empty.
        yield self.source.read(length)
        while piece := self.source.read(length):
            yield piece

    def _put_part(self, upload_id: str, number: int, piece: bytes) -> CompletedPartTypeDef:
        @aws_errors()
        def put() -> str:
            return self.place.s3.upload_part(
                Bucket=self.place.bucket,
                Key=self.place.key,
                UploadId=upload_id,
                PartNumber=number,
                Body=piece,
            )["ETag"]

        return {"PartNumber": number, "ETag": Attempts(self.retry, self.place.url).read(put)}

    def _complete(self, upload_id: str, parts: list[CompletedPartTypeDef], etag: str) -> Any:
        condition: Any = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        return self.place.s3.complete_multipart_upload(
            Bucket=self.place.bucket,
            Key=self.place.key,
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
            **condition,
        )

    def _abort(self, upload_id: str) -> None:
        """Give the upload up; where that fails too, a lifecycle rule has to."""
        with suppress(SeederError), aws_errors():
            self.place.s3.abort_multipart_upload(
                Bucket=self.place.bucket, Key=self.place.key, UploadId=upload_id
            )

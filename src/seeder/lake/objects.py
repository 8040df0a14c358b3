"""Objects that many write: created once, replaced or deleted only as they were read.

Contract: S3 User Guide, "How to prevent object overwrites with conditional writes" and "How to perform conditional
deletes". What S3 answers is kept apart: another write came first (412), nothing is decided (409: tried again), nothing
stands there (404), and no answer that tells. In the last case what stands there is looked at: each write carries an id
in its metadata, by which a call knows its own. Where that does not tell either, the call raises Undecided.

ETags are opaque: give them as they were read, with their quotes. The same bytes may have the same ETag again, so who
must notice that an object was changed and changed back writes something unique into it.

Bodies are held in memory, and S3 takes up to 5 GB in one call; `lake.multipart` streams larger ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from seeder.errors import AlreadyExists, Gone, InvalidRequest, Lost, SeederError, Throttled
from seeder.lake.conditional import TRANSACTION, Answer, Place, Refusal, Standing, Stored
from seeder.lake.retry import USUAL, Attempts, Retry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BINARY = "application/octet-stream"


class Written(NamedTuple):
    """What stands there now. `is_new`: this call wrote it; otherwise the same bytes stood there already."""

    etag: str
    version_id: str
    is_new: bool = True


def read(s3: S3Client, bucket: str, key: str, *, retry: Retry = USUAL) -> Stored | None:
    """Return the object, None where there is none. Needs s3:GetObject and s3:ListBucket.

    Raises Throttled or ServiceUnavailable at the deadline, AccessDenied, UnexpectedAnswer.
    """
    place = Place(s3, bucket, key)
    return Attempts(retry, place.url).read(place.read)


def create(
    s3: S3Client,
    bucket: str,
    key: str,
    body: bytes,
    *,
    content_type: str = BINARY,
    metadata: Mapping[str, str] | None = None,
    retry: Retry = USUAL,
) -> Written:
    """Write an object where there is none; where the same bytes stand already, leave them and say so.

    Needs s3:PutObject, s3:GetObject and s3:ListBucket. Raises AlreadyExists where other bytes stand; at the deadline
    Undecided if the object may have been written, otherwise Throttled; InvalidRequest, AccessDenied, UnexpectedAnswer.
    """
    place = Place(s3, bucket, key)
    transaction, attempts = retry.new_id(), Attempts(retry, place.url)
    sent = marked(metadata, transaction)
    while True:
        answer = attempts.ask(lambda: place.put(body, "", content_type, sent))
        if answer.refusal is None:
            return Written(answer.etag, answer.version_id)
        stands = attempts.read(place.look)
        if stands is not None and stands.transaction == transaction:
            return Written(stands.etag, stands.version_id)
        if stands is not None and stands.size != len(body):
            raise AlreadyExists(f"{place.url} stands there already, with {stands.size} other bytes")
        held = attempts.read(place.read) if stands is not None else None
        if held is not None and held.body == body:
            return Written(held.etag, held.version_id, is_new=False)
        if held is not None:
            raise AlreadyExists(f"{place.url} stands there already, with other bytes")
        attempts.pause(late(place, answer))


def replace(
    s3: S3Client,
    bucket: str,
    key: str,
    body: bytes,
    etag: str,
    *,
    content_type: str = BINARY,
    metadata: Mapping[str, str] | None = None,
    retry: Retry = USUAL,
) -> Written:
    """Write an object in place of the one that was read with that ETag.

    Needs s3:PutObject, s3:GetObject and s3:ListBucket. Raises Lost where another write came first, Gone where there is
    no object; Undecided where this call may have written the object before another did, or before the deadline;
    otherwise Throttled at the deadline; InvalidRequest, AccessDenied, UnexpectedAnswer.
    """
    require_etag(etag)
    place = Place(s3, bucket, key)
    transaction, attempts = retry.new_id(), Attempts(retry, place.url)
    sent = marked(metadata, transaction)
    while True:
        answer = attempts.ask(lambda: place.put(body, etag, content_type, sent))
        if answer.refusal is None:
            return Written(answer.etag, answer.version_id)
        _require_doubt(place, answer, attempts)
        stands = attempts.read(place.look)
        if stands is not None and stands.transaction == transaction:
            return Written(stands.etag, stands.version_id)
        if stands is None or stands.etag != etag:
            attempts.end(defeat(place, stands))
        attempts.pause(late(place, answer))


def delete(s3: S3Client, bucket: str, key: str, etag: str, *, retry: Retry = USUAL) -> None:
    """Delete the object that was read with that ETag; in a bucket with versions, put a delete marker.

    Where no answer came and nothing stands there any more it is deleted, by this call or by another at that moment.

    Needs s3:DeleteObject, s3:GetObject and s3:ListBucket. Raises Lost where another write came first, Gone where there
    is no object; Undecided where this call may have deleted it before another wrote, or before the deadline; otherwise
    Throttled at the deadline; InvalidRequest, AccessDenied, UnexpectedAnswer.
    """
    require_etag(etag)
    place = Place(s3, bucket, key)
    attempts = Attempts(retry, place.url)
    while True:
        answer = attempts.ask(lambda: place.delete(etag))
        if answer.refusal is None:
            return
        _require_doubt(place, answer, attempts)
        stands = attempts.read(place.look)
        if stands is None and attempts.is_unsure:
            return
        if stands is None or stands.etag != etag:
            attempts.end(defeat(place, stands))
        attempts.pause(late(place, answer))


def marked(metadata: Mapping[str, str] | None, transaction: str) -> dict[str, str]:
    """Return the metadata with the id of the call that writes it. Raises InvalidRequest where it has one."""
    given = dict(metadata or {})
    if TRANSACTION in map(str.lower, given):
        raise InvalidRequest("metadata", f"'{TRANSACTION}' is written by this library; give another name")
    return given | {TRANSACTION: transaction}


def require_etag(etag: str) -> None:
    """Raise InvalidRequest for what is no ETag that was read."""
    if etag in {"", "*"}:
        raise InvalidRequest("etag", f"'{etag}' names no object; give the ETag that was read")


def _require_doubt(place: Place, answer: Answer, attempts: Attempts) -> None:
    """Raise Lost or Gone where S3 said so and no attempt of this call can be the reason."""
    if attempts.is_unsure or answer.refusal not in {Refusal.LOST, Refusal.GONE}:
        return
    kind = Lost if answer.refusal is Refusal.LOST else Gone
    raise kind(f"{place.url} is not what was read: {answer.reason}; read it again")


def defeat(place: Place, stands: Standing | None) -> SeederError:
    """Return the error for an object that is not what was read."""
    if stands is None:
        return Gone(f"{place.url} was deleted since it was read")
    return Lost(f"{place.url} was written by another call since it was read; read it again")


def late(place: Place, answer: Answer) -> SeederError:
    """Return the error for a deadline that came first."""
    return Throttled(f"{place.url}: the deadline came first; the last answer was: {answer.reason}")

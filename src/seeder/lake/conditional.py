"""Single calls on one object of S3, and what their answers tell.

Contract: S3 User Guide, "How to prevent object overwrites with conditional writes" and "How to perform conditional
deletes". The current version counts: where that is a delete marker there is no object.

A client makes a call again by itself when its answer is lost. So a refusal may be that of a second attempt, which
found what the first had written: `may_have_landed` tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from seeder.errors import ServiceUnavailable, Throttled, aws_errors, code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

Value = TypeVar("Value")

TRANSACTION = "seeder-transaction"
"""The name in an object's metadata of the id of the call that wrote it."""


class Refusal(Enum):
    """Why a call did nothing, or is not known to have done something.

    LOST (412): something else stands there. CONTESTED (409): another call was under way, nothing is decided. GONE
    (404): nothing stands there. UNANSWERED: S3 failed (5xx), or its answer did not come.
    """

    LOST = "lost"
    CONTESTED = "contested"
    GONE = "gone"
    UNANSWERED = "unanswered"


_REFUSALS = {
    "PreconditionFailed": Refusal.LOST,
    "ConditionalRequestConflict": Refusal.CONTESTED,
    "OperationAborted": Refusal.CONTESTED,
    "NoSuchKey": Refusal.GONE,
}


class Answer(NamedTuple):
    """What S3 said: the ETag and version id ("" where there is none) of what was written, or why nothing was.

    `may_have_landed`: the answer to this attempt, or to an earlier one that the client made, was lost.
    """

    etag: str = ""
    version_id: str = ""
    refusal: Refusal | None = None
    may_have_landed: bool = False
    reason: str = ""


class Standing(NamedTuple):
    """What identifies the object that stands there; `transaction` is the id of the call that wrote it, or ""."""

    etag: str
    version_id: str
    transaction: str
    size: int
    metadata: dict[str, str]


class Stored(NamedTuple):
    """An object as it was read; `version_id` is "" where its bucket has no versions."""

    body: bytes
    etag: str
    version_id: str
    content_type: str
    metadata: dict[str, str]


class Place(NamedTuple):
    """Where an object stands, or may stand.

    Its methods raise AccessDenied (for an object that is not there, also if s3:ListBucket is missing: S3 API
    reference, GetObject) and UnexpectedAnswer; those that read, Throttled and ServiceUnavailable too.
    """

    s3: S3Client
    bucket: str
    key: str

    @property
    def url(self) -> str:
        """The place as `s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"

    def put(
        self, body: bytes, etag: str, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> Answer:
        """Write an object in place of the one with that ETag, or, if it is "", where there is none."""
        request: PutObjectRequestTypeDef = {
            "Bucket": self.bucket,
            "Key": self.key,
            "Body": body,
            "ContentType": content_type,
            "Metadata": metadata or {},
        }
        if etag:
            request["IfMatch"] = etag
        else:
            request["IfNoneMatch"] = "*"
        return answer_to(lambda: self.s3.put_object(**request))

    def delete(self, etag: str) -> Answer:
        """Delete the object with that ETag."""
        return answer_to(lambda: self.s3.delete_object(Bucket=self.bucket, Key=self.key, IfMatch=etag))

    def look(self) -> Standing | None:
        """Return what stands there, None where nothing does."""
        return _unless_absent(self._look)

    def read(self) -> Stored | None:
        """Return the object that stands there, None where nothing does."""
        return _unless_absent(self._read)

    def _look(self) -> Standing:
        answer = self.s3.head_object(Bucket=self.bucket, Key=self.key)
        metadata = _metadata(answer)
        transaction = metadata.pop(TRANSACTION, "")
        version_id = answer.get("VersionId", "")
        return Standing(answer["ETag"], version_id, transaction, answer["ContentLength"], metadata)

    def _read(self) -> Stored:
        answer = self.s3.get_object(Bucket=self.bucket, Key=self.key)
        body, metadata = answer["Body"].read(), _metadata(answer)
        metadata.pop(TRANSACTION, None)
        content_type = answer.get("ContentType", "")
        return Stored(body, answer["ETag"], answer.get("VersionId", ""), content_type, metadata)


def _metadata(answer: Mapping[str, Any]) -> dict[str, str]:
    """S3 stores names in lower case; not every server does."""
    return {name.lower(): value for name, value in answer["Metadata"].items()}


def _unless_absent(call: Callable[[], Value]) -> Value | None:
    with aws_errors():
        try:
            return call()
        except ClientError as error:
            if code_of(error) not in {"404", "NoSuchKey"}:
                raise
    return None


def answer_to(call: Callable[[], Any]) -> Answer:
    """Make a conditional call of boto3's and return what S3 said. Raises AccessDenied, UnexpectedAnswer."""
    try:
        with aws_errors():
            return _told(call)
    except (Throttled, ServiceUnavailable) as error:
        return Answer(refusal=Refusal.UNANSWERED, may_have_landed=True, reason=str(error))


def _told(call: Callable[[], Any]) -> Answer:
    try:
        answer = call()
    except ClientError as error:
        was_repeated = _was_repeated(error)
        refusal = _REFUSALS.get(code_of(error), Refusal.UNANSWERED if was_repeated else None)
        if refusal is None:
            raise
        return Answer(refusal=refusal, may_have_landed=was_repeated, reason=str(error))
    return Answer(answer.get("ETag", ""), answer.get("VersionId", ""))


def _was_repeated(error: ClientError) -> bool:
    """Whether the client had made the call before, which botocore counts in what it returns."""
    metadata: Any = error.response.get("ResponseMetadata", {})
    return int(metadata.get("RetryAttempts", 0)) > 0

"""Idempotency records of Powertools for AWS Lambda in S3, by conditional writes: no table is needed.

A drop-in for DynamoDBPersistenceLayer: the decorators, the configuration, the errors and the answers are Powertools'.
A record is one object. It is created where there is none (If-None-Match), and replaced where it has expired, or where
the call that made it ran out of time (If-Match): of calls at the same moment one does either, the others are told.

Records need s3:GetObject, s3:PutObject and s3:DeleteObject under the prefix, and s3:ListBucket, without which S3 calls
a record that is not there forbidden. Expired ones are removed by `lifecycle_rule`.

Contracts: Powertools for AWS Lambda (Python), "Idempotency", "Bring your own persistent store"; S3 User Guide, "How to
prevent object overwrites with conditional writes", "Lifecycle configuration elements".
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord

from seeder.errors import Gone, Lost, Throttled, UnexpectedAnswer
from seeder.lake import objects
from seeder.lake.conditional import Answer, Place, Stored
from seeder.lake.retry import Attempts, Retry

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_s3 import S3Client

__all__ = ["S3PersistenceLayer", "lifecycle_rule"]

PREFIX = "idempotency/"
RETRY = Retry(deadline_seconds=10)
_DAY_SECONDS = 24 * 3600
_IN_PROGRESS = STATUS_CONSTANTS["INPROGRESS"]
_ID = "written_by"


class S3PersistenceLayer(BasePersistenceLayer):
    """Where `idempotent` and `idempotent_function` keep their records: objects under `prefix` in `bucket`.

    `boto3_client` is used where it is given, otherwise one is made of `boto3_session` and `boto_config`. `retry` is how
    calls are made again while S3 decides nothing (409) or fails; `clock` gives seconds since 1970.

    Unlike DynamoDB's, a record is deleted after a failure only by the call that made it: one that ran out of time and
    fails later leaves the record of whoever took over.

    Example:
        store = S3PersistenceLayer("my-bucket")

        @idempotent(persistence_store=store)
        def handler(event, context): ...
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = PREFIX,
        *,
        boto_config: Config | None = None,
        boto3_session: boto3.Session | None = None,
        boto3_client: S3Client | None = None,
        retry: Retry = RETRY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools has no type there
        self.client: S3Client = boto3_client or (boto3_session or boto3.Session()).client(
            "s3", config=boto_config
        )
        self.bucket, self.prefix = bucket, prefix
        self._retry, self._clock = retry, clock
        # The ETags of the records that this thread's calls made, by idempotency key.
        self._made = threading.local()

    def _get_record(self, idempotency_key: str) -> DataRecord:
        place = self._place(idempotency_key)
        held = Attempts(self._retry, place.url).read(place.read)
        if held is None:
            raise IdempotencyItemNotFoundError
        return _read(place, held)[0]

    def _put_record(self, data_record: DataRecord) -> None:
        def check(held: DataRecord) -> None:
            if not self._is_over(held):
                self._exists(data_record, held)

        vars(self._made)[data_record.idempotency_key] = self._write(data_record, "", check)

    def _update_record(self, data_record: DataRecord) -> None:
        etag = vars(self._made).pop(data_record.idempotency_key, "")
        # Who took over has its own result for the same input: the last one stays, as in DynamoDB.
        self._write(data_record, etag, lambda _: None)

    def _delete_record(self, data_record: DataRecord) -> None:
        place = self._place(data_record.idempotency_key)
        etag = vars(self._made).pop(data_record.idempotency_key, "")
        if not etag:
            stands = Attempts(self._retry, place.url).read(place.look)
            if stands is None:
                return
            etag = stands.etag
        with suppress(Lost, Gone):
            objects.delete(self.client, place.bucket, place.key, etag, retry=self._retry)

    def _write(self, record: DataRecord, etag: str, check: Callable[[DataRecord], None]) -> str:
        """Write a record in place of the one with that ETag, "" for none, or of any that `check` lets pass.

        Return its ETag. Raises what `check` raises, and at the deadline Throttled or Undecided.
        """
        place, own = self._place(record.idempotency_key), self._retry.new_id()
        body, attempts = _body(record, own), Attempts(self._retry, place.url)
        while True:
            answer = attempts.ask(partial(place.put, body, etag, "application/json"))
            if answer.refusal is None:
                return answer.etag
            before, etag = etag, ""
            if held := attempts.read(place.read):
                etag, (stands, writer) = held.etag, _read(place, held)
                if writer == own:
                    return etag
                check(stands)
            if etag == before:
                attempts.pause(_late(place, answer))

    def _is_over(self, held: DataRecord) -> bool:
        """Whether a record stands no longer in the way: it has expired, or its call must have run out of time."""
        now = self._clock()
        if held.expiry_timestamp is not None and held.expiry_timestamp < int(now):
            return True
        ends = held.in_progress_expiry_timestamp
        return held.status == _IN_PROGRESS and ends is not None and ends < int(now * 1000)

    def _exists(self, wanted: DataRecord, held: DataRecord) -> NoReturn:
        self._validate_payload(data_payload=wanted, stored_data_record=held)
        self._save_to_cache(data_record=held)
        raise IdempotencyItemAlreadyExistsError(old_data_record=held)

    def _place(self, idempotency_key: str) -> Place:
        return Place(self.client, self.bucket, f"{self.prefix}{idempotency_key}")


def lifecycle_rule(prefix: str = PREFIX, expires_after_seconds: int = 3600) -> dict[str, Any]:
    """Return the rule for a bucket's lifecycle configuration that removes expired records, and their old versions.

    `expires_after_seconds` is that of IdempotencyConfig. S3 counts whole days, and a record counts no longer once it
    has expired, whether it is still there or not.
    """
    return {
        "ID": "expire-idempotency-records",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": max(1, -(-expires_after_seconds // _DAY_SECONDS))},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }


def _body(record: DataRecord, own: str) -> bytes:
    """The names are those of the attributes in DynamoDB; `own` makes each writing another ETag, and known again."""
    document = {
        "id": record.idempotency_key,
        "status": record.status,
        "expiration": record.expiry_timestamp,
        "in_progress_expiration": record.in_progress_expiry_timestamp,
        "data": record.response_data,
        "validation": record.payload_hash,
        _ID: own,
    }
    return json.dumps(document).encode()


def _read(place: Place, held: Stored) -> tuple[DataRecord, str]:
    """Return the record that an object holds, and who wrote it. Raises UnexpectedAnswer."""
    try:
        document = json.loads(held.body)
        record = DataRecord(
            idempotency_key=document["id"],
            status=document["status"],
            expiry_timestamp=document["expiration"],
            in_progress_expiry_timestamp=document["in_progress_expiration"],
            response_data=document["data"],
            payload_hash=document["validation"],
        )
        return record, document[_ID]
    except (ValueError, TypeError, KeyError) as error:
        problem = f"{place.url} is not an idempotency record; give this layer a prefix of its own"
        raise UnexpectedAnswer(problem) from error


def _late(place: Place, answer: Answer) -> Throttled:
    return Throttled(f"{place.url}: the deadline came first; the last answer was: {answer.reason}")

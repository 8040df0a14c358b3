"""How far a walk is, told now and then in the state bucket: what goes on within one call is not to be seen otherwise.

A note is for whoever follows a run, and for nothing else: it is an estimate, it may be lost, and a lifecycle rule
removes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ValidationError

from seeder.sink import TEMPORARY

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EVERY_SECONDS = 10.0
KEYS_OF_A_CALL = 1000
"""The most that one answer of a listing holds (S3 API reference, ListObjectsV2); the last of a range holds fewer."""


class Note(BaseModel):
    """About how many keys a walk has listed by now, those of earlier calls included; at most so many."""

    keys: int


def address(run_id: str, state: str) -> str:
    """Return the key of the note of a run's PaginateKeys or VerifyReplica, in the state bucket."""
    folder = {"PaginateKeys": "manifests", "VerifyReplica": "verification"}[state]
    return f"runs/{run_id}/{folder}/progress.json"


def telling(
    s3: S3Client,
    bucket: str,
    key: str,
    listed: Callable[[], int],
    out_of_time: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[], bool]:
    """Return `out_of_time`, which a walk asks again and again, such that every ten seconds a note is written.

    `listed` gives the keys so far. A note that can't be written is let go: the walk is worth more.
    """
    told_at = clock()

    def asked() -> bool:
        nonlocal told_at
        if clock() - told_at >= EVERY_SECONDS:
            told_at = clock()
            body = Note(keys=listed()).model_dump_json().encode()
            with suppress(ClientError, BotoCoreError):
                s3.put_object(Bucket=bucket, Key=key, Body=body, Tagging=TEMPORARY)
        return out_of_time()

    return asked


def read(s3: S3Client, bucket: str, run_id: str, state: str) -> Note | None:
    """Return the last note of a run's state; None where there is none, or it is not to be read."""
    try:
        body = s3.get_object(Bucket=bucket, Key=address(run_id, state))["Body"].read()
        return Note.model_validate_json(body)
    except (ClientError, BotoCoreError, ValidationError):
        return None

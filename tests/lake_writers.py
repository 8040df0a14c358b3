"""Many writers of one lake, in threads and in processes; SEEDER_RACE=full makes it 32 writers of 50 updates."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from seeder.lake import upkeep
from seeder.lake.lake import Lake
from seeder.lake.registry import Registry
from seeder.lake.retry import Retry

IS_FULL = os.environ.get("SEEDER_RACE") == "full"
WRITERS, UPDATES = (32, 50) if IS_FULL else (8, 10)
PROCESSES = 32 if IS_FULL else 3
BUCKET = "raced"
# Where 32 writers contend a server may take its time.
PATIENT = Retry(deadline_seconds=600)


def client_of(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            retries={"total_max_attempts": 3, "mode": "standard"},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=WRITERS,
            s3={"addressing_style": "path"},
        ),
    )


def update_many(endpoint: str, key: str, writer: int) -> None:
    """Make one writer's updates; each does it again when it is made again."""
    registry = Registry(client_of(endpoint), BUCKET, key, deadline_seconds=600)
    for turn in range(UPDATES):
        registry.update(partial(_append, f"{writer}-{turn}"))


def add_many(endpoint: str, writer: int) -> None:
    """Add one writer's files, and a file that all writers add."""
    with Lake(client_of(endpoint), BUCKET, retry=PATIENT) as lake:
        for turn in range(UPDATES):
            lake.add_file("raced", {"writer": str(writer)}, str(turn), b"%d" % turn, 1)
        lake.add_file("raced", {"writer": "all"}, "shared", b"the same", 1)


def in_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WRITERS)


def in_processes() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn"))


def no_update_is_lost_or_doubled(pool: Executor, endpoint: str, key: str) -> None:
    writers = PROCESSES if isinstance(pool, ProcessPoolExecutor) else WRITERS
    with pool:
        list(pool.map(partial(update_many, endpoint, key), range(writers)))
    last = Registry(client_of(endpoint), BUCKET, key).read()
    expected = Counter(f"{writer}-{turn}" for writer in range(writers) for turn in range(UPDATES))
    assert Counter(last.body["names"]) == expected
    assert last.revision == last.body["n"] == writers * UPDATES


def no_file_is_lost_or_doubled(pool: Executor, endpoint: str) -> None:
    writers = PROCESSES if isinstance(pool, ProcessPoolExecutor) else WRITERS
    with pool:
        list(pool.map(partial(add_many, endpoint), range(writers)))
    lake = Lake(client_of(endpoint), BUCKET)
    assert len(lake.changes()) == len(lake.read().entries) == writers * UPDATES + 1
    assert lake.datasets()["raced"].records == writers * UPDATES + 1
    assert upkeep.verify(lake) == []


def _append(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"n": body.get("n", 0) + 1, "names": [*body.get("names", []), name]}

"""Clients with which the local cloud's services call one another, as AWS's services do inside AWS."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
_NAME = "localcloud"

_lock = threading.Lock()


@lru_cache(maxsize=1)
def _session() -> boto3.Session:
    return boto3.Session(_NAME, _NAME)


@lru_cache(maxsize=256)
def _client(service: str, region: str) -> Any:
    return _session().client(
        service,  # type: ignore[call-overload]
        region_name=region,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def client(service: str, region: str = REGION) -> Any:
    """Return the boto3 client of a service in a region, one each, with the cloud's own credentials.

    No endpoint is set: the calls are answered by moto in this process.
    """
    with _lock:
        return _client(service, region)

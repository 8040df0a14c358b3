"""Walks of the real transport over raw servers, with boto3 clients that wait for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
from botocore.config import Config

from seeder.listing.page import Page
from seeder.listing.walk import Walk
from seeder.listing.wire import Wire
from tests.listed import ListedBucket
from tests.raw_server import RawServer, Request, Step, listing, ok
from tests.signatures import Keys

KEYS = Keys("AKIDEXAMPLE", "secret")
NAMES = [f"{number:04}" for number in range(400)]


def bucket(page: int = 10) -> ListedBucket:
    return ListedBucket(NAMES, page=page)


def serving(page: int = 10) -> Callable[[Request], list[Step]]:
    """Return what answers with the pages of a bucket that holds NAMES."""
    pages = listing(bucket(page))
    return lambda request: [ok(pages(request))]


@contextmanager
def client(url: str, config: Config | None = None, **arguments: Any) -> Iterator[Any]:
    """Give a boto3 client; its connections are closed at the end."""
    s3 = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-west-3",
        aws_access_key_id=KEYS.id,
        aws_secret_access_key=KEYS.secret,
        config=Config(read_timeout=5, connect_timeout=5, max_pool_connections=64).merge(config or Config()),
        **arguments,
    )
    try:
        yield s3
    finally:
        s3.close()


@contextmanager
def wired(server: RawServer, config: Config | None = None, **arguments: Any) -> Iterator[Wire]:
    with client(server.url, config, **arguments) as s3, closing(Wire(s3, "bucket")) as wire:
        yield wire


def walked(wire: Wire, workers: int = 4) -> list[str]:
    """Return the keys of a walk in order."""
    found: list[str] = []

    def accept(page: Page, stop: int) -> None:
        found.extend(page.decoded[:stop])

    assert Walk(wire, accept, workers=workers, sleep=lambda _: None).run() == []
    return sorted(found)

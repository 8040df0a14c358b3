"""Listings in S3's order of servers that have another: SeaweedFS and others sort by folders.

Two buckets can be compared in one walk only where both list in the order of UTF-8 bytes. For a server that does not,
a bucket is listed whole into a table on disk, from which further requests are answered in that order.
Contract: API reference, ListObjectsV2.
"""

from __future__ import annotations

import io
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from seeder.listing.any_order import list_all
from seeder.listing.wire import Wire

if TYPE_CHECKING:
    import boto3

    from seeder.clients import Clients
    from seeder.listing.page import Page

LARGEST_PAGE = 1000
_OBJECT = re.compile(rb"<Contents>(.*?)</Contents>", re.DOTALL)
_KEY = re.compile(rb"<Key>[^<]*</Key>")
_TABLE = "CREATE TABLE objects (key BLOB PRIMARY KEY, told BLOB) WITHOUT ROWID"


class Ordered:
    """Answers ListObjectsV2 for the clients of a session, once `begin` was called; until then the server does.

    `clients` are others, which reach the server.
    """

    def __init__(self, clients: Clients, region: str) -> None:
        self._clients = clients
        self._region = region
        self._asked = threading.local()
        self._lock = threading.Lock()
        self._tables: dict[tuple[str, str], _Table] = {}
        self.has_begun = False

    def attach(self, session: boto3.Session) -> None:
        """Answer for clients that the session makes from now on."""
        answer: Any = self._answer  # what such a hook returns is not in its declared type
        session.events.register("provide-client-params.s3.ListObjectsV2", self._note)
        session.events.register("before-send.s3.ListObjectsV2", answer)

    def begin(self) -> None:
        """Answer from now on."""
        self.has_begun = True

    def forget(self) -> None:
        """Have what is asked for next be listed afresh."""
        with self._lock:
            for table in self._tables.values():
                table.close()
            self._tables.clear()

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self._asked.params = params

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        asked: dict[str, Any] = self._asked.params
        if not self.has_begun or "Delimiter" in asked:
            return None
        table = self._table(asked["Bucket"], asked.get("Prefix", ""))
        after = unquote(asked.get("ContinuationToken", "")) or asked.get("StartAfter", "")
        body = table.page(after, min(int(asked.get("MaxKeys", LARGEST_PAGE)), LARGEST_PAGE))
        headers = HTTPHeaders()
        headers["content-type"] = "application/xml"
        return AWSResponse(request.url, 200, headers, _Raw(body))

    def _table(self, bucket: str, prefix: str) -> _Table:
        with self._lock:
            if (bucket, prefix) not in self._tables:
                with closing(Wire(self._clients.s3(self._region), bucket)) as wire:
                    table = _Table()
                    list_all(wire, table.accept, table.restart, prefix=prefix)
                self._tables[bucket, prefix] = table
            return self._tables[bucket, prefix]


class _Table:
    """The objects of a listing, by the bytes of their keys; in a file that is gone when it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._rows.execute(_TABLE)

    def close(self) -> None:
        with self._lock:
            self._rows.close()

    def accept(self, page: Page, stop: int) -> None:
        """Add the first objects of a page, as they are told there."""
        told = [_KEY.sub(b"", found) for found in _OBJECT.findall(page.body)]
        keys = (key.encode() for key in page.decoded)
        rows = list(zip(keys, told, strict=True))[:stop]
        with self._lock:
            self._rows.execute("BEGIN")
            self._rows.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?)", rows)
            self._rows.execute("COMMIT")

    def restart(self) -> None:
        """Forget all."""
        with self._lock:
            self._rows.execute("DELETE FROM objects")

    def page(self, after: str, count: int) -> bytes:
        """Return the answer that holds what comes after a key."""
        with self._lock:
            found = self._rows.execute(
                "SELECT key, told FROM objects WHERE key > ? ORDER BY key LIMIT ?",
                (after.encode(), count + 1),
            ).fetchall()
        shown, truncated = found[:count], len(found) > count
        return b"".join(_xml(shown, truncated))


class _Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _xml(shown: list[tuple[bytes, bytes]], truncated: bool) -> Iterator[bytes]:
    yield b"<ListBucketResult><EncodingType>url</EncodingType>"
    yield b"<KeyCount>%d</KeyCount><IsTruncated>%b</IsTruncated>" % (
        len(shown),
        b"true" if truncated else b"false",
    )
    if truncated and shown:
        yield b"<NextContinuationToken>%b</NextContinuationToken>" % quote(shown[-1][0]).encode()
    for key, told in shown:
        yield b"<Contents><Key>%b</Key>%b</Contents>" % (quote(key, safe="/").encode(), told)
    yield b"</ListBucketResult>"

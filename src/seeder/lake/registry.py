"""A JSON document that many writers swap, with no lock: each update is applied once to what stands there.

Contract: S3 User Guide, "How to prevent object overwrites with conditional writes". Every write is conditional, so it
works where a bucket's policy refuses all others. An ETag never comes back, for each revision holds an id of its own;
and by the ids of the last writes a writer whose answer was lost finds out whether its update is in.

One object takes about 15 swaps a second in S3, whatever the client.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from seeder.errors import Throttled, Undecided
from seeder.lake.conditional import Place
from seeder.lake.document import Document, decode, encode
from seeder.lake.retry import Attempts, Retry
from seeder.lake.schema import ANY, Schema

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_JSON = "application/json"


class Snapshot(NamedTuple):
    """One revision of a registry, counted from 1, and its ETag; revision 0, {} and "" where there is no object."""

    revision: int
    body: dict[str, Any]
    etag: str


Function = Callable[[dict[str, Any]], dict[str, Any] | None]
"""An update: given a copy of the body it returns the one to write, or None to write nothing."""


class _Sent(NamedTuple):
    """What was sent to stand in place of an ETag, after a revision."""

    etag: str
    revision: int
    data: bytes


class Registry:
    """A registry at one key. Needs s3:GetObject, s3:PutObject and s3:ListBucket. Threads may share it.

    `schema` is the version of the body that its caller knows: older bodies are migrated as they are read, newer ones
    refused, and what a function returns is checked before it is written.
    """

    def __init__(
        self,
        s3: S3Client,
        bucket: str,
        key: str,
        *,
        schema: Schema = ANY,
        deadline_seconds: float = 60,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._place = Place(s3, bucket, key)
        self._schema = schema
        self._retry = Retry(deadline_seconds, sleep, clock, uniform, new_id)

    def read(self) -> Snapshot:
        """Return what stands there.

        Raises InvalidRequest where that is no registry or one of a newer format; Throttled or ServiceUnavailable at
        the deadline; AccessDenied, UnexpectedAnswer.
        """
        etag, data = self._load(self._begin())
        return self._snapshot(etag, data)

    def update(self, function: Function) -> Snapshot:
        """Apply a function to the body and write what it returns; return the revision that was written.

        The function gets a copy. It is called again, with what stands there then, when another writer came first;
        where it returns None nothing is written, and what stands there is returned. Its exceptions pass, and leave the
        registry as it was. The ETag returned is "" if the answer was lost and another write has followed since.

        Raises Throttled where other writers came first until the deadline; Undecided, a ServiceUnavailable, where no
        answer told whether the update is in: before it is made again, see whether it is. InvalidRequest for a body that
        JSON can't hold, and as `read` does; AccessDenied, UnexpectedAnswer.
        """
        attempts, transaction = self._begin(), self._retry.new_id()
        sent: _Sent | None = None
        while True:
            etag, data = self._load(attempts)
            # As long as the same revision stands there an earlier write may still land, so none but that is sent.
            if sent is None or sent.etag != etag:
                now = attempts.read(partial(self._decode, data))
                if sent is not None and transaction in now.transactions:
                    return self._landed(sent, etag, now)
                _require_knowledge(attempts, sent, now)
                sent = self._apply(function, etag, now, transaction)
            if sent is None:
                return self._snapshot(etag, data)
            written = self._send(sent, attempts)
            if written is not None:
                return written

    def _apply(
        self,
        function: Function,
        etag: str,
        now: Document,
        transaction: str,
    ) -> _Sent | None:
        body = function(now.body)
        if body is None:
            return None
        return _Sent(etag, now.revision, encode(now.next(self._schema.checked(body), transaction)))

    def _send(self, sent: _Sent, attempts: Attempts) -> Snapshot | None:
        """Write once; return None, after a pause, where it did not come to pass or no answer tells that it did."""
        answer = attempts.ask(lambda: self._place.put(sent.data, sent.etag, _JSON))
        if answer.refusal is None:
            return self._snapshot(answer.etag, sent.data)
        attempts.pause(
            Throttled(f"{self._place.url}: other writers came first; last, S3 said: {answer.reason}")
        )
        return None

    def _landed(self, sent: _Sent, etag: str, now: Document) -> Snapshot:
        mine = self._decode(sent.data)
        return Snapshot(mine.revision, mine.body, etag if now.revision == mine.revision else "")

    def _begin(self) -> Attempts:
        return Attempts(self._retry, self._place.url)

    def _load(self, attempts: Attempts) -> tuple[str, bytes | None]:
        stored = attempts.read(self._place.read)
        return (stored.etag, stored.body) if stored is not None else ("", None)

    def _decode(self, data: bytes | None) -> Document:
        if data is None:
            return Document(0, (), {})
        document = decode(self._place.url, data)
        return document._replace(body=self._schema.migrated(self._place.url, document.body))

    def _snapshot(self, etag: str, data: bytes | None) -> Snapshot:
        document = self._decode(data)
        return Snapshot(document.revision, document.body, etag)


def _require_knowledge(attempts: Attempts, sent: _Sent | None, now: Document) -> None:
    """Raise Undecided where an earlier write may have landed so many revisions ago that no trace is left.

    Otherwise it did not, and can't any more: what it was to replace is not there.
    """
    if sent is not None and attempts.is_unsure and not now.reaches(sent.revision):
        raise Undecided(
            f"{attempts.where}: no answer told whether the update is in, and {now.revision - sent.revision} revisions "
            "have followed; read it to know"
        )
    attempts.is_unsure = False

"""Objects in memory with the conditional writes of S3, served on 127.0.0.1 by one process.

    python -m benchmarks.synthetic.conditional

prints its URL and serves until SIGTERM, an hour at most. Each request is answered whole before the next, so that what
is measured is the contention of clients, not that of a server.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import unquote

from benchmarks.synthetic.http import COUNTERS, Connection, StatsSource
from benchmarks.synthetic.uploads import Answer

if TYPE_CHECKING:
    from benchmarks.synthetic.service import Service

HOST = "127.0.0.1"

_LIFE_SECONDS = 3600
_ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{0}</Code><Message>{0}</Message></Error>'


class _Held(NamedTuple):
    body: bytes
    headers: dict[str, str]


class Objects:
    """PutObject, GetObject, HeadObject and DeleteObject, with If-Match and If-None-Match."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    @staticmethod
    def is_listing(method: str, target: str) -> bool:
        """Nothing is listed here."""
        return False

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request."""
        name = unquote(target.partition("?")[0])
        held = self._held.get(name)
        if method in {"GET", "HEAD"}:
            if held is None:
                return _refused(404, "NoSuchKey")
            return Answer(body=held.body, headers=held.headers)
        refusal = _refusal(headers, held)
        if refusal is not None:
            return refusal
        if method == "DELETE":
            self._held.pop(name, None)
            return Answer(204)
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        own = {key: value for key, value in headers.items() if key.startswith("x-amz-meta-")}
        self._held[name] = _Held(body, {"ETag": etag, **own})
        return Answer(headers={"ETag": etag})


def _refusal(headers: Mapping[str, str], held: _Held | None) -> Answer | None:
    if headers.get("if-none-match") == "*" and held is not None:
        return _refused(412, "PreconditionFailed")
    wanted = headers.get("if-match")
    if wanted and held is None:
        return _refused(404, "NoSuchKey")
    if wanted and held is not None and held.headers["ETag"] != wanted:
        return _refused(412, "PreconditionFailed")
    return None


def _refused(status: int, code: str) -> Answer:
    return Answer(status, _ERROR.format(code).encode(), {"Content-Type": "application/xml"})


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Run a server in a process of its own, which ends with the context; yield its URL."""
    command = [sys.executable, "-m", "benchmarks.synthetic.conditional"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


async def serve() -> None:
    """Serve until SIGTERM."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    counters = memoryview(bytearray(8 * COUNTERS)).cast("q")
    objects, stats = cast("Service", Objects()), StatsSource(counters)
    server = await loop.create_server(lambda: Connection(objects, 0, counters, stats), HOST, 0, backlog=1024)
    print(f"http://{HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), _LIFE_SECONDS)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())

"""A synthetic S3 server for listings, on 127.0.0.1, in processes of its own.

    python -m benchmarks.s3server --space flat --keys 1000000 --latency-ms 0 --port 0 --processes 1

prints its URL and the name of the bucket to list, and serves until SIGINT or SIGTERM. A second bucket, `replica`,
lacks one object in a thousand, holds another differently and has one more. Any other bucket takes objects, single or
in parts. Signatures are not checked. `--self-check` compares all of it with a naive model of S3 instead.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.synthetic.http import COUNTERS, STATS, Connection, StatsSource
from benchmarks.synthetic.service import REPLICA, SOURCE, Service, Settings
from benchmarks.synthetic.spaces import NAMES

HOST = "127.0.0.1"

_BACKLOG = 1024
_SEND_BUFFER = 1024 * 1024
_START_SECONDS = 30
_STOP_SECONDS = 10
_LIFE_SECONDS = 3600
_ENDS = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}


@dataclass(frozen=True)
class Server:
    """A server that runs in a process of its own."""

    port: int
    pid: int
    bucket: str = SOURCE
    replica: str = REPLICA

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://{HOST}:{self.port}"

    def stats(self) -> dict[str, int]:
        """Return what was served since the start: pages, bytes of them, refused pages, cpu_us."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_START_SECONDS)
        try:
            connection.request("GET", STATS)
            return dict(json.loads(connection.getresponse().read()))
        finally:
            connection.close()


@contextlib.contextmanager
def running(settings: Settings, processes: int = 1) -> Iterator[Server]:
    """Run a server in processes of its own; they end with the context."""
    arguments = ["--space", settings.space, "--keys", str(settings.keys), "--processes", str(processes)]
    arguments += ["--latency-ms", str(settings.latency * 1000), "--slow-down", str(settings.slow_down)]
    arguments += ["--versions-per-key", str(settings.versions_per_key), *(["--keep"] * settings.keep_all)]
    arguments += ["--marks", str(settings.marks)] if settings.marks else []
    command = [sys.executable, "-m", "benchmarks.s3server", *arguments]
    root = Path(__file__).parent.parent
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        url = process.stdout.readline().partition(" ")[0]
        if not url:
            raise RuntimeError(f"the server did not start: {' '.join(command)}")
        yield Server(int(url.rpartition(":")[2]), process.pid)
    finally:
        process.terminate()
        process.wait(timeout=_STOP_SECONDS)
        if process.stdout:
            process.stdout.close()


def serve(settings: Settings, port: int, processes: int) -> None:
    """Serve until SIGINT or SIGTERM, which the caller has blocked, or the end of a child; an hour at most."""
    counters = memoryview(mmap.mmap(-1, 8 * COUNTERS * processes)).cast("q")
    with tempfile.TemporaryDirectory(prefix="s3server-") as directory:
        sockets = [_listening(port)]
        bound = sockets[0].getsockname()[1]
        sockets += [_listening(bound) for _ in range(processes - 1)]
        lifeline, held = os.pipe()
        for number, listener in enumerate(sockets):
            if os.fork() == 0:
                os.close(held)
                own = counters[number * COUNTERS : (number + 1) * COUNTERS]
                _child(_serving(settings, Path(directory), listener, lifeline, own, StatsSource(counters)))
        for listener in sockets:
            listener.close()
        print(f"http://{HOST}:{bound} {SOURCE}", flush=True)
        signal.sigtimedwait(_ENDS, _LIFE_SECONDS)
        os.close(held)
        for _ in sockets:
            os.wait()


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    listener.bind((HOST, port))
    listener.listen(_BACKLOG)
    return listener


def _child(work: Coroutine[Any, Any, None]) -> NoReturn:
    status = 1
    try:
        asyncio.run(work)
        status = 0
    finally:
        os._exit(status)


async def _serving(
    settings: Settings,
    directory: Path,
    listener: socket.socket,
    lifeline: int,
    own: memoryview,
    total: StatsSource,
) -> None:
    """Serve on one socket until the parent lets go of the other end of `lifeline`, or dies."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(lifeline, ended.set)
    service = Service(settings, directory)
    connect = partial(Connection, service, settings.latency, own, total)
    server = await loop.create_server(connect, sock=listener, backlog=_BACKLOG)
    await ended.wait()
    server.close()


def main() -> None:
    """Read the arguments, serve or check."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.s3server", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--space", choices=NAMES, default="flat", help="which keys (default: flat)")
    parser.add_argument("--keys", type=int, default=1_000_000, help="rows to list: objects, or versions")
    parser.add_argument("--versions-per-key", type=int, default=3, help="in the space 'versions'")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait before each page")
    parser.add_argument("--slow-down", type=float, default=0, help="share of pages answered with 503")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the bodies of uploads over 1 MiB")
    parser.add_argument("--marks", type=Path, help="list what was copied, by these marks, as bucket 'copies'")
    parser.add_argument("--self-check", action="store_true", help="compare with a naive model, and exit")
    given = parser.parse_args()
    if given.self_check:
        from benchmarks.synthetic.check import self_check

        print(self_check())
        return
    settings = Settings(
        given.space,
        given.keys,
        given.versions_per_key,
        given.latency_ms / 1000,
        given.slow_down,
        given.keep,
        given.marks,
    )
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    serve(settings, given.port, given.processes)


if __name__ == "__main__":
    main()

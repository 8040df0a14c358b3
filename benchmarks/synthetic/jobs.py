"""The local cloud's S3 Batch Operations in a process of its own, on 127.0.0.1: copies that set marks, real reports.

    python -m benchmarks.synthetic.jobs SPACE KEYS MARKS ENDPOINT SPEED

prints its URL and serves until SIGTERM, an hour at most. It is to be used as a forward proxy for S3 Control, since the
SDK puts the account's id before the host. Manifests are read from, and reports written to, the S3 server at ENDPOINT.
Of 4,000 objects four fail when they are tried for the first time: one in a way that no retry would help, but whoever
tries again later succeeds, as after a policy was corrected.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.session
from botocore.awsrequest import AWSPreparedRequest

from benchmarks.synthetic.copies import COPIED, FAILED_ONCE, open_marks
from benchmarks.synthetic.entries import encoded
from benchmarks.synthetic.spaces import Space, bucket
from localcloud import batch_operations
from localcloud.batch_operations import in_process
from localcloud.batch_operations.operations.base import JobContext
from localcloud.batch_operations.task import Outcome, Task, decode_key, failed
from localcloud.clock import ScaledClock

HOST, ACCOUNT = "127.0.0.1", "123456789012"
PERIOD = 4000
PERMANENT = {7: (403, "AccessDenied", "Access Denied")}
PASSING = {
    1013: (503, "SlowDown", "Please reduce your request rate."),
    2013: (503, "SlowDown", "Please reduce your request rate."),
    3500: (500, "InternalError", "We encountered an internal error. Please try again."),
}

_FAILING = PERMANENT | PASSING
_LIFE_SECONDS = 3600
_STOP_SECONDS = 10
_MISSING = failed(404, "NoSuchKey", "The specified key does not exist.")


def failures(keys: int, which: dict[int, tuple[int, str, str]]) -> int:
    """Return how many of the first `keys` objects fail at first in these ways."""
    return sum((keys - place - 1) // PERIOD + 1 for place in which if place < keys)


class Plane:
    """Copies of a space's objects: each sets the mark of its key, or fails."""

    def __init__(self, space: Space, marks: Path) -> None:
        self._space = space
        self._marks = open_marks(marks)

    def operation(self, name: str, context: JobContext) -> Plane:
        """Return what does a job's tasks."""
        return self

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Yield each task with its outcome."""
        marks, success = self._marks, Outcome(True)
        places: dict[str, int] = {}
        for task in tasks:
            index = places.get(task.key)
            if index is None:
                places = self._block(task.key)
                index = places.get(task.key)
            if index is None:
                yield task, _MISSING
            elif index % PERIOD in _FAILING and marks[index] != FAILED_ONCE:
                marks[index] = FAILED_ONCE
                yield task, _failure(index)
            else:
                marks[index] = COPIED
                yield task, success

    def _block(self, key: str) -> dict[str, int]:
        """Return the indices of the keys, as a manifest has them, of the block where a key belongs."""
        space = self._space
        at = max(space.right((decode_key(key) or "").encode()) - 1, 0)
        block = space.block_of(at)
        start, stop = space.start(block), space.start(block + 1)
        head = space.head(block)
        return {_shown(head + space.tails[index - start]): index for index in range(start, stop)}


def _shown(key: bytes) -> str:
    return encoded(key).decode().replace("+", "%20")


def _failure(index: int) -> Outcome:
    status, code, message = _FAILING[index % PERIOD]
    told = f"(Service: Amazon S3; Status Code: {status}; Error Code: {code}; Request ID: {index:016X})"
    return failed(status, code, f"{message} {told}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers: Any = self.headers
        asked = AWSPreparedRequest(self.command, self.path, headers, body, stream_output=False)
        answered = in_process.answer(asked, ACCOUNT)
        self.send_response(answered.status_code)
        for name, value in answered.headers.items():
            if name.lower() not in {"content-length", "connection", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answered.content)))
        self.end_headers()
        self.wfile.write(answered.content)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - names of BaseHTTPRequestHandler

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def serve(space: str, keys: int, marks: Path, endpoint: str, speed: float) -> None:
    """Serve until SIGTERM."""
    session = botocore.session.Session()
    session.set_credentials("jobs", "jobs")

    def client(service: str, region: str) -> Any:
        named: Any = service
        return session.create_client(named, region_name=region, endpoint_url=endpoint)

    batch_operations.configure(
        batch_operations.Settings(
            clock=ScaledClock(speed),
            data_plane=Plane(bucket(space, keys).objects, marks),
            begin_session=lambda job: batch_operations.OutsideSession(job, client),
        )
    )
    with ThreadingHTTPServer((HOST, 0), _Handler) as server:
        server.daemon_threads = True
        end = threading.Timer(_LIFE_SECONDS, server.shutdown)
        end.daemon = True
        end.start()
        print(f"http://{HOST}:{server.server_port}", flush=True)
        server.serve_forever()


@contextlib.contextmanager
def running(space: str, keys: int, marks: Path, endpoint: str, speed: float) -> Iterator[str]:
    """Run the service in a process of its own, which ends with the context; yield its URL."""
    command = [sys.executable, "-m", "benchmarks.synthetic.jobs", space, str(keys), str(marks), endpoint]
    root = Path(__file__).parents[2]
    process = subprocess.Popen([*command, str(speed)], stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError("the jobs' service did not start")
        yield url
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
        if process.stdout:
            process.stdout.close()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], float(sys.argv[5]))

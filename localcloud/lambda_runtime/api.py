"""Lambda's Runtime API, by which one instance fetches its invocations and answers them.

The contract is that of the Lambda developer guide, "Using the Lambda runtime API for custom runtimes"
(version 2018-06-01).
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from localcloud.lambda_runtime.outcome import RESPONSE_BYTES

_VERSION = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Invocation:
    """One event for an instance; `seconds` is what it may take."""

    request_id: str
    event: bytes
    function_arn: str
    seconds: float


@dataclass(frozen=True)
class Answer:
    """What an instance answered: `kind` is "response", "error", or "init" when it could not start."""

    kind: str
    body: bytes


class RuntimeApi:
    """The API's server for one instance, on 127.0.0.1, from its making until `stop`.

    `ready` is set once the instance has asked for its first invocation, or failed to start.
    """

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.answers: queue.Queue[Answer] = queue.Queue()
        self._offered: queue.Queue[Invocation | None] = queue.Queue()
        self._current = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True, name="runtime-api").start()

    @property
    def address(self) -> str:
        """Host and port, as AWS_LAMBDA_RUNTIME_API has them."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def offer(self, invocation: Invocation) -> None:
        """Hand an invocation to the instance, which has answered the one before."""
        self._offered.put(invocation)

    def stop(self) -> None:
        """Release the port and the threads."""
        self._offered.put(None)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def next(self) -> Invocation | None:
        """Wait for an invocation; None when there will be no more."""
        self.ready.set()
        invocation = self._offered.get()
        self._current = invocation.request_id if invocation else ""
        return invocation

    def take(self, kind: str, request_id: str, body: bytes) -> tuple[int, dict[str, str]]:
        """Take an answer; return the HTTP status and document that the instance gets for it."""
        if kind != "init" and request_id != self._current:
            return 400, {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"}
        self._current = ""
        self.answers.put(Answer(kind, body))
        if kind == "init":
            self.ready.set()
        if len(body) > RESPONSE_BYTES:
            return 413, {
                "errorType": "RequestEntityTooLarge",
                "errorMessage": "Exceeded maximum payload size",
            }
        return 202, {"status": "OK"}

    def _serve(self) -> None:
        with suppress(OSError):  # stopped
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the instance has ended
            _Handler(connection, ("", 0), self)  # type: ignore[arg-type]  # it needs nothing of a socketserver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        """Answer with the next invocation, once there is one."""
        if self.path != f"{_VERSION}/invocation/next":
            self._answer(404, {}, b"{}")
            return
        invocation = self.server.next()
        if invocation is None:
            self.close_connection = True
            return
        deadline = int((time.time() + invocation.seconds) * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{deadline // 1000:08x}-{invocation.request_id[-12:]:0>24};Sampled=0",
        }
        self._answer(200, headers, invocation.event)

    def do_POST(self) -> None:
        """Take a response or an error."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.path.removeprefix(_VERSION).split("/")[1:]:
            case ["invocation", request_id, ("response" | "error") as kind]:
                status, told = self.server.take(kind, request_id, body)
            case ["init", "error"]:
                status, told = self.server.take("init", "", body)
            case _:
                status, told = 404, {}
        self._answer(status, {}, json.dumps(told).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Print nothing."""

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

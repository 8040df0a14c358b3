"""S3 Batch Operations for a run in this process: AWS's own, or the local cloud's against the S3 of the run.

AWS's jobs can't call a function that is not deployed, so those for large objects are always done here.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seeder.clients import Clients
from seeder.large.session import patient
from seeder_cli.here.machine import Resource, StateError

if TYPE_CHECKING:
    import boto3
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

# Copies at once; S3 makes each of them itself.
WORKERS = 32
STOP_SECONDS = 60.0
_MADE = re.compile(rb"<JobId>([^<]+)</JobId>")
_ENDED = frozenset({"Complete", "Failed", "Cancelled"})


class LocalJobs:
    """The jobs that are done in this process: all of them, or those alone that call the function of large objects.

    `copy_large` is that function. `ended` is called when a job has ended.
    """

    def __init__(self, account: str, every: bool, copy_large: Resource, ended: Callable[[], None]) -> None:
        self._account = account
        self._every = every
        self._copy_large = copy_large
        self._ids: set[str] = set()
        self._service: Any = None
        self._clients = Clients(patient())
        self._ended = ended

    def attach(self, session: boto3.Session) -> None:
        """Have requests of S3 Control answered here, of clients that the session makes from now on."""
        answer: Any = self._answer  # what such a hook returns is not in its declared type
        session.events.register("before-send.s3-control", answer)

    def close(self) -> None:
        """Leave the service as it was."""
        if self._service:
            self._service.configure(self._service.Settings())

    def stop(self) -> None:
        """Await that the jobs which were cancelled have ended. Raises TimeoutError."""
        if self._service:
            self._service.wait_for_idle(STOP_SECONDS)

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        if not self._is_ours(request):
            return None
        from localcloud.batch_operations import in_process

        self._begin()
        answered = in_process.answer(request, self._account)
        if made := _MADE.search(answered.content):
            self._ids.add(made[1].decode())
        return answered

    def _is_ours(self, request: AWSPreparedRequest) -> bool:
        if self._every:
            return True
        names = urlsplit(request.url).path.split("/")
        return bool(self._ids.intersection(names)) or b"<LambdaInvoke>" in _bytes(request.body)

    def _begin(self) -> None:
        """Configure the service when it is first needed: importing it takes a second."""
        if self._service is not None:
            return
        from localcloud import batch_operations
        from localcloud.clock import ScaledClock

        batch_operations.configure(
            batch_operations.Settings(
                clock=ScaledClock(),
                begin_session=lambda job: batch_operations.OutsideSession(job, self._client),
                data_plane=batch_operations.OutsideDataPlane(WORKERS),
                report_encryption={},
                emit=self._look_at,
            )
        )
        self._service = batch_operations

    def _look_at(self, event: dict[str, Any], _region: str) -> None:
        if event["detail"]["serviceEventDetails"]["status"] in _ENDED:
            self._ended()

    def _client(self, service: str, region: str) -> Any:
        return _Lambda(self._copy_large) if service == "lambda" else self._clients.s3(region)


class _Lambda:
    """The one call of Lambda that a job makes, answered by a handler."""

    def __init__(self, handler: Resource) -> None:
        self._handler = handler

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """Return Lambda's answer of a call."""
        try:
            return {"Payload": io.BytesIO(json.dumps(self._handler(json.loads(Payload))).encode())}
        except StateError as error:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(error.cause.encode())}


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body or "").encode()

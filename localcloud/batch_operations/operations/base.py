"""What operations share: injected faults, rows that are no use, retries, errors as outcomes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError

from localcloud.batch_operations.retries import patiently
from localcloud.batch_operations.task import Outcome, Task, decode_key, failed

if TYPE_CHECKING:
    from localcloud.batch_operations.job_session import JobSession
    from localcloud.batch_operations.settings import Settings

_BARE = {"403": ("AccessDenied", "Access Denied"), "404": ("NoSuchKey", "The specified key does not exist.")}
"""What answers without a body stand for."""

MISSING_VERSION = (400, "InvalidRequest", "Task failed due to missing VersionId")


@dataclass(frozen=True)
class JobContext:
    """What an operation knows of its job."""

    job_id: str
    names: tuple[str, ...]
    account: str
    region: str
    parameters: dict[str, Any]
    session: JobSession
    settings: Settings


class Operation(ABC):
    """One operation with one job's parameters."""

    missing_version = MISSING_VERSION

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.parameters = context.parameters
        self.session = context.session
        self.settings = context.settings

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Yield each task with its outcome. Raises UnsupportedPolicy where a policy cannot be evaluated."""
        for task in tasks:
            yield task, self.outcome(task)

    def outcome(self, task: Task) -> Outcome:
        """Return how a task ends. Raises UnsupportedPolicy where a policy cannot be evaluated."""
        key = decode_key(task.key, self.settings.plus_is_space)
        return injected(self.context, task) or self.refusal(task, key) or self._attempt(task, key or "")

    @abstractmethod
    def perform(self, task: Task, key: str) -> Outcome:
        """Carry out one task; `key` is decoded. Errors of botocore may pass."""

    def refusal(self, task: Task, key: str | None) -> Outcome | None:
        """Return the outcome of a task that is not even tried, or None."""
        if key is None:
            return failed(*self.settings.undecodable_key)
        if task.version_id == "":
            return failed(*self.missing_version)
        return None

    def _attempt(self, task: Task, key: str) -> Outcome:
        try:
            return patiently(lambda: self.perform(task, key), self.settings)
        except (ClientError, BotoCoreError) as error:
            return self.outcome_of(error)

    def outcome_of(self, error: Exception) -> Outcome:
        """Return the outcome of a call that failed, worded as the AWS SDK for Java words it in reports."""
        if isinstance(error, ClientError):
            answer = error.response
            status = answer["ResponseMetadata"]["HTTPStatusCode"]
            code, message = answer["Error"]["Code"], answer["Error"].get("Message", "")
            return self.refused(status, *_BARE.get(code, (code, message)))
        if isinstance(error, ParamValidationError):
            return self.refused(400, "InvalidRequest", str(error).replace("\n", " "))
        if isinstance(error, HTTPClientError):
            return self.refused(500, "RequestTimeout", "The request to Amazon S3 timed out")
        return self.refused(500, "InternalError", str(error))

    def refused(self, status: int, code: str, message: str, service: str = "Amazon S3") -> Outcome:
        """Return the outcome of a call that a service refused."""
        request_id = self.settings.new_id().replace("-", "")[:16].upper()
        detail = (
            f"{message} (Service: {service}; Status Code: {status}; Error Code: {code}; "
            f"Request ID: {request_id}; S3 Extended Request ID: {self.settings.new_id()}; Proxy: null)"
        )
        return failed(status, code, detail)

    def denied(self) -> Outcome:
        """Return the outcome of a call that the job role may not make."""
        return self.refused(403, "AccessDenied", "Access Denied")

    def key_refusal(
        self, action: str, key_id: str | None, bucket: str, key: str, bucket_key: bool
    ) -> Outcome | None:
        """Return the outcome of a task whose KMS key the job role may not use, or nobody can; else None.

        With an S3 Bucket Key the encryption context is the bucket, otherwise the object.
        """
        if not self.session.may_use_key(action, key_id, bucket, "" if bucket_key else key):
            return self.denied()
        held = self.session.kms_key(key_id, bucket) if key_id else None
        if held is None or held.state == "Enabled":
            return None
        if held.state == "Disabled":
            return self.refused(400, "KMS.DisabledException", f"{held.arn} is disabled.")
        return self.refused(400, "KMS.KMSInvalidStateException", f"{held.arn} is {held.state}.")


def injected(context: JobContext, task: Task) -> Outcome | None:
    """Return the outcome that an injected fault gives a task, or None."""
    strikes = context.settings.strikes
    if not strikes:
        return None
    key = decode_key(task.key, context.settings.plus_is_space)
    fault = strikes.strike(key=task.key if key is None else key, job=context.names)
    return failed(fault.status, fault.code, f"Injected fault: {fault.code}") if fault else None


OperationFactory = Callable[[JobContext], Operation]

"""What S3 Batch Operations asks of a function, and what it is answered.

Contract: S3 User Guide, "Invoke AWS Lambda function" (schema 2.0), and S3 Control API reference,
LambdaInvokeOperation (UserArguments).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from seeder.errors import InvalidRequest
from seeder.large.notes import Item
from seeder.large.outcome import Outcome, failed

SCHEMA_VERSION = "2.0"
# A task that is not answered for is tried again, as one that was answered so.
MISSING = "TemporaryFailure"


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Arguments(BaseModel):
    """What the job tells the function of its run, as its UserArguments; all are strings."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    destination: str
    destination_region: str
    source_region: str


class Job(_Camel):
    """The job of an invocation."""

    id: str
    user_arguments: Arguments


class Task(_Camel):
    """One object; `s3_key` is URL-encoded as in the manifest."""

    task_id: str
    s3_key: str
    s3_bucket: str
    s3_version_id: str | None = None

    @property
    def item(self) -> Item:
        """The object, its key decoded once. Raises InvalidRequest if the key is no UTF-8.

        A manifest of this library has no raw `+`, so that it is the same whether one stands for a space or not.
        """
        try:
            key = unquote_plus(self.s3_key, errors="strict")
            key.encode()
        except UnicodeError as error:
            told = f"{self.s3_key!a} is not UTF-8, URL-encoded; give the key as the manifest has it"
            raise InvalidRequest("s3Key", told) from error
        return Item(self.s3_bucket, key, self.s3_version_id or "")


class Invocation(_Camel):
    """One invocation, of one task or several."""

    invocation_schema_version: str
    invocation_id: str
    job: Job
    tasks: list[Task]

    def outcomes(self, copy: Callable[[Item], Outcome]) -> list[Outcome]:
        """Have each task's object copied; return what became of them, in their order."""
        return [_attempt(task, copy) for task in self.tasks]

    def answer(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Return the function's answer for the outcomes of the tasks, in their order."""
        return {
            "invocationSchemaVersion": self.invocation_schema_version,
            "treatMissingKeysAs": MISSING,
            "invocationId": self.invocation_id,
            "results": [
                {"taskId": task.task_id, "resultCode": outcome.code, "resultString": outcome.text}
                for task, outcome in zip(self.tasks, outcomes, strict=True)
            ],
        }


def _attempt(task: Task, copy: Callable[[Item], Outcome]) -> Outcome:
    try:
        return copy(task.item)
    except InvalidRequest as error:
        return failed(error)


def parse(event: object) -> Invocation:
    """Read an invocation. Raises InvalidRequest naming the field."""
    try:
        return Invocation.model_validate(event)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "event"
        raise InvalidRequest(
            field,
            f"{first['msg']}; the job must invoke with schema {SCHEMA_VERSION} and this library's arguments",
        ) from error

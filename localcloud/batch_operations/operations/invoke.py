"""LambdaInvoke: tasks given to a function, in batches, and its answers as outcomes.

Contract: S3 User Guide, "Invoke AWS Lambda function" (schemas 1.0 and 2.0, result codes, treatMissingKeysAs).
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.batch_operations.operations.base import JobContext, Operation, injected
from localcloud.batch_operations.retries import patiently
from localcloud.batch_operations.task import Outcome, Task, failed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

TEMPORARY, PERMANENT = "TemporaryFailure", "PermanentFailure"


class InvokeOperation(Operation):
    """Invokes the job's function. A task that fails temporarily is given to it again, a few times."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        self._arn: str = self.parameters["FunctionArn"]
        self._schema: str = self.parameters.get("InvocationSchemaVersion") or "1.0"
        parts = self._arn.split(":")
        self._client = self.session.client("lambda", parts[3] if len(parts) > 6 else None)

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Yield each task with its outcome. Keys go to the function as the manifest has them."""
        waiting = iter(tasks)
        while batch := list(islice(waiting, self.settings.lambda_batch)):
            yield from self._batch(batch)

    def _batch(self, batch: list[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        left: dict[str, Task] = {}
        for task in batch:
            struck = injected(self.context, task)
            if struck:
                yield task, struck
            else:
                left[self.settings.new_id()] = task
        for attempt in range(1, self.settings.lambda_attempts + 1):
            answers = self._invoke(left) if left else {}
            again = {}
            for task_id, task in left.items():
                outcome = answers[task_id]
                if outcome.code == TEMPORARY and attempt < self.settings.lambda_attempts:
                    again[task_id] = task
                else:
                    yield task, outcome
            left = again

    def perform(self, task: Task, key: str) -> Outcome:
        """Invoke the function for one task."""
        return self._invoke({"0": task})["0"]

    def _invoke(self, tasks: dict[str, Task]) -> dict[str, Outcome]:
        if not self.session.may("lambda:InvokeFunction", self._arn):
            return dict.fromkeys(
                tasks, self.refused(403, "AccessDeniedException", "Access Denied", "AWSLambda")
            )
        event = json.dumps(self._event(tasks)).encode()
        try:
            answer = patiently(
                lambda: self._client.invoke(FunctionName=self._arn, Payload=event), self.settings
            )
        except (ClientError, BotoCoreError) as error:
            return dict.fromkeys(tasks, self.outcome_of(error))
        payload = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            problem = failed(200, PERMANENT, f"Lambda returned function error: {payload}")
            return dict.fromkeys(tasks, problem)
        return _outcomes(payload, tasks)

    def _event(self, tasks: dict[str, Task]) -> dict[str, Any]:
        job: dict[str, Any] = {"id": self.context.job_id}
        if self._schema == "2.0":
            job["userArguments"] = self.parameters.get("UserArguments") or {}
        return {
            "invocationSchemaVersion": self._schema,
            "invocationId": self.settings.new_id(),
            "job": job,
            "tasks": [
                {
                    "taskId": task_id,
                    "s3Key": task.key,
                    "s3VersionId": task.version_id or None,
                    **self._bucket(task.bucket),
                }
                for task_id, task in tasks.items()
            ],
        }

    def _bucket(self, name: str) -> dict[str, str]:
        return {"s3Bucket": name} if self._schema == "2.0" else {"s3BucketArn": f"arn:aws:s3:::{name}"}


def _outcomes(payload: str, tasks: dict[str, Task]) -> dict[str, Outcome]:
    try:
        answer = json.loads(payload)
        results = {str(result["taskId"]): result for result in answer["results"]}
        missing = {"resultCode": answer.get("treatMissingKeysAs") or TEMPORARY, "resultString": ""}
    except (ValueError, KeyError, TypeError, AttributeError):
        return dict.fromkeys(tasks, failed(200, PERMANENT, f"Lambda returned an invalid response: {payload}"))
    return {task_id: _outcome(results.get(task_id, missing)) for task_id in tasks}


def _outcome(result: dict[str, Any]) -> Outcome:
    code, text = result.get("resultCode"), str(result.get("resultString") or "")
    if code == "Succeeded":
        return Outcome(True, message=text)
    if code in (TEMPORARY, PERMANENT):
        return failed(200, str(code), text)
    return failed(200, PERMANENT, f"Lambda returned an unknown resultCode: {code}")

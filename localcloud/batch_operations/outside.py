"""Jobs against a real S3, AWS's or another server's: this service without the rest of the local cloud.

Tasks are done by clients that whoever runs the service gives it, so that credentials and permissions are theirs: what
may not be done, S3 refuses. Replication is S3's own and can't be done for it.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localcloud.batch_operations.exceptions import JobFailedError
from localcloud.batch_operations.operations.copy import CopyOperation
from localcloud.batch_operations.operations.invoke import InvokeOperation
from localcloud.batch_operations.operations.restore import RestoreOperation

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from localcloud.batch_operations.data_plane import Runs
    from localcloud.batch_operations.job_session import JobIdentity
    from localcloud.batch_operations.operations.base import JobContext, Operation
    from localcloud.batch_operations.task import Outcome, Task

# Tasks that wait for their turn or to be reported, for each one that is worked on.
AHEAD = 4
_MISSING = frozenset({"404", "NoSuchBucket"})


class OutsideSession:
    """A job's session with clients of the caller's: `clients` makes one of a service in a region.

    For "lambda" it gives what has `invoke`, as that client has it.
    """

    def __init__(self, job: JobIdentity, clients: Callable[[str, str], Any]) -> None:
        self.account = job.account
        self.region = job.region
        self._clients = clients
        self._regions = cache(self._look)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client of a service, in the job's region or the one given."""
        return self._clients(service, region or self.region)

    def s3(self, bucket: str) -> Any:
        """Return an S3 client of a bucket's region."""
        return self.client("s3", self.region_of(bucket))

    def region_of(self, bucket: str) -> str | None:
        """Return a bucket's region, the job's where the server does not tell; None where there is no such bucket."""
        return self._regions(bucket)

    def owner_of(self, bucket: str) -> str | None:
        """Return None: only S3 itself can compare owners."""
        return None

    def may(
        self,
        action: str,
        resource: str,
        bucket: str | None = None,
        extra: Mapping[str, str | None] | None = None,
    ) -> bool:
        """Return True: S3 decides when it is asked."""
        return True

    def may_object(
        self, action: str, bucket: str, key: str, extra: Mapping[str, str | None] | None = None
    ) -> bool:
        """Return True: S3 decides when it is asked."""
        return True

    def may_use_key(self, action: str, key_id: str | None, bucket: str, key: str = "") -> bool:
        """Return True: S3 decides when it is asked."""
        return True

    def kms_key(self, key_id: str, bucket: str) -> None:
        """Return None: nothing is known of keys."""

    def _look(self, bucket: str) -> str | None:
        try:
            answer = self.client("s3").head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise
        return str(answer.get("BucketRegion") or self.region)


class OutsideCopyOperation(CopyOperation):
    """CopyObject for each object; what is wrong with one, S3 says."""

    def perform(self, task: Task, key: str) -> Outcome:
        """Copy one object."""
        return self.copy(task, key)


class OutsideDataPlane:
    """Tasks done by a session's clients, copies `workers` at once."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def operation(self, name: str, context: JobContext) -> Runs:
        """Return the operation of this name. Raises JobFailedError for one that only S3 itself can do."""
        if name == "LambdaInvoke":
            return InvokeOperation(context)
        if name == "S3PutObjectCopy":
            return _AtOnce(OutsideCopyOperation(context), self._workers)
        if name == "S3InitiateRestoreObject":
            return _AtOnce(RestoreOperation(context), self._workers)
        raise JobFailedError("NotImplemented", f"{name} can't be done from outside S3")


class _AtOnce:
    """An operation whose tasks are worked on by several threads, and reported in their order."""

    def __init__(self, operation: Operation, workers: int) -> None:
        self._operation = operation
        self._workers = workers

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Yield each task with its outcome; when closed, begin none any more and await those begun."""
        begun: deque[tuple[Task, Future[Outcome]]] = deque()
        with ThreadPoolExecutor(self._workers, "batch-task") as pool:
            try:
                for task in tasks:
                    begun.append((task, pool.submit(self._operation.outcome, task)))
                    if len(begun) >= AHEAD * self._workers:
                        yield _ended(begun)
                while begun:
                    yield _ended(begun)
            finally:
                for _, future in begun:
                    future.cancel()


def _ended(begun: deque[tuple[Task, Future[Outcome]]]) -> tuple[Task, Outcome]:
    task, future = begun.popleft()
    return task, future.result()

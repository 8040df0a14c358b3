"""What carries the tasks of a job out: S3 itself, or something that only pretends, for load tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from localcloud.batch_operations.operations.base import injected
from localcloud.batch_operations.operations.checksum import ChecksumOperation
from localcloud.batch_operations.operations.copy import CopyOperation
from localcloud.batch_operations.operations.invoke import InvokeOperation
from localcloud.batch_operations.operations.replicate import ReplicateOperation
from localcloud.batch_operations.operations.restore import RestoreOperation
from localcloud.batch_operations.task import Outcome, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from localcloud.batch_operations.operations.base import JobContext, OperationFactory

OPERATIONS: dict[str, OperationFactory] = {
    "S3PutObjectCopy": CopyOperation,
    "S3ReplicateObject": ReplicateOperation,
    "LambdaInvoke": InvokeOperation,
    "S3ComputeObjectChecksum": ChecksumOperation,
    "S3InitiateRestoreObject": RestoreOperation,
}


class Runs(Protocol):
    """An operation with the parameters of one job."""

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        """Yield each task with its outcome, reading tasks as they are needed."""
        ...


class DataPlane(Protocol):
    """Makes the operation of a job."""

    def operation(self, name: str, context: JobContext) -> Runs:
        """Return the operation of this name (as in JobOperation) for one job."""
        ...


class S3DataPlane:
    """Tasks done for real, by calls to S3 and Lambda under the job role."""

    def operation(self, name: str, context: JobContext) -> Runs:
        """Return the real operation."""
        return OPERATIONS[name](context)


class PretendDataPlane:
    """Tasks that touch nothing. `outcome` decides how each ends; every one succeeds unless it is given."""

    def __init__(self, outcome: Callable[[Task], Outcome] | None = None) -> None:
        self._outcome = outcome

    def operation(self, name: str, context: JobContext) -> Runs:
        """Return an operation that only answers."""
        return _Pretence(context, self._outcome)


class _Pretence:
    def __init__(self, context: JobContext, outcome: Callable[[Task], Outcome] | None) -> None:
        self._context = context
        self._outcome = outcome

    def run(self, tasks: Iterable[Task]) -> Generator[tuple[Task, Outcome], None, None]:
        success = Outcome(True)
        decide = self._outcome
        for task in tasks:
            struck = injected(self._context, task)
            yield task, struck or (success if decide is None else decide(task))

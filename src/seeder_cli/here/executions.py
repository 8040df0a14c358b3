"""The executions that this process runs, by the calls of Step Functions that the handlers and `follow` make.

An execution's id says where it runs: `here:<host>:<process>:<when the process began>:<run id>`, so that a run that
finds its pair claimed can tell whether the other still goes on.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from seeder_cli.here.execution import Execution

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_SCHEME = "here"
_PAGE = 1000
# In /proc/<pid>/stat, counted from behind the name of the program: when the process began, in ticks since the boot.
_BEGAN = 19


def execution_id(run_id: str) -> str:
    """Return the id of a run of this process."""
    pid = os.getpid()
    return f"{_SCHEME}:{socket.gethostname()}:{pid}:{began(pid)}:{run_id}"


def began(pid: int) -> str:
    """Return a mark of when a process began, which another of the same number has not; "" where there is none."""
    if Path("/proc/self/stat").exists():
        try:
            told = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        except OSError:
            return ""
        return told.rpartition(")")[2].split()[_BEGAN]
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return "".join(character for character in told if character.isalnum())


class Executions:
    """What runs here, and `elsewhere`: a client of Step Functions, asked of executions of a stack if `is_aws`.

    `assumed` are the ids of executions on other hosts that were taken to go on, for only those hosts know.
    """

    def __init__(self, elsewhere: SFNClient, is_aws: bool) -> None:
        self._elsewhere = elsewhere
        self._is_aws = is_aws
        self._mine: dict[str, Execution] = {}
        self.assumed: list[str] = []
        self.exceptions = elsewhere.exceptions

    def add(self, execution: Execution) -> None:
        """Answer for an execution from now on."""
        self._mine[execution.arn] = execution

    def describe_execution(self, *, executionArn: str) -> Any:  # noqa: N803 - boto3's name
        """Return what DescribeExecution does; of an execution on another host, no more than that it is running.

        Raises ExecutionDoesNotExist.
        """
        if executionArn in self._mine:
            return self._mine[executionArn].describe()
        if not executionArn.startswith(f"{_SCHEME}:"):
            if self._is_aws:
                return self._elsewhere.describe_execution(executionArn=executionArn)
            return self._assumed(executionArn)
        _, host, pid, mark, _ = executionArn.split(":", 4)
        if host != socket.gethostname():
            return self._assumed(executionArn)
        if int(pid) == os.getpid() or began(int(pid)) != mark:
            self._refuse(executionArn, "DescribeExecution")
        return {"executionArn": executionArn, "status": "RUNNING"}

    def get_execution_history(
        self,
        *,
        executionArn: str,  # noqa: N803
        nextToken: str = "",  # noqa: N803
        reverseOrder: bool = False,  # noqa: N803
        maxResults: int = 0,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        """Return a page of the history of an execution of this process. Raises ExecutionDoesNotExist."""
        if executionArn not in self._mine:
            self._refuse(executionArn, "GetExecutionHistory")
        events = self._mine[executionArn].events
        if reverseOrder:
            events.reverse()
        start = int(nextToken or 0)
        end = start + (maxResults or _PAGE)
        more = {"nextToken": str(end)} if end < len(events) else {}
        return {"events": events[start:end], **more}

    def get_paginator(self, operation: str) -> _Pages:
        """Return the paginator of GetExecutionHistory, which is all there is."""
        if operation != "get_execution_history":
            raise ValueError(f"operation: '{operation}' has no pages here; ask for 'get_execution_history'")
        return _Pages(self)

    def _assumed(self, arn: str) -> dict[str, Any]:
        self.assumed.append(arn)
        return {"executionArn": arn, "status": "RUNNING"}

    def _refuse(self, arn: str, operation: str) -> NoReturn:
        told: Any = {"Code": "ExecutionDoesNotExist", "Message": f"Execution Does Not Exist: '{arn}'"}
        raise self.exceptions.ExecutionDoesNotExist({"Error": told}, operation)


class _Pages:
    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """Yield each page, as boto3's paginator does."""
        token = ""
        while True:
            page = self._executions.get_execution_history(**asked, nextToken=token)
            yield page
            token = page.get("nextToken", "")
            if not token:
                return

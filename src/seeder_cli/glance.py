"""All pairs as they are now: the registry of pairs, joined with the executions of the deployed state machines.

A look costs four calls: the registry, the runs that go on, the newest runs, the fleets that go on. Each execution is
read once more, when it is first seen; a run of a fleet not even then, for the fleet's history tells of all its runs.
Contracts: AWS Step Functions API reference, ListExecutions (the newest first), DescribeExecution, GetExecutionHistory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.config import Config

from seeder.errors import AccessDenied, PairBusy, SeederError, aws_errors
from seeder.fleet.overview import PairRow, Sighting, overview
from seeder.fleet.pairs import Known, read_pairs

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

    from seeder_cli.place import Place

READERS = 8
MOST_NEWEST_PAGES = 5
# Of runs that ended without a record, those that are younger count, and no more than so many are read.
UNRECORDED_FOR = timedelta(days=7)
MOST_UNRECORDED = 100
# DescribeExecution gives 15 a second at least (Step Functions quotas): what is told to slow down does.
_PATIENT = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=READERS)
_LONGEST_PAGE: Any = {"PageSize": 1000}
# ResolvePairs is the first state, so its output is among the first events, which are small.
_FIRST_EVENTS: Any = {"PageSize": 50}
_NOT_WELL = frozenset({"ABORTED", "FAILED", "TIMED_OUT"})
_NO_CAUSE = {
    "ABORTED": "the execution was stopped and left no record",
    "FAILED": "the execution failed and left no record",
    "TIMED_OUT": "the execution timed out and left no record",
}


class Look(NamedTuple):
    """A row for each pair, by source, and how many fleets go on."""

    rows: list[PairRow]
    fleets: int


class Glance:
    """Looks at all pairs, as often as it is asked. Without `executions`, at what is registered alone."""

    def __init__(self, s3: S3Client, state_bucket: str, executions: Executions | None) -> None:
        self.s3 = s3
        self.state_bucket = state_bucket
        self.executions = executions

    @classmethod
    def of(cls, place: Place, state_bucket: str = "") -> Glance:
        """Return one for a deployed stack, or for a state bucket without one. Raises CommandError."""
        if state_bucket:
            return cls(place.client("s3"), state_bucket, None)
        outputs = place.outputs
        make: Any = place.session.client
        executions = Executions(
            make("stepfunctions", config=_PATIENT), outputs["SeedArn"], outputs["FleetArn"]
        )
        return cls(place.client("s3"), outputs["StateBucketName"], executions)

    @aws_errors()
    def look(self) -> Look:
        """Return what there is now. Raises SeederError."""
        if self.executions is None:
            return Look(overview(read_pairs(self.s3, self.state_bucket)), fleets=0)
        # A run enters its pair before its execution ends, so what is read last knows of all that have ended.
        listed = self.executions.listed()
        known = read_pairs(self.s3, self.state_bucket)
        return Look(overview(known, self.executions.seen(listed, known)), len(listed.fleets))


class Listed(NamedTuple):
    """Executions as they were listed: of fleets and of runs that go on, and the newest runs, however they ended."""

    fleets: list[Any]
    running: dict[str, Any]
    newest: list[Any]


class Executions:
    """The runs that go on, wait their turn, or ended without a record; what was read of one is kept."""

    def __init__(
        self,
        states: SFNClient,
        seed_arn: str,
        fleet_arn: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.states = states
        self._seed_arn = seed_arn
        self._fleet_arn = fleet_arn
        self._now = now
        self._described: dict[str, Any] = {}
        self._pairs_of: dict[str, list[dict[str, Any]]] = {}

    def arn_of(self, run_id: str) -> str:
        """Return the ARN of a run's execution."""
        return f"{self._seed_arn.replace(':stateMachine:', ':execution:')}:{run_id}"

    def listed(self) -> Listed:
        """List the executions. Raises ClientError."""
        fleets = list(self._running(self._fleet_arn))
        running = {item["name"]: item for item in self._running(self._seed_arn)}
        newest = self._newest(min((item["startDate"] for item in fleets), default=self._now()))
        # What began between the two calls is in the second alone.
        running |= {item["name"]: item for item in newest if item["status"] == "RUNNING"}
        return Listed(fleets, running, newest)

    def seen(self, listed: Listed, known: Iterable[Known]) -> list[Sighting]:
        """Return the runs that `known`, read after the listing, does not tell of. Raises ClientError."""
        recorded = {item.last_run.run_id for item in known}
        failed = self._unrecorded(listed.newest, recorded)
        asked = {pair["run_id"]: (pair["request"], fleet) for fleet, pair in self._asked(listed.fleets)}
        self._describe([item for name, item in listed.running.items() if name not in asked] + failed)
        going = [
            Sighting(
                name,
                asked[name][0] if name in asked else self._input(item),
                "Running",
                _text(item["startDate"]),
            )
            for name, item in listed.running.items()
        ]
        begun = recorded.union(listed.running, (item["name"] for item in listed.newest))
        waiting = [
            Sighting(name, request, "Waiting", _text(fleet["startDate"]))
            for name, (request, fleet) in asked.items()
            if name not in begun
        ]
        return [*going, *waiting, *filter(None, map(self._failed, failed))]

    def _running(self, machine_arn: str) -> Iterator[Any]:
        pages = self.states.get_paginator("list_executions").paginate(
            stateMachineArn=machine_arn, statusFilter="RUNNING", PaginationConfig=_LONGEST_PAGE
        )
        for page in pages:
            yield from page["executions"]

    def _newest(self, since: datetime) -> list[Any]:
        """Return the newest executions, a page at least, and further as long as they began later."""
        found: list[Any] = []
        pages = self.states.get_paginator("list_executions").paginate(
            stateMachineArn=self._seed_arn, PaginationConfig=_LONGEST_PAGE
        )
        for number, page in enumerate(pages, 1):
            found += page["executions"]
            if number == MOST_NEWEST_PAGES or (found and found[-1]["startDate"] < since):
                break
        return found

    def _unrecorded(self, newest: list[Any], recorded: set[str]) -> list[Any]:
        since = self._now() - UNRECORDED_FOR
        found = [
            item
            for item in newest
            if item["status"] in _NOT_WELL and item["name"] not in recorded and item["startDate"] > since
        ]
        return found[:MOST_UNRECORDED]

    def _describe(self, executions: list[Any]) -> None:
        """Read those that are not known as they are now."""
        arns = [
            item["executionArn"]
            for item in executions
            if self._described.get(item["executionArn"], {}).get("status") != item["status"]
        ]
        if not arns:
            return
        with ThreadPoolExecutor(READERS) as readers:
            found = readers.map(lambda arn: self.states.describe_execution(executionArn=arn), arns)
            self._described |= dict(zip(arns, found, strict=True))

    def _input(self, execution: Any) -> dict[str, Any]:
        return _document(self._described[execution["executionArn"]].get("input", "{}"))

    def _failed(self, execution: Any) -> Sighting | None:
        """Return a run that failed; None for one that never had its pair, for it says nothing of it."""
        seen = self._described[execution["executionArn"]]
        if seen.get("error") == PairBusy.__name__:
            return None
        ended = _text(seen.get("stopDate") or execution["startDate"])
        cause = seen.get("cause") or seen.get("error") or _NO_CAUSE[execution["status"]]
        return Sighting(execution["name"], self._input(execution), "Failed", ended, cause)

    def _asked(self, fleets: list[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield each fleet with each of its pairs, as ResolvePairs has told them; none yet where it has not."""
        for fleet in fleets:
            arn = fleet["executionArn"]
            if arn not in self._pairs_of:
                pages = self.states.get_paginator("get_execution_history").paginate(
                    executionArn=arn, PaginationConfig=_FIRST_EVENTS
                )
                if (pairs := _resolved(event for page in pages for event in page["events"])) is not None:
                    self._pairs_of[arn] = pairs
            for pair in self._pairs_of.get(arn, []):
                yield fleet, pair


def _resolved(events: Iterable[Any]) -> list[dict[str, Any]] | None:
    """Return the pairs that a fleet has resolved; None where it is not so far."""
    for event in events:
        left = event.get("stateExitedEventDetails")
        if left and left["name"] == "ResolvePairs":
            pairs: list[dict[str, Any]] = _document(left.get("output", "{}")).get("pairs", [])
            return pairs
    return None


def in_words(error: SeederError) -> str:
    """Return an error as a user of a command reads it: what AWS said, not what a function's role needs."""
    return str(error.__cause__ or error) if isinstance(error, AccessDenied) else str(error)


def _document(text: str) -> dict[str, Any]:
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


def _text(moment: datetime) -> str:
    """Return a time as records have it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

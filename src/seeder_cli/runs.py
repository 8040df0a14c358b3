"""Which run a user means: by its id, the beginning of it, its execution, an address in S3, or its pair of buckets."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from botocore.exceptions import ClientError
from pydantic import ValidationError

from seeder.documents import problem_of
from seeder.errors import SeederError, code_of
from seeder.record import Record
from seeder_cli.errors import CommandError
from seeder_cli.glance import Executions, Glance, in_words

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.fleet.overview import PairRow
    from seeder_cli.place import Place

SHOWN, NEAREST = 8, 4
_ADDRESS = re.compile(r"s3://(?P<bucket>[^/]+)/runs/(?P<run_id>[^/]+)(?:/.*)?", re.DOTALL)
# As it is, or within the address of a page of the console.
_ARN = re.compile(r"arn:[\w-]+:states:[\w-]+:\d+:execution:[\w-]+:[^\s:/?&#]+")
_NO_EXECUTION = frozenset({"ExecutionDoesNotExist", "InvalidArn", "ValidationException"})
_NO_OBJECT = frozenset({"404", "NoSuchKey"})


@dataclass(frozen=True)
class RunRef:
    """A run that was found. `execution_arn` is "" where no stack was asked.

    `record` is None while it goes on (`running`), and for one that ended without leaving a record.
    """

    run_id: str
    execution_arn: str
    state_bucket: str
    record: Record | None
    running: bool


def find_run(place: Place, text: str, state_bucket: str = "") -> RunRef:
    """Return the run that `text` names. With `state_bucket` no stack is asked, for a run that was made without one.

    `text`: a run's id or its unique beginning, its execution's ARN, an address below its folder (s3://…/runs/<id>/…),
    or `SRC`, `SRC/DST` or `SRC/DST/PREFIX`, for the last run of that pair. Raises CommandError for what is unknown or
    ambiguous, ClientError where AWS refuses.
    """
    text = text.strip()
    if not text:
        raise CommandError("RUN: it is empty; give a run's id or SRC/DST: `seeder status` shows both")
    if match := _ADDRESS.fullmatch(text):
        finder = _at_address(place, match["bucket"], state_bucket)
        return finder.named(match["run_id"]) or finder.refuse(match["run_id"])
    finder = _Finder(Glance.of(place, state_bucket))
    try:
        if match := _ARN.search(unquote(text)):
            return finder.of_execution(match[0])
        if "/" in text:
            return finder.of_pair(text)
        return finder.named(text) or finder.of_source(text) or finder.beginning(text)
    except SeederError as error:
        raise CommandError(f"s3://{finder.bucket}: {in_words(error)}", status=1) from error


def read_record(s3: S3Client, state_bucket: str, run_id: str) -> Record | None:
    """Return the record of a run; None where it has left none, or not yet.

    Raises CommandError for what is no record of this release, ClientError.
    """
    try:
        answer = s3.get_object(Bucket=state_bucket, Key=f"runs/{run_id}/run.json")
    except ClientError as error:
        if code_of(error) in _NO_OBJECT:
            return None
        raise
    try:
        return Record.model_validate_json(answer["Body"].read())
    except ValidationError as error:
        where = f"s3://{state_bucket}/runs/{run_id}/run.json"
        problem = (
            f"{where} is no record that this release understands: {problem_of(error)}; upgrade s3-seeder"
        )
        raise CommandError(problem, status=1) from error


def _at_address(place: Place, bucket: str, state_bucket: str) -> _Finder:
    """Return where to look for an address: with the stack's executions if there is one and the bucket is its own."""
    if state_bucket not in ("", bucket):
        raise CommandError(f"--state-bucket {state_bucket}: the address of the run names '{bucket}'")
    try:
        is_of_stack = not state_bucket and place.outputs["StateBucketName"] == bucket
    except CommandError:
        is_of_stack = False
    return _Finder(Glance.of(place, "" if is_of_stack else bucket))


@dataclass(frozen=True)
class _Finder:
    """Looks for runs in one state bucket and, where there is a stack, among its executions."""

    glance: Glance

    @property
    def bucket(self) -> str:
        return self.glance.state_bucket

    @cached_property
    def rows(self) -> list[PairRow]:
        return self.glance.look().rows

    def named(self, run_id: str) -> RunRef | None:
        """Return the run of this very id."""
        record = read_record(self.glance.s3, self.bucket, run_id)
        executions = self.glance.executions
        arn = executions.arn_of(run_id) if executions else ""
        status = _status(executions, arn) if executions and record is None else ""
        if record is None and not status:
            return None
        return RunRef(run_id, arn, self.bucket, record, running=status == "RUNNING")

    def of_execution(self, arn: str) -> RunRef:
        run_id = arn.rpartition(":")[2]
        executions = self.glance.executions
        if executions and executions.arn_of(run_id) != arn:
            raise CommandError(
                f"{arn} is no run of this stack: those are {executions.arn_of('<id>')}; a fleet's pairs and their "
                "runs are in `seeder status`"
            )
        return self.named(run_id) or self.refuse(run_id)

    def of_pair(self, text: str) -> RunRef:
        """Return the last run of SRC/DST, or of SRC/DST/PREFIX."""
        source, destination, *prefix = text.split("/", 2)
        found = [row for row in self.rows if (row.source, row.destination) == (source, destination)]
        if prefix:
            scope = f"prefix {prefix[0]}" if prefix[0] else ""
            found = [row for row in found if row.scope == scope]
        return self._only(found, text) or self.refuse(text)

    def of_source(self, text: str) -> RunRef | None:
        return self._only([row for row in self.rows if row.source == text], text)

    def _only(self, rows: list[PairRow], text: str) -> RunRef | None:
        if len(rows) > 1:
            told = [f"{row.run_id} ({_pair(row)})" for row in rows]
            raise CommandError(f"'{text}' has several pairs; give the id of a run: {_listed(told)}")
        if not rows:
            return None
        (row,) = rows
        if row.state == "Waiting":
            raise CommandError(
                f"{_pair(row)}: the run '{row.run_id}' waits for its turn in a fleet; see `seeder status --watch`",
                status=1,
            )
        return self.named(row.run_id) or self.refuse(row.run_id)

    def beginning(self, text: str) -> RunRef:
        """Return the one run whose id begins so."""
        answer = self.glance.s3.list_objects_v2(
            Bucket=self.bucket, Prefix=f"runs/{text}", Delimiter="/", MaxKeys=SHOWN + 1
        )
        found = {item["Prefix"].split("/")[1] for item in answer.get("CommonPrefixes", [])}
        found |= {row.run_id for row in self.rows if row.run_id.startswith(text)}
        if len(found) > 1:
            raise CommandError(f"'{text}' is the beginning of several runs: {_listed(sorted(found))}")
        ref = self.named(found.pop()) if found else None
        return ref or self.refuse(text)

    def refuse(self, text: str) -> RunRef:
        """Raise CommandError for a run that is not known, with what is most like it."""
        ids = {row.run_id: f"{row.run_id} ({_pair(row)})" for row in self.rows}
        pairs = {_pair(row): _pair(row) for row in self.rows}
        like = difflib.get_close_matches(
            text, [*ids, *pairs, *{row.source for row in self.rows}], NEAREST, 0.5
        )
        told = [ids.get(item, item) for item in like]
        nearest = f"; the nearest: {_listed(told)}" if told else ""
        raise CommandError(
            f"there is no run or pair '{text}' in s3://{self.bucket}{nearest}; `seeder status` shows all pairs"
        )


def _status(executions: Executions, arn: str) -> str:
    """Return the status of an execution; "" where there is none."""
    try:
        return executions.states.describe_execution(executionArn=arn)["status"]
    except ClientError as error:
        if code_of(error) in _NO_EXECUTION:
            return ""
        raise


def _pair(row: PairRow) -> str:
    return f"{row.source}/{row.destination}" + (f", {row.scope}" if row.scope else "")


def _listed(items: list[str]) -> str:
    more = len(items) - SHOWN
    return ", ".join(items[:SHOWN]) + (f" and {more} more" if more > 0 else "")

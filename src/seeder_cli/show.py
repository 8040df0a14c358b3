"""`seeder show`: all of one run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from seeder.page.words import ago
from seeder_cli.errors import CommandError
from seeder_cli.history import History, Passage
from seeder_cli.jobs import looker, note_reader
from seeder_cli.pace import Pace
from seeder_cli.place import Place, place_options
from seeder_cli.portrait import asked_of, field, pair_of, portrait
from seeder_cli.runs import RunRef, find_run
from seeder_cli.stages import Doing, doing
from seeder_cli.table import terminal_width


@click.command()
@click.argument("run")
@click.option(
    "--state-bucket", metavar="NAME", default="", help="Of runs made with --here; no stack is asked."
)
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print the run's record.")
def show(run: str, state_bucket: str, place: Place, as_json: bool) -> int:
    """Show all of RUN: what was asked, what became of it, its jobs, costs and files, and what to do next.

    RUN is a run's id or the beginning of it, SOURCE/DESTINATION for the last run of a pair, an execution's ARN, or an
    address in the state bucket. Exits 0 for any run that is found.

    \b
    Example:
      seeder show my-bucket/my-replica
    """
    ref = find_run(place, run, state_bucket)
    width = terminal_width()
    if ref.record:
        told = (
            [ref.record.model_dump_json(indent=2)]
            if as_json
            else portrait(ref.record, ref.state_bucket, width, bool(ref.execution_arn))
        )
    else:
        document = unrecorded(place, ref)
        told = [json.dumps(document, indent=2)] if as_json else _told(document, width)
    for line in told:
        click.echo(line)
    return 0


def unrecorded(place: Place, ref: RunRef) -> dict[str, Any]:
    """Return what the execution tells of a run that has no record: state, pair, and how far it is, or was.

    `stages` are the documents of its states so far. Raises CommandError where no stack was asked, ClientError.
    """
    if not ref.execution_arn:
        raise CommandError(f"the run '{ref.run_id}' has no record in s3://{ref.state_bucket}", status=1)
    states = place.client("stepfunctions")
    seen = states.describe_execution(executionArn=ref.execution_arn)
    passage = Passage()
    for event in History(states, ref.execution_arn).fresh():
        passage.take(event)
    now = _doing(place, ref, passage) if ref.running else None
    asked = json.loads(seen.get("input") or "{}")
    return {
        "run_id": ref.run_id,
        "state": "Running" if ref.running else seen["status"],
        "execution_arn": ref.execution_arn,
        "request": asked if isinstance(asked, dict) else {},
        "started_at": seen["startDate"].astimezone(UTC).isoformat(),
        "cause": seen.get("cause") or seen.get("error") or "",
        "stage": passage.state,
        "doing": now._asdict() if now else None,
        "stages": passage.stages,
    }


def _doing(place: Place, ref: RunRef, passage: Passage) -> Doing | None:
    notes = note_reader(place.client("s3"), ref.state_bucket)
    return doing(passage, looker(place.session, ref.execution_arn), notes)


def _told(document: dict[str, Any], width: int | None) -> Iterator[str]:
    asked = document["request"]
    since = ago(document["started_at"], datetime.now(UTC))
    if document["state"] == "Running":
        state = f"Running for {since}: {_progress(document)}"
        to_do = [f"seeder attach {document['run_id']}", f"seeder cancel {document['run_id']}"]
    else:
        state = f"{document['state']}: it ended in the state {document['stage'] or 'before the first'} without a record"
        to_do = [f"seeder retry {document['run_id']}"]
    pair = pair_of(asked.get("source", ""), asked.get("destination", ""), asked)
    for label, texts in (
        ("Run", [document["run_id"]]),
        ("Pair", [pair]),
        ("State", [state]),
        ("Cause", [document["cause"]] if document["cause"] else []),
        ("Trigger", [asked.get("trigger", "manual")]),
        ("Asked", [text] if (text := asked_of(asked)) else []),
        ("Execution", [document["execution_arn"]]),
        ("Next", to_do),
    ):
        yield from field(label, texts, width)


def _progress(document: dict[str, Any]) -> str:
    now = document["doing"]
    if not now:
        return document["stage"] or "it has not begun"
    if now["done"] is None:
        return str(now["what"])
    pace = Pace()
    pace.take(now["what"], now["done"])
    return f"{now['what']}, {pace.told(now['total'], now['about'])}"

"""A terminal and a run of the deployed stack: attached until the run ends, or Ctrl-C leaves it to itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from seeder_cli import ending
from seeder_cli.display import Display
from seeder_cli.follow import follow
from seeder_cli.jobs import looker, note_reader
from seeder_cli.place import NAME, Place
from seeder_cli.started import fresh_name, start

POLL_SECONDS = 2.0


def start_run(place: Place, document: dict[str, Any], trigger: str = "manual") -> str:
    """Start `seed` with a request, under a name that tells the pair; return its ARN. Raises CommandError."""
    name = fresh_name(document["source"], document["destination"], trigger)
    return start(place.client("stepfunctions"), place.outputs["SeedArn"], document, name)


def stay(place: Place, execution_arn: str, as_json: bool, first: Sequence[str] = ()) -> int:
    """Follow a run to its end and tell that; return the exit status. Lines `first` are shown before.

    With `as_json` standard output has the record alone. Ctrl-C leaves the run as it is, and says how to come back.
    Raises CommandError, ClientError.
    """
    run_id = execution_arn.rpartition(":")[2]
    come_back = command(place, "attach", run_id)
    state_bucket = place.outputs["StateBucketName"]
    try:
        with Display(sys.stderr if as_json else None) as display:
            for line in first:
                display.line(line)
            outcome = follow(
                place.client("stepfunctions"),
                execution_arn,
                display,
                looker(place.session, execution_arn),
                poll=POLL_SECONDS,
                read_note=note_reader(place.client("s3"), state_bucket),
                come_back=come_back,
            )
    except KeyboardInterrupt:
        stop = command(place, "cancel", run_id)
        click.echo(
            f"seeder: the run goes on; come back to it: {come_back}\n        or stop it: {stop}", err=True
        )
        return ending.DETACHED
    return tell(place, ending.record_of(outcome), run_id, as_json)


def tell(place: Place, record: Mapping[str, Any] | None, run_id: str, as_json: bool) -> int:
    """Print how a run of the stack ended, as its record tells; return the exit status."""
    return ending.tell(record, run_id, as_json, lambda name: command(place, name, run_id))


def command(place: Place, name: str, run_id: str) -> str:
    """Return a command that finds the same run from this place."""
    given = (
        ("--region", place.region),
        ("--profile", place.profile),
        ("--stack", place.stack if place.stack != NAME else ""),
    )
    return " ".join(["seeder", name, run_id, *(f"{option} {value}" for option, value in given if value)])

"""`seeder cancel`: stops a run and its job, and tidies up after both."""

from __future__ import annotations

import sys

import click
from botocore.exceptions import BotoCoreError, ClientError

from seeder.errors import SeederError
from seeder_cli import ending
from seeder_cli.attached import command
from seeder_cli.cancelling import CANCELLED, cancel_run
from seeder_cli.errors import CommandError
from seeder_cli.history import History, Passage
from seeder_cli.jobs import looker
from seeder_cli.pace import Pace
from seeder_cli.place import Place, place_options
from seeder_cli.runs import RunRef, find_run
from seeder_cli.stages import doing


@click.command()
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
@place_options
def cancel(run: str, yes: bool, place: Place) -> int:
    """Stop RUN: its execution and its S3 Batch Operations job. What is copied already stays.

    What the run left unfinished is given up, its pair is free for another run, and its record says Cancelled. Exits 0
    for a run that has ended too. RUN is a run's id or its beginning, or its pair as SOURCE/DESTINATION.

    \b
    Example:
      seeder cancel my-bucket/my-replica
    """
    found = find_run(place, run)
    if found.record:
        ended = next(ending.lines(found.record.model_dump()))
        click.echo(f"{found.run_id} has ended already: {ended}")
        return 0
    try:
        _show(place, found)
        _ask(found, yes)
        record = cancel_run(place, found.execution_arn, _who(place), click.echo)
    except (ClientError, BotoCoreError, SeederError) as error:
        again = command(place, "cancel", found.run_id)
        raise CommandError(f"{found.run_id}: {error}; to go on: {again}", status=1) from error
    if record.error != CANCELLED:
        click.echo(f"{found.run_id} has ended by itself: {next(ending.lines(record.model_dump()))}")
        return 0
    click.echo(f"Cancelled run: {found.run_id}")
    click.echo(f"To seed what is lacking: {command(place, 'retry', found.run_id)}")
    return 0


def _show(place: Place, found: RunRef) -> None:
    """Print what is going on, and what will stay."""
    passage = Passage()
    for event in History(place.client("stepfunctions"), found.execution_arn).fresh():
        passage.take(event)
    pair = passage.run.get("request") or passage.stages
    click.echo(f"{found.run_id}: {pair.get('source', '?')} → {pair.get('destination', '?')}")
    if not found.running:
        click.echo("It was stopped, and left no record; what it left is tidied up.")
        return
    if now := doing(passage, looker(place.session, found.execution_arn), lambda run_id, state: None):
        pace = Pace()
        if now.done is not None:
            pace.take(now.what, now.done)
        click.echo(": ".join(filter(None, (now.what, pace.told(now.total, now.about)))))
    click.echo("What is copied already stays in the destination.")


def _ask(found: RunRef, yes: bool) -> None:
    if yes or not found.running:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{found.run_id} goes on; to stop it without being asked, give --yes")
    if not click.confirm("Stop it?"):
        raise CommandError("nothing was stopped", status=1)


def _who(place: Place) -> str:
    try:
        return str(place.client("sts").get_caller_identity()["Arn"])
    except (ClientError, BotoCoreError):
        return "its user"

"""`seeder run`: seeds one pair with the deployed stack, or in this process, and follows the run to its end."""

from __future__ import annotations

import sys
from typing import Any

import click

from seeder.errors import InvalidRequest
from seeder.request import parse_request
from seeder_cli import ending
from seeder_cli.attached import start_run, stay
from seeder_cli.errors import CommandError
from seeder_cli.here import HereOptions
from seeder_cli.here.options import here_options
from seeder_cli.options import RequestCommand, request_options
from seeder_cli.place import Place, place_options


@click.command(cls=RequestCommand)
@click.argument("source")
@click.argument("destination")
@request_options
@click.option("--detach", is_flag=True, help="Print the run's id and return.")
@here_options
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print the run's record as JSON, and nothing else.")
def run(
    source: str,
    destination: str,
    fields: dict[str, Any],
    detach: bool,
    here: HereOptions | None,
    place: Place,
    as_json: bool,
) -> int:
    """Seed DESTINATION from SOURCE with the deployed stack, and stay until the replica is proven or not.

    Exits 0 when the replica is proven, 1 on failures, 2 on bad input, 3 when nothing was proven: skipped, cancelled,
    or ended before the comparison. Ctrl-C leaves the run as it is; `seeder attach` comes back to it.
    With --here, Ctrl-C stops it.

    \b
    Example:
      seeder run my-bucket my-replica --prefix logs/ --resync
    """
    document = {"source": source, "destination": destination, **fields}
    try:
        parse_request(document)
    except InvalidRequest as error:
        raise CommandError(str(error)) from error
    if here:
        if detach:
            raise CommandError("--detach: a run --here lives in this process; leave one of the two out")
        return _run_here(document, place, here, as_json)
    execution = start_run(place, document)
    run_id = execution.rpartition(":")[2]
    if detach:
        click.echo(run_id)
        return ending.PROVEN
    return stay(place, execution, as_json, [f"Started run: {run_id}"])


def _run_here(document: dict[str, Any], place: Place, options: HereOptions, as_json: bool) -> int:
    from seeder_cli.display import Display
    from seeder_cli.here import run_here

    with Display(sys.stderr if as_json else None) as display:
        outcome = run_here(document, place, display, options)
    state_bucket = outcome.stages.get("run", {}).get("state_bucket", options.state_bucket)
    failures = f"seeder failures {outcome.run_id} --state-bucket {state_bucket}"
    again = "the same command with --resync"
    record = ending.record_of(outcome)
    return ending.tell(
        record, outcome.run_id, as_json, lambda name: failures if name == "failures" else again
    )

"""`seeder run`: seeds one pair with the deployed stack, and follows the run to its end."""

from __future__ import annotations

import json
from typing import Any

import click

from seeder.errors import InvalidRequest
from seeder.request import parse_request
from seeder_cli.display import Display
from seeder_cli.errors import CommandError
from seeder_cli.follow import Outcome, follow
from seeder_cli.jobs import looker
from seeder_cli.options import request_options
from seeder_cli.place import Place, place_options
from seeder_cli.started import start

POLL_SECONDS = 2.0
# What a run ends as, for scripts: the replica is proven; it is not; something failed.
PROVEN, FAILED, NOT_PROVEN = 0, 1, 3


@click.command()
@click.argument("source")
@click.argument("destination")
@request_options
@click.option("--detach", is_flag=True, help="Print the run's id and return.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="End with the run's record as JSON.")
def run(
    source: str, destination: str, fields: dict[str, Any], detach: bool, place: Place, as_json: bool
) -> int:
    """Seed DESTINATION from SOURCE with the deployed stack, and stay until the replica is proven or not.

    Exits 0 when the replica is proven, 1 on failures, 2 on bad input, 3 when nothing was proven because another run
    has the pair. Ctrl-C leaves the run as it is.

    \b
    Example:
      seeder run my-bucket my-replica --prefix logs/ --resync
    """
    document = {"source": source, "destination": destination, **fields}
    try:
        parse_request(document)
    except InvalidRequest as error:
        raise CommandError(str(error)) from error
    machine = place.outputs["SeedArn"]
    states = place.client("stepfunctions")
    execution = start(states, machine, document)
    run_id = execution.rpartition(":")[2]
    if detach:
        click.echo(run_id)
        return PROVEN
    try:
        with Display() as display:
            display.line(f"Started run: {run_id}")
            outcome = follow(states, execution, display, looker(place.session, execution), poll=POLL_SECONDS)
    except KeyboardInterrupt:
        click.echo(
            f"seeder: the run goes on; stop it with: aws stepfunctions stop-execution --execution-arn {execution}",
            err=True,
        )
        return 130
    return _tell(outcome, as_json)


def _tell(outcome: Outcome, as_json: bool) -> int:
    claim, record = outcome.stages.get("claim") or {}, outcome.stages.get("record") or {}
    if outcome.status == "SUCCEEDED" and not record:
        click.echo(json.dumps(claim) if as_json else f"State: Skipped: {claim.get('cause', '')}")
        return NOT_PROVEN
    if as_json:
        click.echo(json.dumps(record))
    elif record:
        counts = f"Total: {record['total']}, Success: {record['succeeded']}, Failed: {record['failed']}"
        click.echo(f"State: {record['state']}, {counts}")
        compared = (record.get("verification") or {}).get("equal", 0)
        if record.get("replica"):
            click.echo(f"Replica: {record['replica']} ({compared} objects equal)")
        click.echo(f"Cost: {record.get('actual_usd') or 'not known'} USD, by list prices")
    if outcome.status != "SUCCEEDED":
        click.echo(f"seeder: {outcome.error or outcome.status}: {outcome.cause}", err=True)
        return FAILED
    return PROVEN

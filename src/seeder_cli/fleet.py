"""`seeder fleet`: seeds many pairs with the deployed stack, and says what became of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import click

from seeder.errors import InvalidRequest
from seeder.fleet.request import parse_fleet
from seeder_cli.errors import CommandError
from seeder_cli.place import NAME
from seeder_cli.stack import stack_outputs
from seeder_cli.started import start, wait

SHOWN = 20


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--buckets", metavar="PATTERN", help="Seed each bucket whose name matches, such as 'app-*'.")
@click.option(
    "--destination", metavar="NAME", help="With --buckets: the destination's name; {source} is the source's."
)
@click.option("--csv", metavar="S3-ADDRESS", help="Pairs in a CSV file in S3; its header names their fields.")
@click.option("--registry", metavar="PATTERN", help="Pairs seeded before whose source matches; '*' is all.")
@click.option("--rules", multiple=True, metavar="BUCKET[/RULE]", help="Replication rules there are already.")
@click.option("--resync", is_flag=True, help="List both sides first; seed only what the replica lacks.")
@click.option("--detached", is_flag=True, help="Start the runs and return.")
@click.option("--stack", default=NAME, show_default=True, help="Name of the deployed stack.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def fleet(
    file: Path | None,
    buckets: str | None,
    destination: str | None,
    csv: str | None,
    registry: str | None,
    rules: tuple[str, ...],
    resync: bool,
    detached: bool,
    stack: str,
    as_json: bool,
) -> int:
    """Seed many pairs: those of FILE (JSON, as `fleet` takes it), or what the options select.

    Stays until all runs have ended, unless --detached; Ctrl-C leaves them running. Exits 1 if one failed.

    \b
    Example:
      seeder fleet --buckets 'app-*' --destination '{source}-replica' --resync
    """
    selected = {
        "buckets": buckets,
        "destination": destination,
        "csv": csv,
        "registry": {"names": registry} if registry else None,
        "rules": list(rules) or None,
        "options": {"resync": True} if resync else None,
        "detached": detached or None,
    }
    document = _document(file) if file else {}
    document |= {name: value for name, value in selected.items() if value is not None}
    try:
        parse_fleet(document)
    except InvalidRequest as error:
        raise CommandError(str(error)) from error
    return run_fleet(document, stack, as_json)


def run_fleet(document: dict[str, Any], stack: str, as_json: bool) -> int:
    """Start `fleet` with a document, wait, and tell its summary; return the exit status. Raises CommandError."""
    session = boto3.Session()
    arn = stack_outputs(session, stack)["FleetArn"]
    states = session.client("stepfunctions")
    execution = start(states, arn, document)
    if not as_json:
        click.echo(f"Started: {execution}")
    try:
        status, summary, why = wait(states, execution)
    except KeyboardInterrupt:
        click.echo(
            f"seeder: left running; stop it with: aws stepfunctions stop-execution --execution-arn {execution}",
            err=True,
        )
        return 130
    if status != "SUCCEEDED":
        raise CommandError(f"{status}: {why}", status=1)
    click.echo(json.dumps(summary) if as_json else _told(summary))
    return 1 if summary.get("failed") else 0


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise CommandError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CommandError(f"{path}: not an object; see events/fleet.json")
    return document


def _told(summary: dict[str, Any]) -> str:
    """Return the summary in words: a line for each pair that needs a look, and the counts."""
    if "runs" not in summary:
        return "Nothing to seed"
    told = [run for run in summary["runs"] if run["outcome"] in ("failed", "skipped")]
    lines = [
        f"{run['outcome']:<8} {run['source']} → {run['destination']}: {run['why']}" for run in told[:SHOWN]
    ]
    if len(told) > SHOWN:
        lines.append(f"… and {len(told) - SHOWN} more: {summary['address']}")
    names = ("equal", "seeded", "failed", "skipped", "started")
    counts = ", ".join(f"{summary[name]} {name}" for name in names if summary[name])
    return "\n".join([*lines, f"State: {summary['state']}, Pairs: {summary['pairs']} ({counts})"])

"""`seeder fleet`: seeds many pairs with the deployed stack, and says what became of each."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from seeder.documents import parsed
from seeder.errors import InvalidRequest
from seeder.fleet.request import EXAMPLE, parse_fleet
from seeder_cli import ending
from seeder_cli.display import Display
from seeder_cli.errors import CommandError
from seeder_cli.fleet_following import follow_fleet
from seeder_cli.place import Place, place_options
from seeder_cli.started import start

SHOWN = 20
COME_BACK = "seeder status --watch"
POLL_SECONDS = 2.0


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
@click.option("--detach", "detached", is_flag=True, help="Start the runs and return.")
@place_options
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
    place: Place,
    as_json: bool,
) -> int:
    """Seed many pairs: those of FILE (JSON, as `fleet` takes it), or what the options select.

    Stays until all runs have ended, unless --detach; Ctrl-C leaves them running. Exits 1 if one failed.

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
    return run_fleet(document, place, as_json)


def run_fleet(document: dict[str, Any], place: Place, as_json: bool) -> int:
    """Start `fleet` with a document, wait, and tell its summary; return the exit status. Raises CommandError."""
    states = place.client("stepfunctions")
    execution = start(states, place.outputs["FleetArn"], document)
    try:
        with Display(sys.stderr if as_json else None) as display:
            display.line(f"Started: {execution}")
            ended = follow_fleet(states, execution, display, COME_BACK, poll=POLL_SECONDS)
    except KeyboardInterrupt:
        stop = f"aws stepfunctions stop-execution --execution-arn {execution}"
        told = (
            f"seeder: the fleet goes on; come back to it: {COME_BACK}\n        or start no more of it: {stop}"
        )
        click.echo(told, err=True)
        return ending.DETACHED
    if ended["status"] != "SUCCEEDED":
        why = ": ".join(filter(None, (ended.get("error", ""), ended.get("cause", ""))))
        refused = ended.get("error") == "InvalidRequest"
        raise CommandError(f"{ended['status']}: {why}", ending.BAD_INPUT if refused else ending.FAILED)
    summary = json.loads(ended["output"])
    click.echo(json.dumps(summary) if as_json else _told(summary))
    return ending.FAILED if summary.get("failed") else ending.PROVEN


def _document(path: Path) -> dict[str, Any]:
    try:
        document = parsed(path.read_text("utf-8"))
    except ValueError as error:
        raise CommandError(f"{path}: not JSON: {error}; give one such as {EXAMPLE}") from error
    if not isinstance(document, dict):
        raise CommandError(f"{path}: not an object; give one such as {EXAMPLE}")
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

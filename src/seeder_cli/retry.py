"""`seeder retry`: seeds what a run that has ended left out, in a new run of the same request."""

from __future__ import annotations

import json
from typing import Any

import click

from seeder.errors import InvalidRequest
from seeder.request import RULE_OPTIONS, Request, parse_request
from seeder_cli import ending
from seeder_cli.attached import command, start_run, stay
from seeder_cli.errors import CommandError
from seeder_cli.place import Place, place_options
from seeder_cli.runs import RunRef, find_run

# What asked for the run, and what its rule was to be: the rule is there by now, or the user adds it anew. Jobs that
# were confirmed once are not confirmed again; a re-sync lists both buckets, and takes no inventory.
_OF_THE_FIRST = frozenset(
    {
        "confirm",
        "enable_replication",
        "inventory",
        "replication_role_arn",
        "rule_id",
        "trigger",
        *RULE_OPTIONS,
    }
)


@click.command()
@click.argument("run")
@click.option("--detach", is_flag=True, help="Print the new run's id and return.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print the new run's record as JSON, and nothing else.")
def retry(run: str, detach: bool, place: Place, as_json: bool) -> int:
    """Start a new run of RUN's request that seeds only what the replica lacks, and stay until its end.

    Filters and other fields stay as they were; both buckets are listed, not an inventory. RUN is a run's id or its
    beginning, or its pair as SOURCE/DESTINATION. The exit status is that of `seeder run`.

    \b
    Example:
      seeder retry my-bucket/my-replica
    """
    found = find_run(place, run)
    if found.running:
        follow_it, stop_it = (command(place, name, found.run_id) for name in ("attach", "cancel"))
        raise CommandError(f"{found.run_id} goes on: {follow_it} follows it, {stop_it} stops it")
    try:
        document = again(_request_of(place, found))
        request = parse_request(document)
    except InvalidRequest as error:
        raise CommandError(f"the request of {found.run_id}: {error}") from error
    execution = start_run(place, document, "retry")
    run_id = execution.rpartition(":")[2]
    if detach:
        click.echo(run_id)
        return ending.PROVEN
    told = f"Seeding what the replica lacks: {request.source} → {request.destination}{_as_before(document)}"
    return stay(place, execution, as_json, [told, f"Started run: {run_id}"])


def again(request: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a run that seeds what a run of this request left out."""
    kept = {name: value for name, value in request.items() if name not in _OF_THE_FIRST}
    return {**{name: value for name, value in kept.items() if name in Request.model_fields}, "resync": True}


def _as_before(document: dict[str, Any]) -> str:
    """Return in words what stays as it was asked, "" where that is nothing."""
    given = {
        name: value for name, value in document.items() if name not in ("source", "destination", "resync")
    }
    told = ", ".join(f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in given.items())
    return f" ({told})" if told else ""


def _request_of(place: Place, found: RunRef) -> dict[str, Any]:
    """Return what a run was asked, by its record, or by its execution where it left none."""
    if found.record:
        return found.record.request
    seen = place.client("stepfunctions").describe_execution(executionArn=found.execution_arn)
    document = json.loads(seen["input"])
    return document if isinstance(document, dict) else {}

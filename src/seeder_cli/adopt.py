"""`seeder adopt`: shows the replication rules that are there already, and seeds those chosen."""

from __future__ import annotations

import json

import click
from botocore.exceptions import BotoCoreError, ClientError

from seeder.clients import Clients
from seeder.errors import SeederError
from seeder.fleet.adoption import Found, find
from seeder_cli.columns import columns
from seeder_cli.errors import CommandError
from seeder_cli.fleet import run_fleet
from seeder_cli.place import Place, place_options

ALL = "all"
_STANDINGS = {
    "seeded": "seeded",
    "seen": "its event was handled",
    "new": "never seeded",
    "disabled": "disabled",
    "hidden": "may not be read",
}


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--seed",
    multiple=True,
    metavar="all|BUCKET|BUCKET/RULE",
    help="Seed these rules: all that are enabled, those of a bucket (* and ? are wildcards), or one.",
)
@click.option("--detach", "detached", is_flag=True, help="With --seed: start the runs and return.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def adopt(names: tuple[str, ...], seed: tuple[str, ...], detached: bool, place: Place, as_json: bool) -> int:
    """Show the replication rules of the account's buckets, or of those whose NAME matches; seed those chosen.

    Rules that are older than the deployment were never seeded by it. Without --seed nothing is started. With it both
    sides are listed first, and only what a replica lacks is seeded.

    \b
    Example:
      seeder adopt 'app-*' --seed all
    """
    try:
        found = find(Clients(place.session), place.outputs["StateBucketName"], names)
    except (SeederError, ClientError, BotoCoreError) as error:
        raise CommandError(f"replication rules: {error}", status=1) from error
    if not seed:
        click.echo(json.dumps([item.model_dump() for item in found])) if as_json else _show(found)
        return 0
    return run_fleet({"rules": _chosen(found, seed), "detached": detached}, place, as_json)


def _chosen(found: list[Found], seed: tuple[str, ...]) -> list[str]:
    if ALL not in seed:
        return list(seed)
    chosen = [item.selector for item in found if item.standing not in ("disabled", "hidden")]
    if not chosen:
        raise CommandError("--seed all: there is no enabled replication rule; nothing was started", status=1)
    return chosen


def _show(found: list[Found]) -> None:
    """Print a table, a row for each rule."""
    if not found:
        click.echo("No replication rules found.")
        return
    rows = [("SOURCE/RULE", "DESTINATION", "SCOPE", "STANDING", "LAST RUN"), *map(_row, found)]
    for line in columns(rows):
        click.echo(line)
    fresh = sum(item.standing == "new" for item in found)
    if fresh:
        click.echo(f"{fresh} never seeded; seed them with: seeder adopt --seed BUCKET/RULE (or all)")


def _row(item: Found) -> tuple[str, str, str, str, str]:
    scope = " ".join(filter(None, [item.prefix, *(f"{key}={value}" for key, value in item.tags.items())]))
    last = item.last_run
    return (
        item.selector if item.rule_id else item.source,
        item.destination,
        (scope or "all keys") if item.rule_id else item.why,
        _STANDINGS[item.standing],
        " ".join(filter(None, (last.state, last.replica, last.ended_at[:10]))) if last else "",
    )

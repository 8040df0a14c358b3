"""`seeder prune`: remove the roles of pairs that are no longer."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import cache

import click
from botocore.exceptions import BotoCoreError, ClientError

from seeder.clients import Clients
from seeder.errors import Conflict, SeederError
from seeder.fleet.pairs import Known, forget, read_pairs
from seeder.roles.pruning import Made, bucket_is_gone, examine, remove
from seeder_cli.errors import CommandError
from seeder_cli.place import Place, place_options


@click.command()
@click.option("--path", default="", help="Path of its roles, if the stack is gone: /<stack>/<region>/.")
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(0),
    help="Also remove roles that were not used for so many days; 0: all.",
)
@click.option("--yes", is_flag=True, help="Remove without asking.")
@place_options
def prune(path: str, days: int | None, yes: bool, place: Place) -> int:
    """Remove the roles that were made for pairs of which a bucket is gone, and those pairs from the registry.

    Shows what would be removed, and asks; without a terminal it only shows, unless --yes is given. Only roles that the
    stack made are looked at, and a role that a bucket's replication rules have is kept, however long it was not used.
    Not to be run with --days 0 while runs go on.

    \b
    Example:
      seeder prune --days 90
    """
    region = place.session.region_name
    if path and not (path.startswith("/") and path.endswith(f"/{region}/")):
        raise CommandError(f"--path {path}: give /<stack>/<region>/ of this region, /{place.stack}/{region}/")
    outputs = {} if path else place.outputs
    path = path or outputs["RolePath"]
    clients = Clients(place.session)
    try:
        made = list(examine(clients, path, place.stack, datetime.now(UTC), days))
    except (ClientError, BotoCoreError) as error:
        raise CommandError(f"the roles under {path} can't be looked at: {error}", status=1) from error
    state_bucket = outputs.get("StateBucketName", "")
    gone = _pairs_without_buckets(clients, state_bucket) if state_bucket else []
    needless = [role for role in made if role.is_needless]
    for role in made:
        click.echo(_line(role))
    for known in gone:
        click.echo(f"forget  {known.source} → {known.request['destination']}  a bucket is gone")
    click.echo(
        f"{len(made)} roles under {path}, {len(needless)} of them to be removed; {len(gone)} pairs to be forgotten"
    )
    if not (needless or gone) or not (yes or _is_confirmed(len(needless), len(gone))):
        return 0
    failed = [role for role in needless if not _remove(clients, role)]
    if gone:
        forget(clients.s3(clients.region), state_bucket, lambda known: known in gone)
    click.echo(f"{len(needless) - len(failed)} roles removed, {len(gone)} pairs forgotten")
    return 1 if failed else 0


def _pairs_without_buckets(clients: Clients, state_bucket: str) -> list[Known]:
    is_gone = cache(lambda bucket: bucket_is_gone(clients, bucket))
    try:
        known = read_pairs(clients.s3(clients.region), state_bucket)
    except SeederError as error:
        raise CommandError(f"the registry of pairs can't be read: {error}", status=1) from error
    return [pair for pair in known if is_gone(pair.source) or is_gone(str(pair.request["destination"]))]


def _line(role: Made) -> str:
    verb = "remove" if role.is_needless else "keep"
    return f"{verb:6}  {role.name}  {role.source} → {role.destination or '(all)'}  {role.reason}"


def _is_confirmed(roles: int, pairs: int) -> bool:
    return sys.stdin.isatty() and click.confirm(f"Remove {roles} roles and forget {pairs} pairs?")


def _remove(clients: Clients, role: Made) -> bool:
    try:
        remove(clients, role.name)
    except (Conflict, ClientError, BotoCoreError) as error:
        click.echo(f"seeder: {role.name} is not removed: {error}", err=True)
        return False
    return True

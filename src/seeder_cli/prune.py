"""`seeder prune`: remove the roles of pairs that are no longer."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from seeder.clients import Clients
from seeder.errors import Conflict
from seeder.roles.pruning import Made, examine, remove
from seeder_cli.errors import CommandError
from seeder_cli.stack import NAME, stack_outputs


@click.command()
@click.option("--stack", default=NAME, show_default=True, help="Name of the deployed stack.")
@click.option("--path", default="", help="Path of its roles, if the stack is gone: /<stack>/<region>/.")
@click.option(
    "--days", type=click.IntRange(0), help="Also remove roles that were not used for so many days; 0: all."
)
@click.option("--yes", is_flag=True, help="Remove without asking.")
def prune(stack: str, path: str, days: int | None, yes: bool) -> int:
    """Remove the roles that were made for pairs of which a bucket is gone.

    Shows what would be removed, and asks; without a terminal it only shows, unless --yes is given. Only roles that the
    stack made are looked at, and a role that a bucket's replication rules have is kept, however long it was not used.
    Not to be run with --days 0 while runs go on.

    \b
    Example:
      seeder prune --days 90
    """
    session = boto3.Session()
    if path and not (path.startswith("/") and path.endswith(f"/{session.region_name}/")):
        raise CommandError(
            f"--path {path}: give /<stack>/<region>/ of this session's region, {session.region_name}"
        )
    path = path or stack_outputs(session, stack)["RolePath"]
    clients = Clients(session)
    try:
        made = list(examine(clients, path, stack, datetime.now(UTC), days))
    except (ClientError, BotoCoreError) as error:
        raise CommandError(f"the roles under {path} can't be looked at: {error}", status=1) from error
    needless = [role for role in made if role.is_needless]
    for role in made:
        click.echo(_line(role))
    click.echo(f"{len(made)} roles under {path}, {len(needless)} of them to be removed")
    if not needless or not (yes or _is_confirmed(len(needless))):
        return 0
    failed = [role for role in needless if not _remove(clients, role)]
    click.echo(f"{len(needless) - len(failed)} roles removed")
    return 1 if failed else 0


def _line(role: Made) -> str:
    verb = "remove" if role.is_needless else "keep"
    return f"{verb:6}  {role.name}  {role.source} → {role.destination or '(all)'}  {role.reason}"


def _is_confirmed(count: int) -> bool:
    return sys.stdin.isatty() and click.confirm(f"Remove {count} roles?")


def _remove(clients: Clients, role: Made) -> bool:
    try:
        remove(clients, role.name)
    except (Conflict, ClientError, BotoCoreError) as error:
        click.echo(f"seeder: {role.name} is not removed: {error}", err=True)
        return False
    return True

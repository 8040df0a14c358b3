"""The `seeder` command and its subcommands."""

from __future__ import annotations

import importlib
import sys

import click

from seeder_cli.errors import CommandError
from seeder_cli.place import location_options

_COMMANDS = (
    "demo",
    "adopt",
    "doctor",
    "estimate",
    "fleet",
    "lake",
    "local",
    "manifest",
    "policy",
    "prune",
    "run",
)


class Commands(click.Group):
    """Imports a command when it is used: each needs much that the others don't."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, the function of its name in the module of its name."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"seeder_cli.{cmd_name}"), cmd_name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="s3-seeder", prog_name="seeder")
@location_options
def cli(**_: str | None) -> None:
    """Copy what a bucket already held when its replication rule was added, and prove the replica equal.

    \b
    Try it without an AWS account:
      seeder demo
    """


def main() -> None:
    """Run the command; exit 0 when all went well, 1 on failures, 2 on bad input, 130 on Ctrl-C."""
    try:
        sys.exit(cli(standalone_mode=False))
    except CommandError as error:
        click.echo(f"seeder: {error}", err=True)
        sys.exit(error.status)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("seeder: interrupted", err=True)
        sys.exit(130)

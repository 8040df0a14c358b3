"""The `seeder` command and its subcommands."""

from __future__ import annotations

import sys

import click

from seeder_cli.demo import demo
from seeder_cli.errors import CommandError
from seeder_cli.estimate import estimate
from seeder_cli.local import local
from seeder_cli.manifest import manifest


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="s3-seeder", prog_name="seeder")
def cli() -> None:
    """Copy what a bucket already held when its replication rule was added, and prove the replica equal.

    \b
    Try it without an AWS account:
      seeder demo
    """


cli.add_command(demo)
cli.add_command(estimate)
cli.add_command(local)
cli.add_command(manifest)


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

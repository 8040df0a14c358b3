"""The `seeder` command and its subcommands."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any, Final

import click

from seeder_cli.errors import CommandError
from seeder_cli.group import Commands
from seeder_cli.place import location_options
from seeder_cli.terminal import is_plain, printable, write_anything

BAD_INPUT, INTERRUPTED = 2, 130
# As a shell tells of a process that SIGPIPE has ended.
CLOSED_PIPE: Final = 141
DEBUG = "SEEDER_DEBUG"
LINE_BREAK = "\n"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@location_options
@click.option("--debug", is_flag=True, help=f"Show where an error comes from; as {DEBUG}=1 does.")
@click.version_option(package_name="s3-seeder", prog_name="seeder")
@click.pass_context
def cli(ctx: click.Context, /, debug: bool, **_: str | None) -> None:
    """Seed an S3 replica with what was there before its rule, and prove it equal."""
    if is_plain():
        ctx.color = False
    if debug:
        os.environ[DEBUG] = "1"


def main() -> None:
    """Run the command; exit 0 when all went well, 1 on failures, 2 on bad input, 130 on Ctrl-C."""
    write_anything()
    try:
        status = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has read enough. What is left to be written must not be missed at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = CLOSED_PIPE
    sys.exit(status)


def _run() -> Any:
    """Return the exit status. Raises BrokenPipeError."""
    out = sys.stdout
    try:
        return cli(standalone_mode=False)
    except BrokenPipeError:
        raise
    except SystemExit as ended:
        # Where click itself meets a closed pipe it silences standard output, and ends the process with 1.
        return ended.code if sys.stdout is out else CLOSED_PIPE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _told("interrupted", INTERRUPTED)
    except CommandError as error:
        return _told(str(error), error.status)
    except Exception as error:
        return _told(*_unforeseen(error))


def _told(text: str, status: int) -> int:
    """Print why a command ends, and with the traceback of what is handled if that was asked for."""
    if os.environ.get(DEBUG):
        click.echo(traceback.format_exc(), err=True)
    click.echo(f"seeder: {printable(text, kept=LINE_BREAK)}", err=True)
    return status


def _unforeseen(error: Exception) -> tuple[str, int]:
    """Return what to tell of an error that its command let pass, and the exit status."""
    from botocore.exceptions import BotoCoreError, ClientError

    from seeder.errors import InvalidRequest, SeederError

    if isinstance(error, InvalidRequest):
        return str(error), BAD_INPUT
    if isinstance(error, UnicodeEncodeError):
        return f"what was given is not UTF-8: {error.object[:100]!r}; give it in UTF-8", BAD_INPUT
    if isinstance(error, (SeederError, BotoCoreError, ClientError, OSError)):
        return str(error), 1
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith(("seeder", "localcloud")):
        return f"{error.name} is not installed; this takes it: pip install 's3-seeder[local]'", 1
    return f"this is a fault of seeder: {type(error).__name__}: {error}; seeder --debug … shows where", 1

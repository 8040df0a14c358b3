"""The group of all commands: which there are comes from `seeder_cli.commands`, each is imported when it is used."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

import click

from seeder_cli.commands import ABOUT, GROUPS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_OPTIONS = (
    ("--region, --profile, --stack NAME", "Where; also after the command's name."),
    ("--debug", "Show where an error comes from."),
    ("--version, -h, --help", "Each command has its --help."),
)


class Commands(click.Group):
    """Imports a command when it is used: each needs much that the others don't."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        return list(ABOUT)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, the function of its name in the module of its name."""
        if cmd_name not in ABOUT:
            return None
        command: click.Command = getattr(importlib.import_module(f"seeder_cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for. Raises UsageError, which names the commands that are most like it."""
        name = args[0]
        if name not in ABOUT and not name.startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(name, ABOUT)
            hint = f"Did you mean {' or '.join(repr(one) for one in near)}?" if near else "See: seeder --help"
            raise click.UsageError(f"No such command {name!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names, and the options, that begin so; imports no command."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=about) for name, about in ABOUT.items() if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by group, and the options in fewer lines than each its own."""
        self.format_commands(ctx, formatter)
        with formatter.section("Options"):
            formatter.write_dl(list(_OPTIONS), col_max=40)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command; the first of a group begins with the group's title."""
        formatter.write_paragraph()
        for title, entries in GROUPS:
            for entry in entries:
                group = title if entry is entries[0] else ""
                formatter.write(f"  {group:<12}{entry.name:<12}{entry.about}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write where to begin."""
        formatter.write_paragraph()
        formatter.write("Try it: seeder demo. With an account: seeder doctor, then seeder run SRC DST.\n")

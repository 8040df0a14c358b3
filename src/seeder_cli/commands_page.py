"""docs/commands.md: the help of every command, whole and by group, as `seeder` itself prints it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from seeder_cli.commands import GROUPS
from seeder_cli.main import cli
from seeder_cli.options import whole_help

_WIDTH = 78
_INTRODUCTION = """\
# Commands

<!-- Made by `make docs` from the commands' own help. -->

```
{help}
```

Exit status: 0 all went well (of a run: the replica is proven equal) · 1 something failed · 2 bad input, nothing was
begun · 3 a run ended without a proof · 130 Ctrl-C · 141 whoever read the output has read enough. A command whose
status says more tells so below.

`--region`, `--profile` and `--stack` stand before or after the command's name. The region is that of `--region`, else
of `AWS_REGION`, `AWS_DEFAULT_REGION`, or the profile; the profile that of `--profile`, else of `AWS_PROFILE`;
credentials and endpoints (`AWS_ENDPOINT_URL`) are found as the AWS CLI finds them.

Output is plain text, without colours and bars, where it goes to a pipe or a file, or where `NO_COLOR` is set or
`TERM` is `dumb`; messages go to standard error. Scripts take `--json`. `SEEDER_DEBUG=1` or `seeder --debug …` shows
where an error comes from. Tab completes names after `eval "$(seeder completion bash)"`; zsh and fish alike.
"""


def page() -> Iterator[str]:
    """Yield the parts of docs/commands.md."""
    root = click.Context(cli, info_name="seeder", terminal_width=_WIDTH, **cli.context_settings)
    yield _INTRODUCTION.format(help=cli.get_help(root))
    for group in GROUPS:
        yield f"## {group.title}\n"
        for entry in group.entries:
            yield f"### seeder {entry.name}\n\n{entry.about}\n"
            command = cli.get_command(root, entry.name)
            if command is not None:
                yield from _helps(command, click.Context(command, info_name=entry.name, parent=root))


def _helps(command: click.Command, ctx: click.Context) -> Iterator[str]:
    """Yield the help of a command, and of those it is a group of."""
    yield f"```\n{whole_help(command, ctx)}\n```\n"
    for name, one in command.commands.items() if isinstance(command, click.Group) else ():
        yield from _helps(one, click.Context(one, info_name=name, parent=ctx))

"""`seeder completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from click.shell_completion import ShellComplete

_NAME, _VARIABLE = "seeder", "_SEEDER_COMPLETE"
_INSTALLED = {
    "bash": "echo 'eval \"$(seeder completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(seeder completion zsh)\"' >> ~/.zshrc    # below compinit",
    "fish": "seeder completion fish > ~/.config/fish/completions/seeder.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(tuple(_INSTALLED)))
def completion(shell: str) -> int:
    """Print the script by which SHELL completes commands and options.

    bash 4.4 or newer, zsh or fish. Its last line says how to install it.

    \b
    Example:
      seeder completion fish > ~/.config/fish/completions/seeder.fish
      echo 'eval "$(seeder completion bash)"' >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    made = cast("type[ShellComplete]", get_completion_class(shell))
    group = click.get_current_context().find_root().command
    click.echo(made(group, {}, _NAME, _VARIABLE).source().strip())
    click.echo(f"# To install it: {_INSTALLED[shell]}")
    return 0

"""The help of every command, read in a terminal of 80 columns; and what the help and the completion import."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from seeder_cli import commands_page
from seeder_cli.commands import ABOUT, GROUPS
from seeder_cli.main import cli

COLUMNS, LINES, FEW_LINES = 80, 50, 32
MANY_OPTIONS = {"run", "fleet", "policy", "lake policy"}
HEAVY = {"boto3", "botocore", "localcloud", "moto", "pydantic", "rich", "seeder"}
CONTEXT = click.Context(cli)


def all_commands() -> Iterator[tuple[str, click.Command]]:
    for name in cli.list_commands(CONTEXT):
        command = cli.get_command(CONTEXT, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", one) for inner, one in command.commands.items())


ALL = dict(all_commands())


def helped(*words: str, width: int = COLUMNS) -> str:
    done = CliRunner().invoke(cli, [*words, "--help"], terminal_width=width)
    assert done.exit_code == 0, done.output
    return done.output


def ran(*words: str, **variables: str) -> str:
    """Return what a process prints to say which packages it has imported, after the command is done."""
    code = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['seeder', *{[*words]!r}]\n"
        "from seeder_cli.main import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=os.environ | variables,
    )
    assert done.stderr.endswith("[]\n"), done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["", *ALL])
def test_a_commands_help_fits_on_a_screen(name: str) -> None:
    lines = helped(*name.split()).splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert len(lines) <= (LINES if name in MANY_OPTIONS else FEW_LINES)


@pytest.mark.parametrize("name", ALL)
def test_a_commands_help_has_an_example_of_that_command(name: str) -> None:
    shown = helped(*name.split())
    assert f"  seeder {name}" in shown.partition("Example")[2].partition("Options:")[0]


@pytest.mark.parametrize("name", ALL)
def test_a_commands_example_has_options_that_there_are(name: str) -> None:
    example = helped(*name.split()).partition("Example")[2].partition("Options:")[0]
    lines = [line for line in example.splitlines() if line.startswith(f"    seeder {name}")]
    words = {word for line in lines for word in line.split() if word.startswith("--")}
    known = {option for param in ALL[name].params for option in (*param.opts, *param.secondary_opts)}
    assert words <= known


@pytest.mark.parametrize("name", ABOUT)
def test_each_line_of_the_table_is_a_sentence_that_fits(name: str) -> None:
    assert ABOUT[name][0].isupper()
    assert ABOUT[name].endswith((".", "?"))
    assert 26 + len(ABOUT[name]) <= COLUMNS
    assert len(name) < 12


def test_each_name_of_the_table_is_a_command() -> None:
    assert [command.name for name, command in ALL.items() if " " not in name] == list(ABOUT)


def test_the_help_lists_the_commands_by_group_with_their_text_uncut() -> None:
    shown = helped()
    lines = [line[2:] for line in shown.splitlines() if line.startswith("  ")]
    for title, entries in GROUPS:
        for entry in entries:
            group = title if entry is entries[0] else ""
            assert f"{group:<12}{entry.name:<12}{entry.about}" in lines
    assert "..." not in shown.partition("\n")[2]


def test_the_help_names_each_option_that_comes_before_a_command() -> None:
    shown = helped()
    known = {option for param in cli.params for option in param.opts}
    assert {option for option in known if option not in shown} == set()


def test_the_help_imports_no_command_and_nothing_heavy() -> None:
    assert ran("--help").startswith("Usage: seeder ")


def test_completing_a_commands_name_imports_no_command_and_nothing_heavy() -> None:
    done = ran(_SEEDER_COMPLETE="bash_complete", COMP_WORDS="seeder ru", COMP_CWORD="1")
    assert done.splitlines() == ["plain,run"]


def test_options_are_completed_after_a_command_and_before() -> None:
    def complete(words: str) -> set[str]:
        environment = {
            "_SEEDER_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        done = CliRunner().invoke(cli, [], env=environment, prog_name="seeder")
        return {line.removeprefix("plain,") for line in done.output.splitlines()}

    assert complete("seeder --pro") == {"--profile"}
    assert complete("seeder lake ve") == {"verify"}
    assert {"--prefix", "--priority", "--profile"} == complete("seeder run --pr")
    assert complete("seeder completion z") == {"zsh"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_seeder_and_says_how_to_install_it(shell: str) -> None:
    done = CliRunner().invoke(cli, ["completion", shell], standalone_mode=False)
    assert done.return_value == 0
    assert f"_SEEDER_COMPLETE={shell}_complete" in done.stdout
    assert f"seeder completion {shell}" in done.stdout.splitlines()[-1]


def test_the_page_of_commands_has_every_command_and_option() -> None:
    page = "\n".join(commands_page.page())
    for name, command in ALL.items():
        own = page.partition(f"Usage: seeder {name} ")[2].partition("```")[0]
        missing = [param.opts[0] for param in command.params if isinstance(param, click.Option)]
        assert [option for option in missing if option not in own] == [], name
    assert [name for name in ABOUT if f"### seeder {name}\n" not in page] == []

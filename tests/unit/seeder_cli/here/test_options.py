"""The options of --here on a command."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from seeder_cli.here import HereOptions
from seeder_cli.here.options import here_options


@click.command()
@here_options
def command(here: HereOptions | None) -> None:
    click.echo(repr(here))


def test_without_here_there_is_nothing() -> None:
    assert CliRunner().invoke(command, []).output.strip() == "None"


def test_with_here_all_of_them_are_taken() -> None:
    given = ["--here", "--state-bucket", "b", "--local-batch", "--endpoint-url", "http://127.0.0.1:9"]
    assert CliRunner().invoke(command, given).output.strip() == repr(
        HereOptions("b", True, "http://127.0.0.1:9")
    )


@pytest.mark.parametrize("option", [["--state-bucket", "b"], ["--local-batch"], ["--endpoint-url", "u"]])
def test_what_belongs_to_here_needs_it(option: list[str]) -> None:
    answer = CliRunner().invoke(command, option)
    assert answer.exit_code == 2
    assert f"{option[0]} belongs to --here" in answer.output

from __future__ import annotations

import pytest
from click.testing import CliRunner

from seeder_cli.attached import command
from seeder_cli.errors import CommandError
from seeder_cli.main import cli
from seeder_cli.place import Place
from seeder_cli.started import fresh_name


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (Place(), "seeder attach my-run"),
        (Place(region="eu-west-1"), "seeder attach my-run --region eu-west-1"),
        (
            Place(profile="work", stack="other"),
            "seeder attach my-run --profile work --stack other",
        ),
    ],
)
def test_the_command_that_comes_back_finds_the_run_from_the_same_place(place: Place, told: str) -> None:
    assert command(place, "attach", "my-run") == told


def test_two_runs_of_a_pair_never_have_one_name() -> None:
    names = {fresh_name("my-bucket", "my-replica") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("manual-my-bucket-to-my-replica-") for name in names)


def test_a_run_in_this_process_is_not_detached() -> None:
    arguments = ("run", "my-bucket", "my-replica", "--here", "--detach")
    refused = CliRunner().invoke(cli, arguments, standalone_mode=False).exception
    assert isinstance(refused, CommandError)
    assert (str(refused).partition(":")[0], refused.status) == ("--detach", 2)

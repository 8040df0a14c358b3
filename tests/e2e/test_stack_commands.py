"""The commands that work with a deployed stack: run, fleet, adopt."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from seeder_cli.errors import CommandError
from seeder_cli.main import cli
from tests.e2e.deployed import Deployed


@pytest.fixture(autouse=True)
def credentials(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seeder_cli.attached.POLL_SECONDS", 0.05)
    monkeypatch.setattr("seeder_cli.fleet.POLL_SECONDS", 0.05)


def seeder(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


def refused(*arguments: str) -> CommandError:
    error = seeder(*arguments).exception
    assert isinstance(error, CommandError)
    return error


def pair(deployed: Deployed, *keys: str) -> tuple[str, str]:
    return deployed.bucket(keys=list(keys)), deployed.bucket()


def test_run_follows_the_run_and_tells_its_end(deployed: Deployed) -> None:
    source, destination = pair(deployed, "a", "logs/b", "logs/c d")
    done = seeder("run", source, destination, "--prefix", "logs/", "--operation", "copy")
    assert done.return_value == 0, done.output
    lines = done.output.splitlines()
    assert lines[1] == f"Creating manifest for bucket: {source}"
    assert "State: Complete, Total: 2, Success: 2, Failed: 0" in lines
    assert "Replica: equal (2 objects compared)" in lines
    assert sorted(deployed.contents(destination)) == ["logs/b", "logs/c d"]


def test_run_that_finds_nothing_to_seed_says_so(deployed: Deployed) -> None:
    source, destination = pair(deployed)
    done = seeder("run", source, destination, "--resync", "--json")
    record = json.loads(done.stdout)
    assert (done.return_value, record["state"], record["replica"], record["job_ids"]) == (
        0,
        "Complete",
        "equal",
        [],
    )
    assert f"Nothing to seed: {destination} lacks nothing" in done.stderr


def test_run_detached_prints_the_runs_id_alone(deployed: Deployed) -> None:
    source, destination = pair(deployed, "a")
    done = seeder("run", source, destination, "--detach")
    arn = deployed.stack.outputs["SeedArn"].replace(":stateMachine:", ":execution:")
    assert deployed.wait(f"{arn}:{done.output.strip()}")["status"] == "SUCCEEDED"


def test_run_of_a_request_that_will_not_do_exits_with_two_and_the_cause(deployed: Deployed) -> None:
    done = seeder("run", deployed.bucket(), "not-there-at-all")
    assert done.return_value == 2
    assert "InvalidRequest: destination: bucket 'not-there-at-all' does not exist" in done.output


def test_run_of_a_pair_that_another_run_has_proves_nothing(deployed: Deployed) -> None:
    source, destination = pair(deployed, "a")
    first = deployed.start("Seed", {"source": source, "destination": destination, "confirm": True})
    deployed.job_of(first.rpartition(":")[2], "us-east-1", "Suspended")
    done = seeder("run", source, destination, "--overlap", "skip")
    assert done.return_value == 3
    assert "State: Skipped: the run" in done.output
    deployed.states.stop_execution(executionArn=first)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("run", "Source", "destination"), "source: 'Source' is not a bucket name"),
        (("run", "same-bucket", "same-bucket"), "destination: 'same-bucket' is also the source"),
        (("run", "source", "replica", "--rounds", "11"), "rounds: 11 won't do"),
        (("run", "source", "replica", "--stack", "other"), "there is no stack 'other'"),
        (("fleet",), "pairs: no pairs"),
        (("fleet", "--buckets", "a", "--destination", "b"), "destination: 'b' is one bucket for all"),
        (("adopt", "--stack", "other"), "there is no stack 'other'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_started(
    deployed: Deployed, arguments: tuple[str, ...], problem: str
) -> None:
    assert str(refused(*arguments)).startswith(problem)


def test_fleet_tells_what_became_of_its_pairs(deployed: Deployed, tmp_path: Any) -> None:
    source, destination = pair(deployed, "a")
    file = tmp_path / "pairs.json"
    file.write_text(
        json.dumps(
            {
                "pairs": [
                    {"source": source, "destination": destination},
                    {"source": source, "destination": "not-there-at-all"},
                ]
            }
        )
    )
    done = seeder("fleet", str(file))
    assert done.return_value == 1
    failed, counts = done.output.splitlines()[1:]
    assert failed.startswith(f"failed   {source} → not-there-at-all: destination: bucket")
    assert counts == "State: Failed, Pairs: 2 (1 seeded, 1 failed)"
    again = seeder("fleet", "--registry", source, "--json")
    assert json.loads(again.stdout)["equal"] == 1


def test_adopt_shows_the_rules_that_are_there_and_seeds_those_chosen(deployed: Deployed) -> None:
    source, destination = pair(deployed, "a")
    deployed.next_second()
    with deployed.no_events():
        deployed.add_rule(source, destination)
    shown = seeder("adopt", source)
    assert "never seeded" in shown.output
    assert f"{source}/to-{destination}" in shown.output
    assert seeder("adopt", source, "--seed", f"{source}/to-{destination}").return_value == 0
    (found,) = json.loads(seeder("adopt", source, "--json").output)
    assert (found["standing"], found["last_run"]["state"]) == ("seeded", "Complete")
    assert sorted(deployed.contents(destination)) == ["a"]


def test_adopt_of_nothing_starts_nothing(deployed: Deployed) -> None:
    assert seeder("adopt", deployed.bucket()).output.strip() == "No replication rules found."
    assert "no enabled replication rule" in str(refused("adopt", deployed.bucket(), "--seed", "all"))


def test_help_of_every_command_names_an_example(deployed: Deployed) -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        assert "Example:" in seeder(name, "--help").output, name


def test_prune_forgets_pairs_whose_buckets_are_gone_and_removes_their_roles(deployed: Deployed) -> None:
    source, destination = pair(deployed)
    deployed.seed({"source": source, "destination": destination, "operation": "copy"})
    deployed.cloud.client("s3").delete_bucket(Bucket=destination)
    shown = seeder("prune")
    assert f"forget  {source} → {destination}  a bucket is gone" in shown.output
    assert "1 of them to be removed; 1 pairs to be forgotten" in shown.output
    assert seeder("prune", "--yes").output.endswith("1 roles removed, 1 pairs forgotten\n")
    assert "registry" not in seeder("prune").output
    assert "State: Complete" not in seeder("fleet", "--registry", source).output

"""The commands that read what runs have left: status, show, failures."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result

from localcloud.faults import Fault
from seeder_cli.errors import CommandError
from seeder_cli.main import cli
from tests.e2e.deployed import Deployed
from tests.keys import TRAPS

DENIED = Fault(key_prefix="denied/", status=403, code="AccessDenied")
BUSY_ONCE = Fault(key_prefix="busy/once", status=503, code="SlowDown", times=1)
BUSY = Fault(key_prefix="busy/ever", status=503, code="SlowDown")


def seeder(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


def refused(*arguments: str) -> str:
    error = seeder(*arguments).exception
    assert isinstance(error, CommandError), error
    return str(error)


def pair(deployed: Deployed, *keys: str) -> dict[str, Any]:
    made = {"source": deployed.bucket(keys=list(keys)), "destination": deployed.bucket(), "operation": "copy"}
    deployed.next_second()
    return made


@pytest.fixture(scope="module")
def failed(deployed: Deployed) -> dict[str, Any]:
    """A pair whose run failed at three of five objects, one of which by and by succeeded."""
    asked = pair(deployed, "busy/ever", "busy/once", "denied/a b,c", "denied/line\nend", "fine") | {
        "rounds": 2
    }
    with deployed.faults(DENIED, BUSY_ONCE, BUSY):
        return asked | deployed.seed(asked)


@pytest.fixture(scope="module")
def complete(deployed: Deployed) -> dict[str, Any]:
    asked = pair(deployed, "a", "b") | {"prefix": "a", "tags": {}}
    return asked | deployed.seed(asked)


# ── status ──


def test_status_has_a_row_for_each_pair_and_says_that_not_all_is_there(
    deployed: Deployed, failed: dict[str, Any], complete: dict[str, Any]
) -> None:
    done = seeder("status", "--sort", "source")
    rows = {line.split()[0]: line for line in done.output.splitlines()[1:-1]}
    assert " Failed " in rows[failed["source"]]
    assert "3 of 5 objects were not copied" in rows[failed["source"]]
    assert " Complete " in rows[complete["source"]]
    assert done.output.splitlines()[-1].startswith("Not all there: 2 pairs, 1 complete, 1 failed; ")
    assert done.return_value == 1


def test_status_of_pairs_that_are_proven_says_all_there_and_exits_with_zero(complete: dict[str, Any]) -> None:
    done = seeder("status", complete["source"])
    assert done.return_value == 0
    assert done.output.splitlines()[-1].startswith("All there: 1 pair, 1 complete; 1 objects")
    assert "prefix a" in done.output


def test_status_as_json_has_what_the_registry_has(failed: dict[str, Any], complete: dict[str, Any]) -> None:
    told = json.loads(seeder("status", "--json").output)
    assert (told["all_there"], told["totals"]["failed"], told["totals"]["complete"]) == (False, 1, 1)
    row = next(row for row in told["pairs"] if row["source"] == failed["source"])
    assert (row["run_id"], row["total"], row["failed"], row["replica"]) == (failed["name"], 5, 3, "differs")


def test_status_failed_shows_only_what_needs_a_look_and_counts_all(
    failed: dict[str, Any], complete: dict[str, Any]
) -> None:
    lines = seeder("status", "--failed").output.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [failed["source"]]
    assert "2 pairs" in lines[-1]


def test_status_shows_a_run_that_goes_on_and_the_pairs_that_wait_for_their_turn(deployed: Deployed) -> None:
    pairs = [pair(deployed, "a") | {"confirm": True} for _ in range(6)]
    fleet = deployed.start("Fleet", {"pairs": pairs})
    first = deployed.running(pairs[0]["source"])
    deployed.job_of(first.rpartition(":")[2], "us-east-1", "Suspended")
    names = [item["source"] for item in pairs]
    told = json.loads(seeder("status", "--json").output)
    states = {row["source"]: row["state"] for row in told["pairs"] if row["source"] in names}
    assert sorted(states) == sorted(names)
    assert {states[names[0]], states[names[-1]]} == {"Running", "Waiting"}
    assert seeder("status", names[-1]).return_value == 3
    assert f"{names[-1]}/" in refused("show", names[-1])
    shown = seeder("show", names[0]).output
    assert "Copying: waits to be confirmed" in shown
    assert "seeder attach " in shown
    assert "goes on" in refused("failures", names[0], "--keys")
    assert "0 of 0 objects failed so far" in seeder("failures", names[0]).output
    deployed.states.stop_execution(executionArn=fleet)
    seeds = deployed.states.list_executions(
        stateMachineArn=deployed.stack.outputs["SeedArn"], statusFilter="RUNNING"
    )
    for item in seeds["executions"]:
        deployed.states.stop_execution(executionArn=item["executionArn"])
    deployed.quiet()


def test_status_tells_of_a_run_that_failed_before_its_pair_was_known(deployed: Deployed) -> None:
    source = deployed.bucket()
    deployed.seed({"source": source, "destination": "not-there-at-all"})
    done = seeder("status", source)
    assert "bucket 'not-there-at-all' does not exist" in done.output
    assert done.return_value == 1


def test_status_tells_of_a_run_that_was_stopped_by_hand_until_a_newer_one_proves_the_pair(
    deployed: Deployed,
) -> None:
    asked = pair(deployed, "a")
    deployed.seed(asked)
    stopped = deployed.start("Seed", asked | {"confirm": True, "resync": False})
    run_id = stopped.rpartition(":")[2]
    deployed.job_of(run_id, "us-east-1", "Suspended")
    deployed.states.stop_execution(executionArn=stopped)
    (row,) = json.loads(seeder("status", asked["source"], "--json").output)["pairs"]
    assert (row["state"], row["run_id"]) == ("Failed", run_id)
    assert row["cause"]
    assert "without a record" in seeder("show", asked["source"]).output
    deployed.seed(asked | {"resync": True})
    (row,) = json.loads(seeder("status", asked["source"], "--json").output)["pairs"]
    assert row["state"] == "Complete"


def test_status_without_a_stack_reads_the_state_bucket_alone(
    deployed: Deployed, complete: dict[str, Any]
) -> None:
    given = ("--state-bucket", deployed.state_bucket, "--stack", "none")
    done = seeder("status", complete["source"], *given)
    assert (done.return_value, "All there" in done.output) == (0, True)
    assert "State:      Complete" in seeder("show", complete["source"], *given).output


def test_status_watched_until_done_ends_when_nothing_goes_on(
    deployed: Deployed, failed: dict[str, Any]
) -> None:
    deployed.quiet()
    done = seeder("status", failed["source"], "--until-done")
    assert done.return_value == 1
    assert done.output.splitlines()[-1].startswith("Not all there: 1 pair, 1 failed")


# ── show, and which run is meant ──


def test_show_tells_all_of_a_run(deployed: Deployed, failed: dict[str, Any]) -> None:
    lines = seeder("show", failed["name"]).output
    record = deployed.record(failed["name"])
    for text in (
        f"Pair:       {failed['source']} → {failed['destination']}",
        "State:      Failed: SeedingFailed",
        "Asked:      operation=copy, rounds=2",
        "Objects:    5 to seed, 2 succeeded, 3 failed",
        "AccessDenied 2, for example 'denied/a b,c'",
        "Replica:    differs; 2 equal, 3 missing; for example missing 'busy/ever'",
        f"{record['actual_usd']} USD, estimated {record['estimated_usd']} USD, by list prices",
        f"seeder retry {failed['name']}",
        *record["job_ids"],
        *record["failure_files"],
    ):
        assert text in lines, text


def test_show_as_json_is_the_record(deployed: Deployed, failed: dict[str, Any]) -> None:
    assert json.loads(seeder("show", failed["name"], "--json").output) == deployed.record(failed["name"])


@pytest.mark.parametrize(
    "form",
    [
        "{name}",
        "{beginning}",
        "{executionArn}",
        "https://console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/{executionArn}?x=1",
        "s3://{bucket}/runs/{name}/run.json",
        "s3://{bucket}/runs/{name}",
        "{source}",
        "{source}/{destination}",
        "{source}/{destination}/a",
    ],
)
def test_a_run_is_found_by_each_of_its_names(deployed: Deployed, complete: dict[str, Any], form: str) -> None:
    text = form.format(**complete, bucket=deployed.state_bucket, beginning=complete["name"][:13])
    assert json.loads(seeder("show", text, "--json").output)["run_id"] == complete["name"]


def test_what_names_no_run_or_several_is_refused_with_the_nearest(
    deployed: Deployed, failed: dict[str, Any]
) -> None:
    assert f"the nearest: {failed['source']}" in refused("show", failed["source"][:-1] + "~")
    assert "`seeder status` shows all pairs" in refused(
        "show", f"s3://{deployed.state_bucket}/runs/x/run.json"
    )
    other = deployed.seed({**pair(deployed), "source": failed["source"]})
    told = refused("show", failed["source"])
    assert told.startswith(f"'{failed['source']}' has several pairs; give the id of a run: ")
    assert failed["name"] in told
    assert other["name"] in told
    fleet = deployed.stack.outputs["FleetArn"].replace(":stateMachine:", ":execution:") + ":x"
    assert "is no run of this stack" in refused("show", fleet)


# ── failures ──


def test_failures_are_told_by_code_with_advice(failed: dict[str, Any]) -> None:
    told = seeder("failures", failed["name"]).output
    assert told.startswith(f"{failed['source']} → {failed['destination']}: 3 of 5 objects failed")
    assert "AccessDenied: 2, somebody must change something" in told
    assert "SlowDown: 1, passes by itself" in told
    assert "the next round" not in told
    assert f"seeder retry {failed['name']}" in told


def test_the_keys_are_those_that_failed_in_the_end_one_a_line(failed: dict[str, Any]) -> None:
    done = seeder("failures", failed["name"], "--keys")
    assert done.output.splitlines() == ["denied/a%20b%2Cc", "denied/line%0Aend", "busy/ever"]


def test_the_keys_as_json_are_as_they_are(failed: dict[str, Any]) -> None:
    rows = [
        json.loads(line)
        for line in seeder("failures", failed["name"], "--keys", "--json").output.splitlines()
    ]
    assert {(row["key"], row["code"], row["round"]) for row in rows} == {
        ("denied/a b,c", "AccessDenied", 0),
        ("denied/line\nend", "AccessDenied", 0),
        ("busy/ever", "SlowDown", 2),
    }


def test_the_keys_of_one_code(failed: dict[str, Any]) -> None:
    assert seeder("failures", failed["name"], "--keys", "--code", "SlowDown").output == "busy/ever\n"
    told = json.loads(seeder("failures", failed["name"], "--code", "SlowDown", "--json").output)
    assert [item["code"] for item in told["failures"]] == ["SlowDown"]
    assert "there are: AccessDenied, SlowDown" in refused("failures", failed["name"], "--keys", "--code", "x")


def test_the_keys_are_what_the_comparison_missed_whatever_they_look_like(deployed: Deployed) -> None:
    keys = [f"denied/{key}" for key in TRAPS if len(f"denied/{key}".encode()) <= 1024]
    asked = pair(deployed, *keys)
    with deployed.faults(DENIED):
        ended = deployed.seed(asked)
    told = seeder("failures", ended["name"], "--keys").output.splitlines()
    assert sorted(told) == sorted(quote(key, safe="/") for key in keys)
    differs = deployed.record(ended["name"])["verification"]["differs"]
    missing = csv.reader(io.StringIO(deployed.read(f"s3://{differs['bucket']}/{differs['key']}").decode()))
    assert sorted(told) == sorted(row[1] for row in missing)


def test_a_run_that_failed_at_nothing_says_so(complete: dict[str, Any]) -> None:
    assert "Nothing failed." in seeder("failures", complete["name"]).output
    assert seeder("failures", complete["name"], "--keys").output == ""

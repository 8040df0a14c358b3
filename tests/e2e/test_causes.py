"""Whatever ends an execution early shows one sentence that ends with what to do; so does the record."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.awslambda.models import LambdaFunction

from localcloud.patching import Patches
from tests.chaos.strikes import short
from tests.e2e.deployed import Deployed

TIMED_OUT = "2026-11-23T02:55:48.123Z 6a54a2e0-8f6c-4a2a-9b1c-5f0f7c1d2e3f Task timed out after 60.00 seconds"
UNKNOWN = "The cause could not be determined because Lambda did not return an error type."


@contextmanager
def answering(name: str, document: Any, failed: bool = True, delay: float = 0) -> Iterator[None]:
    """Let a function answer so, whatever it is asked, within the block."""
    patches = Patches()
    invoke: Any = LambdaFunction._invoke_lambda

    def answer(function: Any, event: Any = None) -> tuple[str, bool, str]:
        if short(function.function_name) != name:
            told: tuple[str, bool, str] = invoke(function, event)
            return told
        time.sleep(delay)
        return json.dumps(document), failed, ""

    patches.replace(LambdaFunction, "_invoke_lambda", answer)
    try:
        yield
    finally:
        patches.undo()


@contextmanager
def impatient(deployed: Deployed, state: str) -> Iterator[None]:
    """Give a state of `seed` one second, and no second try, within the block."""
    machine = {"stateMachineArn": deployed.stack.outputs["SeedArn"]}
    stands = deployed.states.describe_state_machine(**machine)["definition"]
    definition = json.loads(stands)
    definition["States"][state] |= {"TimeoutSeconds": 1, "Retry": []}
    deployed.states.update_state_machine(**machine, definition=json.dumps(definition))
    try:
        yield
    finally:
        deployed.states.update_state_machine(**machine, definition=stands)


@contextmanager
def untrusted(deployed: Deployed, role: str) -> Iterator[None]:
    """Let nobody take on a role of the stack, by its logical name, within the block."""
    iam = deployed.cloud.client("iam")
    (found,) = [item for item in iam.list_roles()["Roles"] if f"-{role}-" in item["RoleName"]]
    trust, nobody = found["AssumeRolePolicyDocument"], {"Service": "nobody.amazonaws.com"}
    other = {**trust, "Statement": [{**trust["Statement"][0], "Principal": nobody}]}
    iam.update_assume_role_policy(RoleName=found["RoleName"], PolicyDocument=json.dumps(other))
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName=found["RoleName"], PolicyDocument=json.dumps(trust))


def pair(deployed: Deployed, **fields: Any) -> dict[str, Any]:
    return {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket(), **fields}


def check_sentence(deployed: Deployed, ended: dict[str, Any], error: str, told: str, to_do: str) -> None:
    """The execution failed so, in one line, and its record says the same."""
    assert (ended["status"], ended["error"]) == ("FAILED", error), ended["cause"]
    cause = ended["cause"]
    assert told in cause
    assert cause.endswith(to_do)
    assert not {"\n", "{", "stackTrace", "RequestId"} & {*cause, *cause.split('"')}, cause
    record = deployed.record(ended["name"])
    assert (record["state"], record["error"], record["cause"]) == ("Failed", error, cause)


@pytest.mark.parametrize(
    ("error", "message", "told", "to_do"),
    [
        ("KeyError", "'manifest'", "KeyError: 'manifest'; this is a fault", "then run the pair again"),
        (
            "Sandbox.Timedout",
            TIMED_OUT,
            "Sandbox.Timedout: Task timed out after 60.00 seconds;",
            "of the functions",
        ),
        (
            "Runtime.ExitError",
            "RequestId: 1 Error: signal: killed",
            "signal: killed; the",
            "then run the pair again",
        ),
        ("Lambda.Unknown", UNKNOWN, f"Lambda.Unknown: {UNKNOWN[:-1]};", "then run the pair again"),
        (
            "Runtime.ImportModuleError",
            "No module named 'x'",
            "No module named 'x'; the package",
            "run the pair again",
        ),
    ],
)
def test_a_function_that_fails_is_one_sentence(
    deployed: Deployed, error: str, message: str, told: str, to_do: str
) -> None:
    with answering("PlanJobs", {"errorMessage": message, "errorType": error, "stackTrace": ["  here\n"]}):
        ended = deployed.seed(pair(deployed))
    check_sentence(deployed, ended, error, told, to_do)


def test_a_document_that_is_too_large_ends_the_run_with_a_record_and_gives_the_pair_back(
    deployed: Deployed,
) -> None:
    asked = pair(deployed)
    with answering("PlanJobs", {"next": "done", "noise": "x" * 300_000}, failed=False):
        ended = deployed.seed(asked)
    check_sentence(deployed, ended, "DataLimitExceeded", "256 KiB", "in several smaller runs")
    assert deployed.seed(asked)["status"] == "SUCCEEDED"


def test_a_function_whose_role_cannot_be_taken_on_says_to_deploy_again(deployed: Deployed) -> None:
    with untrusted(deployed, "PlanJobsRole"):
        ended = deployed.seed(pair(deployed))
    told = "cannot be assumed by Lambda; a function, its role or its permissions are not as the template has them"
    check_sentence(deployed, ended, ended["error"], told, "deploy the stack again, then run the pair again")


def test_a_state_that_does_not_end_in_its_time_is_one_sentence(deployed: Deployed) -> None:
    with impatient(deployed, "PlanJobs"), answering("PlanJobs", {}, delay=1.5):
        ended = deployed.seed(pair(deployed))
    check_sentence(deployed, ended, "Timeout", "the state did not end within its time", "of the functions")


# ── fleets ──


def fleet(deployed: Deployed, **document: Any) -> dict[str, Any]:
    return deployed.wait(deployed.start("Fleet", document))


@pytest.mark.parametrize("name", ["ResolvePairs", "RecordFleet"])
def test_a_function_of_a_fleet_that_fails_is_one_sentence(deployed: Deployed, name: str) -> None:
    with answering(
        name, {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 60.00 seconds"}
    ):
        ended = fleet(deployed, pairs=[pair(deployed)])
    assert (ended["status"], ended["error"]) == ("FAILED", "Sandbox.Timedout")
    assert ended["cause"] == (
        "Sandbox.Timedout: Task timed out after 60.00 seconds; start the fleet again with the same input, and read "
        "the log group of the functions if it fails again"
    )


def test_a_fleet_whose_function_has_no_role_says_to_deploy_again(deployed: Deployed) -> None:
    with untrusted(deployed, "ResolvePairsRole"):
        ended = fleet(deployed, pairs=[pair(deployed)])
    assert ended["status"] == "FAILED"
    assert ended["error"] == "StepRefused"
    assert ": The role defined for the function cannot be assumed" in ended["cause"]
    assert ended["cause"].endswith("then start the fleet again with the same input")


def outcomes_of_iterations(deployed: Deployed, ended: dict[str, Any]) -> list[Any]:
    """Return the output of the Map, as the console shows it."""
    pages = deployed.states.get_paginator("get_execution_history").paginate(
        executionArn=ended["executionArn"]
    )
    left = [
        event["stateExitedEventDetails"]
        for page in pages
        for event in page["events"]
        if event["type"] == "MapStateExited"
    ]
    (output,) = [json.loads(details["output"]) for details in left]
    assert set(output) == {"runs"}
    return list(output["runs"])


def test_an_item_of_a_fleet_says_how_its_run_failed_and_the_summary_why(deployed: Deployed) -> None:
    ended = fleet(deployed, pairs=[pair(deployed) | {"destination": "not-there-at-all"}])
    (item,) = outcomes_of_iterations(deployed, ended)
    assert (item["state"], item["error"]) == ("Failed", "States.TaskFailed")
    (row,) = ended["output"]["runs"]
    assert row["why"].startswith("destination: bucket 'not-there-at-all' does not exist; create it")


def test_a_run_that_the_fleet_may_not_start_is_told_of_as_such(deployed: Deployed) -> None:
    iam = deployed.cloud.client("iam")
    (role,) = [item["RoleName"] for item in iam.list_roles()["Roles"] if "-FleetRole-" in item["RoleName"]]
    allowed = iam.get_role_policy(RoleName=role, PolicyName="fleet")["PolicyDocument"]
    kept = [one for one in allowed["Statement"] if "states:StartExecution" not in one["Action"]]
    iam.put_role_policy(
        RoleName=role, PolicyName="fleet", PolicyDocument=json.dumps({**allowed, "Statement": kept})
    )
    try:
        ended = fleet(deployed, pairs=[pair(deployed)])
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="fleet", PolicyDocument=json.dumps(allowed))
    (item,) = outcomes_of_iterations(deployed, ended)
    assert item["error"].startswith("StepFunctions.AccessDenied")
    (row,) = ended["output"]["runs"]
    assert row["why"].startswith("it could not be started (StepFunctions.AccessDenied")


def test_a_run_that_is_stopped_by_hand_is_a_failed_pair_without_a_record(deployed: Deployed) -> None:
    execution = deployed.start("Fleet", {"pairs": [pair(deployed, confirm=True)]})
    source = json.loads(deployed.states.describe_execution(executionArn=execution)["input"])["pairs"][0][
        "source"
    ]
    run = deployed.running(source)
    deployed.job_of(run.rpartition(":")[2], "us-east-1", "Suspended")
    deployed.states.stop_execution(executionArn=run)
    ended = deployed.wait(execution)
    (row,) = ended["output"]["runs"]
    assert (row["outcome"], ended["output"]["state"]) == ("failed", "Failed")
    assert row["why"].startswith("it left no record (")
    assert row["why"].endswith("seed the pair again")

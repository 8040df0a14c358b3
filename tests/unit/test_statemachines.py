"""The definitions read well in the console, and no task of them is without a way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

FOLDER = Path(__file__).parents[2] / "statemachine"
LONGEST_COMMENT, LONGEST_LABEL = 120, 60
# These may last for some minutes, which the first retrier waits out.
PASSING = {"Throttled", "ServiceUnavailable", "Undecided", "NotYetVisible", "Lambda.TooManyRequestsException"}
OF_LAMBDA = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
}
# Where a failure leads: RecordFailure itself has no other, and those after it change nothing about the run.
ENDS = {"seed": "RecordFailure", "fleet": "KindOfFailure"}
TELLING = {"Notify", "Announce"}


def machine(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml_parse((FOLDER / f"{name}.asl.yaml").read_text("utf-8"))
    return document


def states_of(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each state, those within a Map too."""
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states_of(state["ItemProcessor"])


STATES = [
    pytest.param(name, state, id=f"{each}-{name}")
    for each in ENDS
    for name, state in states_of(machine(each))
]
FUNCTIONS = [
    pytest.param(each, name, state, id=f"{each}-{name}")
    for each in ENDS
    for name, state in states_of(machine(each))
    if str(state.get("Resource", "")).startswith("${")
]


@pytest.mark.parametrize(("name", "state"), STATES)
def test_every_state_has_a_name_and_a_comment_that_fit_the_console(name: str, state: dict[str, Any]) -> None:
    assert re.fullmatch(r"([A-Z][a-z]+)+", name)
    assert 0 < len(state["Comment"]) <= LONGEST_COMMENT
    assert state["Comment"][-1] in ".?"


@pytest.mark.parametrize(("name", "state"), STATES)
def test_every_branch_of_a_choice_says_when_it_is_taken(name: str, state: dict[str, Any]) -> None:
    for choice in state.get("Choices", ()):
        assert 0 < len(choice["Comment"]) <= LONGEST_LABEL
    assert (state["Type"] == "Choice") == ("Default" in state)
    assert state["Type"] != "Choice" or "y default" in state["Comment"]


@pytest.mark.parametrize(("each", "name", "state"), FUNCTIONS)
def test_every_function_is_tried_again_when_aws_or_lambda_fails(
    each: str, name: str, state: dict[str, Any]
) -> None:
    passing, of_lambda = state["Retry"]
    assert (set(passing["ErrorEquals"]), set(of_lambda["ErrorEquals"])) == (PASSING, OF_LAMBDA)
    assert all(item["JitterStrategy"] == "FULL" and item["BackoffRate"] == 2 for item in state["Retry"])
    assert passing["MaxAttempts"] >= 6


@pytest.mark.parametrize(("each", "name", "state"), FUNCTIONS)
def test_every_function_but_the_last_leads_to_where_failures_are_told(
    each: str, name: str, state: dict[str, Any]
) -> None:
    caught = {
        tuple(item["ErrorEquals"]): (item["Next"], item["ResultPath"]) for item in state.get("Catch", ())
    }
    way_out = (ENDS[each], "$.error")
    wanted = {("States.DataLimitExceeded",): way_out, ("States.ALL",): way_out}
    assert caught == ({} if name == ENDS[each] else wanted)


@pytest.mark.parametrize("each", ENDS)
def test_a_message_that_is_not_sent_changes_nothing(each: str) -> None:
    for name in TELLING:
        state = machine(each)["States"][name]
        assert [item["ErrorEquals"] for item in state["Retry"]] == [["States.ALL"]]
        assert [(item["Next"], item["ResultPath"]) for item in state["Catch"]] == [(state["Next"], None)]


@pytest.mark.parametrize(("name", "state"), STATES)
def test_a_failure_shows_an_error_and_a_cause(name: str, state: dict[str, Any]) -> None:
    if state["Type"] != "Fail":
        return
    assert len({"Error", "ErrorPath"} & set(state)) == 1
    # A Fail state must not name an error States.…, as an error that was caught may be named.
    assert state.get("ErrorPath") != "$.error.Error"
    assert "CausePath" in state


def test_what_the_map_of_a_fleet_gives_on_is_its_runs_alone() -> None:
    """Requests and results of the largest fleet together are more than a state may give on."""
    state = machine("fleet")["States"]["SeedEachPair"]
    assert state["ResultSelector"] == {"runs.$": "$"}
    assert "ResultPath" not in state

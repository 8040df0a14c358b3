"""What a state machine must be for `machine.Machine` to run it: whatever it does not know is refused when it is loaded.

Contract: Amazon States Language specification; Step Functions developer guide, "Discovering workflow states".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from seeder_cli.here.paths import is_expression, is_path

State = dict[str, Any]

COMPARISONS = (
    "BooleanEquals",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "StringEquals",
)
_FIELDS = {
    "Task": {"Resource", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch", "Next", "End"},
    "Choice": {"Choices", "Default"},
    "Wait": {"Seconds", "SecondsPath", "Next", "End"},
    "Pass": {"Parameters", "Result", "ResultPath", "Next", "End"},
    "Succeed": set(),
    "Fail": {"Error", "Cause", "ErrorPath", "CausePath"},
}
_RETRY = {
    "ErrorEquals",
    "IntervalSeconds",
    "BackoffRate",
    "MaxAttempts",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCH = {"ErrorEquals", "ResultPath", "Next", "Comment"}


class UnsupportedDefinition(Exception):
    """A definition that this interpreter would run wrongly, or not at all; the text names every place."""


def check(definition: dict[str, Any], resources: Collection[str]) -> None:
    """Raise UnsupportedDefinition unless every state, field and path is known, and every resource among those given."""
    problems = list(_problems(definition, resources))
    if problems:
        raise UnsupportedDefinition("; ".join(problems))


def _problems(definition: dict[str, Any], resources: Collection[str]) -> Iterator[str]:
    for field in sorted(definition.keys() - {"Comment", "StartAt", "States"}):
        yield f"the field {field} of the machine is not known"
    states = definition.get("States", {})
    if definition.get("StartAt") not in states:
        yield f"StartAt names no state: {definition.get('StartAt')}"
    for name, state in states.items():
        kind = state.get("Type")
        if kind not in _FIELDS:
            yield f"{name}: the type {kind} is not known"
            continue
        for problem in _of_state(state, kind, states, resources):
            yield f"{name}: {problem}"


def _of_state(state: State, kind: str, states: Collection[str], resources: Collection[str]) -> Iterator[str]:
    yield from _unknown(state, _FIELDS[kind] | {"Type", "Comment"}, "the state")
    if kind in ("Task", "Wait", "Pass") and ("Next" in state) == (state.get("End") is True):
        yield "needs either Next or End: true"
    for target in _targets(state):
        if target not in states:
            yield f"there is no state {target}"
    if kind == "Task" and state.get("Resource") not in resources:
        yield f"the resource {state.get('Resource')} is not known"
    if kind == "Wait" and ("Seconds" in state) == ("SecondsPath" in state):
        yield "needs either Seconds or SecondsPath"
    yield from _of_paths(state)
    for rule in state.get("Choices", ()):
        yield from _of_rule(rule)
    yield from _of_handling(state)


def _of_paths(state: State) -> Iterator[str]:
    for field in ("Parameters", "ResultSelector"):
        yield from _of_template(state.get(field))
    for field in ("SecondsPath", "ErrorPath", "CausePath", "ResultPath"):
        if state.get(field) is not None and not is_path(state[field]):
            yield f"{field} '{state[field]}' is not a path of names"


def _of_handling(state: State) -> Iterator[str]:
    for retrier in state.get("Retry", ()):
        yield from _unknown(retrier, _RETRY, "Retry")
        if retrier.get("JitterStrategy", "NONE") not in ("NONE", "FULL"):
            yield f"the jitter {retrier['JitterStrategy']} is not known"
    for catcher in state.get("Catch", ()):
        yield from _unknown(catcher, _CATCH, "Catch")


def _targets(state: State) -> Iterator[str]:
    for item in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in item:
            yield item["Next"]
    if "Default" in state:
        yield state["Default"]


def _of_rule(rule: State) -> Iterator[str]:
    compared = rule.keys() - {"Variable", "Next", "Comment"}
    if len(compared) != 1 or not compared <= set(COMPARISONS):
        yield f"a choice compares by one of {', '.join(COMPARISONS)}, not by {sorted(compared)}"
    if not is_path(rule.get("Variable")) or "Next" not in rule:
        yield "a choice needs a Variable, which is a path of names, and Next"


def _of_template(template: Any) -> Iterator[str]:
    if isinstance(template, list):
        for item in template:
            yield from _of_template(item)
    elif isinstance(template, dict):
        for name, member in template.items():
            if not name.endswith(".$"):
                yield from _of_template(member)
            elif not is_expression(member):
                yield f"{name}: '{member}' is neither a path of names nor a known intrinsic function"


def _unknown(item: State, known: set[str], what: str) -> Iterator[str]:
    for field in sorted(item.keys() - known):
        yield f"the field {field} of {what} is not known"

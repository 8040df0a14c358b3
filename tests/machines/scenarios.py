"""What is recorded: together, these take every transition of both machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from localcloud.faults import Fault
from tests.e2e.deployed import EUROPE, Deployed
from tests.machines.meddling import Failing, Meddling
from tests.machines.recording import definition_of, states_of

REFUSED = Failing(
    "AccessDenied", "s3:ListBucket is not allowed on bucket 'b'; allow it to this function's role"
)
CRASHED = Failing("Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: signal: killed")
TIMED_OUT = Failing("Sandbox.Timedout", "RequestId: 1 Error: Task timed out after 60.00 seconds")
THROTTLED = Failing("Throttled", "SlowDown in ListObjectsV2: Please reduce your request rate")
FAULTY = Failing("KeyError", "'manifest'")
SLOW = Fault(status=503, code="SlowDown", key_prefix="a", times=1)

Given = Callable[[Deployed], Any]


@dataclass
class Scenario:
    """One execution to record: the machine, what makes its input, and what befalls it."""

    name: str
    given: Given
    machine: str = "seed"
    meddling: Meddling = field(default_factory=Meddling)
    faults: tuple[Fault, ...] = ()


def copied(deployed: Deployed, **fields: Any) -> dict[str, Any]:
    return {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket(EUROPE), **fields}


def replicated(deployed: Deployed) -> dict[str, Any]:
    asked = copied(deployed)
    with deployed.no_events():
        deployed.add_rule(asked["source"], asked["destination"])
    return asked


def empty(deployed: Deployed) -> dict[str, Any]:
    return {"source": deployed.bucket(), "destination": deployed.bucket(EUROPE)}


def seeded_before(deployed: Deployed) -> dict[str, Any]:
    """A pair that has its roles."""
    asked = copied(deployed)
    deployed.seed(asked)
    return asked


def nowhere(deployed: Deployed) -> dict[str, Any]:
    return copied(deployed) | {"destination": "not-there-at-all"}


def asking(**fields: Any) -> Given:
    return lambda deployed: copied(deployed, **fields)


def befalling(**functions: list[Any]) -> Meddling:
    return Meddling(functions=functions)


def saying(**members: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Say so instead of what the function said."""
    return lambda answer: answer | members


OUTGREW = saying(noise="x" * 262_144)
"""More than a state may give on."""


def functions_of(machine: str) -> list[str]:
    """The states of a machine that call a function, but for the one that tells of failures."""
    states = states_of(definition_of(machine))
    return [name for name, state in states.items() if "Catch" in state and state["Resource"].startswith("${")]


def seeds() -> Iterator[Scenario]:
    yield Scenario("copied", copied)
    yield Scenario("replicated", replicated)
    yield Scenario("replication enabled", asking(enable_replication=True))
    yield Scenario("seeded before", seeded_before)
    yield Scenario("empty source", empty)
    yield Scenario("a retry round", copied, faults=(SLOW,))
    yield Scenario("failed tasks", copied, faults=(Fault(status=403, code="AccessDenied", key_prefix="a"),))
    yield Scenario("more keys", copied, meddling=befalling(PaginateKeys=[saying(done=False)]))
    yield Scenario(
        "another wait before the job",
        copied,
        meddling=befalling(CreateJob=[saying(next="pause", wait_seconds=300)]),
    )
    yield Scenario(
        "verified in three looks",
        copied,
        meddling=befalling(
            VerifyReplica=[
                saying(done=False, next_look_seconds=0),
                saying(done=False, next_look_seconds=60),
            ]
        ),
    )
    yield Scenario(
        "waits for the pair",
        copied,
        meddling=befalling(
            ClaimPair=[saying(next="wait", wait_seconds=60), saying(next="wait", wait_seconds=120)]
        ),
    )
    yield Scenario("skips the pair", copied, meddling=befalling(ClaimPair=[saying(next="skip")]))
    yield Scenario("refused", nowhere)
    yield Scenario("dearer than allowed", asking(max_cost_usd=0.0001))
    yield from troubled_functions()
    yield from untold()


def troubled_functions() -> Iterator[Scenario]:
    for name in functions_of("seed"):
        tried = [THROTTLED, CRASHED, REFUSED]
        yield Scenario(f"{name} is tried again and refused", copied, meddling=befalling(**{name: tried}))
        yield Scenario(f"{name} outgrows the state", copied, meddling=befalling(**{name: [OUTGREW]}))
    passing = [THROTTLED, CRASHED, THROTTLED, TIMED_OUT]
    yield Scenario("DescribeJob fails four times", copied, meddling=befalling(DescribeJob=passing))
    yield Scenario("PlanJobs crashes for good", copied, meddling=befalling(PlanJobs=[CRASHED] * 7))
    yield Scenario("CreateJob is throttled for good", copied, meddling=befalling(CreateJob=[THROTTLED] * 13))
    yield Scenario("a fault of the code", copied, meddling=befalling(ParseReport=[FAULTY]))
    failing: dict[str, list[Any]] = {"PlanJobs": [REFUSED], "RecordFailure": [THROTTLED, CRASHED, FAULTY]}
    yield Scenario("RecordFailure fails", copied, meddling=befalling(**failing))


def untold() -> Iterator[Scenario]:
    yield Scenario("the topic refuses once", copied, meddling=Meddling(services={"sns": range(1)}))
    yield Scenario("the topic refuses", copied, meddling=Meddling(services={"sns": range(9)}))
    yield Scenario("the bus refuses", copied, meddling=Meddling(services={"events": range(9)}))
    failed = Meddling(functions={"PlanJobs": [FAULTY]}, services={"sns": range(9)})
    yield Scenario("a failure that the topic refuses", copied, meddling=failed)


def fleet(*pairs: Given, **fields: Any) -> Given:
    return lambda deployed: {"pairs": [pair(deployed) for pair in pairs], **fields}


def named(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Give the pairs of a fleet these run ids."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        pairs = [pair | {"run_id": name} for pair, name in zip(answer["pairs"], names, strict=True)]
        return answer | {"pairs": pairs}

    return change


def started_before(deployed: Deployed) -> dict[str, Any]:
    """A pair whose run, of the name `before`, has ended."""
    asked = empty(deployed)
    with suppress(deployed.states.exceptions.ExecutionAlreadyExists):
        deployed.wait(deployed.start("Seed", asked, name="before"))
    return asked


def fleets() -> Iterator[Scenario]:
    skipped = befalling(ClaimPair=[saying(next="skip")])
    repeated = befalling(ResolvePairs=[named("before", "a name with blanks")])
    nobody = {"registry": {"names": "no-such-bucket-*"}}
    yield Scenario("a fleet", fleet(empty, nowhere, empty), "fleet")
    yield Scenario("a fleet whose pair is skipped", fleet(copied), "fleet", skipped)
    yield Scenario("a fleet that was there before", fleet(started_before, empty), "fleet", repeated)
    yield Scenario("a detached fleet", fleet(empty, empty, detached=True), "fleet")
    yield Scenario(
        "a detached fleet that was there before",
        fleet(started_before, empty, detached=True),
        "fleet",
        befalling(ResolvePairs=[named("before", "a name with blanks")]),
    )
    yield Scenario("a fleet of nobody", lambda deployed: nobody, "fleet")
    yield Scenario("a fleet that is refused", lambda deployed: {"pairs": [], "nmes": 1}, "fleet")
    for name in functions_of("fleet"):
        tried = [THROTTLED, CRASHED, REFUSED]
        yield Scenario(
            f"{name} is tried again and refused", fleet(empty), "fleet", befalling(**{name: tried})
        )
        wrong = Failing("InvalidRequest", "pairs: missing; give at least one")
        for kind, failing in (
            ("finds a wrong input", wrong),
            ("is faulty", FAULTY),
            ("outgrows the state", OUTGREW),
        ):
            yield Scenario(f"{name} {kind}", fleet(empty), "fleet", befalling(**{name: [failing]}))
    told = Meddling(services={"sns": range(99)})
    yield Scenario("a fleet that the topic refuses", fleet(empty), "fleet", told)
    told = Meddling(services={"events": range(99)})
    yield Scenario("a fleet that the bus refuses", fleet(empty), "fleet", told)
    # The first call starts the fleet itself.
    crowded = Meddling(services={"states": range(1, 4)})
    yield Scenario("a fleet of as many executions as there may be", fleet(empty), "fleet", crowded)
    crowded = Meddling(services={"states": range(1, 4)})
    yield Scenario("a crowded detached fleet", fleet(empty, detached=True), "fleet", crowded)

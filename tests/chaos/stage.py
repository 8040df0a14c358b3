"""The deployed stack, on which one scene after another is set and played, each in an account as good as new."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from localcloud import events, replication
from localcloud.batch_operations.settings import Settings
from localcloud.cloud import LocalCloud
from seeder.fleet import pairs
from seeder.record import Record
from seeder.request import parse_request
from tests.chaos.account import make_pairs, reset
from tests.chaos.interpreted import interpret
from tests.chaos.kinds import LASTING
from tests.chaos.language import Document, StateFailed
from tests.chaos.machine import Conductor, Execution
from tests.chaos.people import Writers, confirming, occupy, racer
from tests.chaos.scene import Scene
from tests.chaos.simulation import SimulatedClock
from tests.chaos.strikes import Strikes
from tests.chaos.struck import struck
from tests.e2e.deployed import ACCOUNT, EUROPE, HOME, Deployed

_CHANGED = ("active_jobs", "beyond_active_jobs", "role_settling_seconds", "suspended_days")
_USUAL = {name: getattr(Settings(), name) for name in _CHANGED}


class Stage:
    """Plays scenes. What is left on it afterwards is for `Proof` to look at."""

    def __init__(self, deployed: Deployed, clock: SimulatedClock, strikes: Strikes) -> None:
        self.deployed, self.clock, self.strikes = deployed, clock, strikes
        self.cloud: LocalCloud = deployed.cloud
        self._s3 = {region: self.cloud.client("s3", region) for region in (HOME, EUROPE)}
        self._definitions = {
            arn: json.loads(deployed.states.describe_state_machine(stateMachineArn=arn)["definition"])
            for arn in (deployed.stack.outputs["SeedArn"], deployed.stack.outputs["FleetArn"])
        }
        self._captured: list[Document] = []
        self._delay = 0.0
        assert replication._engine
        replication._engine._delay = lambda: self._delay

    @contextmanager
    def events_captured(self) -> Iterator[None]:
        """Keep the events that reach the state machine `fleet`, for the stage to deliver."""
        action, start = events._STARTERS["states"]
        events._STARTERS["states"] = (
            action,
            lambda arn, region, payload: self._captured.append(json.loads(payload)),
        )
        try:
            yield
        finally:
            events._STARTERS["states"] = action, start

    def play(self, scene: Scene) -> None:
        """Play a scene to its end."""
        reset(self.deployed)
        luck = self.luck = random.Random(f"play {scene.seed}")  # noqa: S311
        self.scene, self.now = scene, itertools.count(1)
        self.counts: Counter[str] = Counter()
        self.writers = Writers(self.cloud, luck, self.now)
        self.pairs = make_pairs(self.deployed, scene)
        for source, destination in self.pairs:
            self.writers.places += [(source, HOME), (destination, EUROPE)]
        self._captured.clear()
        self.conductor = Conductor(
            self._definitions, self.clock, luck, self._invoke, self._on_start, self._deliver
        )
        self._delivered: list[tuple[str, Document]] = []
        self._refusals = luck.choice([1, 2, 3]) if scene.has("StartExecution throttled") else 0
        self.looks: dict[str, int] = {}
        self.reclaimed: set[str] = set()
        self.ruled: list[tuple[str, str]] = []
        with self._befallen(scene):
            if scene.through_step_functions:
                interpret(self)
                return
            self._begin(scene)
            self.conductor.play()
            self._deliver_late(scene)
            self.conductor.play()

    def runs(self) -> list[Execution]:
        """Return the executions of `seed`."""
        seed = self.deployed.stack.outputs["SeedArn"].replace(":stateMachine:", ":execution:")
        return [one for one in self.conductor.executions.values() if one.arn.startswith(seed)]

    @contextmanager
    def _befallen(self, scene: Scene) -> Iterator[None]:
        settings, strikes = self.cloud.settings, self.strikes
        settings.role_settling_seconds = (
            self.luck.choice([20, 100, 300]) if scene.has("roles settle late") else 0
        )
        settings.suspended_days = 1
        for kind, beyond in (("wait", "wait"), ("refused", "refuse")):
            if any("active job" in one and kind in one for one in scene.kinds):
                settings.active_jobs, settings.beyond_active_jobs = 1, beyond  # type: ignore[assignment]  # drawn
                occupy(self.deployed, self.luck.choice([100, 2000]))
                self.conductor.rest.come()
                settings.tasks_per_second = None
        self._delay = self.luck.choice([5.0, 90.0, 600.0]) if scene.has("replication slow") else 0.0
        strikes.plan(scene.strikes, hurried=scene.has("functions out of time"))
        strikes.write, strikes.describe = self.writers.source, self._describe
        strikes.race = racer(self._s3[HOME], self.deployed.state_bucket)
        try:
            with self.deployed.faults(*scene.faults):
                yield
                self.counts += struck(self)
        finally:
            vars(settings).update(_USUAL)
            strikes.plan([])
            self._delay = 0.0

    def _begin(self, scene: Scene) -> None:
        """Start what the trigger starts, and let the others begin."""
        request = {"source": self.pairs[0][0], "destination": self.pairs[0][1], **scene.request}
        seed, fleet = (self.deployed.stack.outputs[f"{name}Arn"] for name in ("Seed", "Fleet"))
        if scene.trigger == "by hand":
            self.conductor.start(seed, request, f"by-hand-{scene.seed}")
        elif scene.trigger == "overlapping runs":
            for number, overlap in enumerate(scene.overlaps):
                self.conductor.start(seed, {**request, "overlap": overlap}, f"overlap-{scene.seed}-{number}")
        elif scene.trigger == "schedule":
            self._enter(request)
            self.conductor.start(fleet, {"trigger": "schedule", "registry": {}}, f"schedule-{scene.seed}")
        elif scene.trigger == "fleet of two pairs":
            both = [{"source": source, "destination": destination} for source, destination in self.pairs]
            document = {"pairs": both, "options": scene.request}
            self.conductor.start(fleet, document, f"fleet-{scene.seed}")
        else:
            self._add_rules(scene)
        if scene.has("others write to the source"):
            self.conductor.engage(self.writers.at_work(self.writers.source))
        if scene.has("others write to the destination"):
            self.conductor.engage(self.writers.at_work(self.writers.destination))
        for kind, wanted in (("confirmed", "Ready"), ("cancelled", "Cancelled")):
            if scene.has(f"job suspended, then {kind}"):
                self.conductor.engage(confirming(self.cloud, wanted))

    def _enter(self, request: Document) -> None:
        """Let a pair be one that was seeded before."""
        asked = parse_request(request)
        before = Record(
            run_id="before", state="Complete", event="", subject="", ended_at="2026-01-01T00:00:00.000Z"
        )
        pairs.enter(self._s3[HOME], self.deployed.state_bucket, asked, before)

    def _add_rules(self, scene: Scene) -> None:
        """Put the configuration of a bucket twice: with a rule for part of it, then with another besides."""
        source = self.pairs[0][0]
        count = self.luck.choice([1, 2])
        for number in range(1, count + 1):
            self.deployed.add_rule(source, *[destination for _, destination in self.pairs[:number]])
        self.ruled = self.pairs[:count]
        self._deliver()

    def _deliver(self) -> None:
        """Let EventBridge deliver what was captured: once or twice, soon or late."""
        twice = self.scene.has("event delivered twice")
        late = self.scene.has("events delivered late and out of order")
        while self._captured:
            event = self._captured.pop(0)
            self.counts["event delivered twice"] += twice
            self.counts["events delivered late and out of order"] += late
            for _ in range(2 if twice else 1):
                self.conductor.engage(
                    self._delivery(event, self.luck.choice([0.0, 2.0, 30.0, 400.0]) if late else 0.0)
                )

    def _delivery(self, event: Document, seconds: float) -> Iterator[float]:
        yield seconds
        number = sum("event-" in one.name for one in self.conductor.executions.values())
        name = f"event-{self.scene.seed}-{number}"
        self.conductor.start(self.deployed.stack.outputs["FleetArn"], event, name)

    def _invoke(self, arn: str, event: Document, execution: Execution) -> Document:
        scene, function = self.scene, arn.rpartition(":")[2].split("-")[1]
        if function in ("PaginateKeys", "VerifyReplica") and _begins_a_look(function, event):
            self.looks[execution.name] = next(self.now)
        answer = _invoked(arn, event)
        self._delivered.append((arn, event))
        if scene.has("inputs delivered again at once"):
            self.counts["inputs delivered again at once"] += 1
            second = self._again(arn, event)
            return self.luck.choice([answer, second or answer])
        if scene.has("inputs delivered again later") and self.luck.random() < 0.2:
            self.counts["inputs delivered again later"] += 1
            self._again(*self.luck.choice(self._delivered))
        return answer

    def _again(self, arn: str, event: Document) -> Document | None:
        """Return the answer to an input that was delivered before, of which nobody waits for the end."""
        if "execution" in event and "ended_at" not in event:
            self.reclaimed.add(event["execution"].rpartition(":")[2])
        try:
            return _invoked(arn, event)
        except StateFailed:
            return None

    def _deliver_late(self, scene: Scene) -> None:
        if scene.has("inputs delivered again later") and LASTING not in scene.kinds:
            for arn, event in self.luck.sample(self._delivered, min(3, len(self._delivered))):
                self.counts["inputs delivered again later"] += 1
                self._again(arn, event)

    def _on_start(self) -> None:
        if self._refusals:
            self._refusals -= 1
            self.counts["StartExecution throttled"] += 1
            raise StateFailed("StepFunctions.ThrottlingException", "Rate exceeded")

    def _describe(self, arn: str) -> Document | None:
        found = self.conductor.executions.get(arn)
        return {"executionArn": arn, "status": found.status, "name": found.name} if found else None


def _begins_a_look(function: str, event: Document) -> bool:
    before = event.get("verification" if function == "VerifyReplica" else "manifest")
    return before is None or before.get("ranges") is None


def _invoked(arn: str, event: Document) -> Document:
    """Return what moto's function answers. Raises StateFailed as Step Functions names its error."""
    from moto.awslambda.models import lambda_backends

    function = lambda_backends[ACCOUNT][arn.split(":")[3]].get_function(arn)
    payload, failed, _ = function._invoke_lambda(event)
    answer: Document = json.loads(payload)
    if failed:
        raise StateFailed(answer["errorType"], payload)
    return answer

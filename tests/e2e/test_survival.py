"""Whatever function dies, wherever, and whatever input is delivered again: no second job, no key lost or doubled.

The runs go through the deployed functions in the order of the deployed definition (`Machine`); a few of them through
Step Functions itself. Set SEEDER_SURVIVAL_SEED to the seed that a failure names to have the same runs again.
"""

from __future__ import annotations

import csv
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_plus

import pytest

from localcloud.batch_operations.models import batch_operations_backends
from localcloud.cloud import LocalCloud
from localcloud.faults import Fault
from tests.e2e.conftest import TEMPLATE
from tests.e2e.deployed import ACCOUNT, EUROPE, HOME, Deployed, LeapingClock
from tests.e2e.machine import Machine, StateFailed, function_of, invoked
from tests.e2e.mortality import Death, Mortality, drawn
from tests.keys import TRAPS

BATCHES, RUNS = 4, 50
THROUGH_STEP_FUNCTIONS = 8
STATES = [
    "CreateJob",
    "DescribeJob",
    "EnableReplication",
    "EnsureRoles",
    "PaginateKeys",
    "ParseReport",
    "PlanJobs",
    "RecordFailure",
    "RecordRun",
    "ResolveRequest",
    "VerifyReplica",
]
MOST_CALLS = 12
LARGE_BYTES = 5 * 1024**3 + 1

Object = tuple[str, str, int, str]
"""Key, version id ("" where it does not matter), size and ETag."""


@dataclass(frozen=True)
class Scene:
    """A bucket to seed and what befalls the run."""

    operation: str
    keys: list[str]
    is_large: bool
    passing: int
    """How many tasks fail for a passing reason."""
    permanent: bool
    """Whether one key is denied for good."""
    deaths: list[Death]
    hurried: bool
    again: str
    """What is delivered twice: "" nothing, "at once" each state's input, "late" any of them, later."""
    luck: random.Random = field(repr=False)

    @property
    def faults(self) -> list[Fault]:
        denied = [Fault(key_prefix=self.keys[0], status=403, code="AccessDenied")] if self.permanent else []
        passing = [Fault(status=503, code="SlowDown", times=self.passing)] if self.passing else []
        return denied + passing


def draw(luck: random.Random) -> Scene:
    operation = luck.choice(["copy", "replicate"])
    is_large = operation == "copy" and luck.random() < 0.15
    functions = [*STATES, "CopyLargeObject"] if is_large else STATES
    deaths = [drawn(luck, functions, MOST_CALLS) for _ in range(luck.choice([1, 1, 1, 2, 3]))]
    if luck.random() < 0.1:
        function = luck.choice([name for name in STATES if name != "RecordFailure"])
        deaths = [replace(drawn(luck, [function], MOST_CALLS), lasting=True)]
    # One key alone begins with a tilde, so that a fault can be its own.
    keys = ["~", *luck.sample([key for key in TRAPS if key != "~"], luck.randint(2, 5))]
    return Scene(
        operation=operation,
        keys=keys,
        is_large=is_large,
        passing=luck.choice([0, 0, 1, 2, 4]),
        permanent=luck.random() < 0.2,
        deaths=deaths,
        hurried=luck.random() < 0.4,
        again="" if deaths[0].lasting else luck.choice(["", "", "at once", "late"]),
        luck=luck,
    )


@dataclass
class Stage:
    """The deployed stack, without the trigger by which a rule starts a run of its own."""

    deployed: Deployed
    mortality: Mortality
    source: str = ""
    destination: str = ""

    def __post_init__(self) -> None:
        events = self.deployed.cloud.client("events")
        for rule in events.list_rules()["Rules"]:
            events.disable_rule(Name=rule["Name"])
        self._machine = Machine(self.deployed, self._invoke)
        self._scene: Scene | None = None
        self._delivered: list[tuple[str, dict[str, Any]]] = []

    def set(self, scene: Scene) -> dict[str, Any]:
        """Make the buckets of a scene, and let what befalls it be ready; return the request."""
        s3 = self.deployed.cloud.client("s3")
        self.mortality.plan([])
        self.source = self.deployed.bucket(keys=scene.keys)
        self.destination = self.deployed.bucket(EUROPE)
        if scene.operation == "replicate":
            s3.put_object(Bucket=self.source, Key=scene.keys[-1], Body=b"a second version")
            self.deployed.add_rule(self.source, self.destination)
        if scene.is_large:
            self.deployed.cloud.declare_object(
                self.source, "large", LARGE_BYTES, part_size=LARGE_BYTES // 3 + 1
            )
        self._scene, self._delivered = scene, []
        self.mortality.plan(scene.deaths, scene.hurried)
        return {"source": self.source, "destination": self.destination}

    def play(self, scene: Scene) -> dict[str, Any]:
        """Run a scene in the order of the definition; deliver once more, at the end, what is to come late."""
        request = self.set(scene)
        with self.deployed.faults(*scene.faults):
            ended = self._machine.run(request)
            if scene.again == "late":
                for arn, event in scene.luck.sample(self._delivered, min(2, len(self._delivered))):
                    self._deliver_again(arn, event)
        return ended

    def _invoke(self, arn: str, event: dict[str, Any]) -> dict[str, Any]:
        scene = self._scene
        assert scene
        answer = invoked(function_of(arn), event)
        self._delivered.append((arn, event))
        if scene.again == "at once":
            second = self._deliver_again(arn, event)
            return scene.luck.choice([answer, second or answer])
        if scene.again == "late" and scene.luck.random() < 0.2:
            self._deliver_again(*scene.luck.choice(self._delivered))
        return answer

    def _deliver_again(self, arn: str, event: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer to an input that was delivered before, of which nobody waits for the end."""
        try:
            return invoked(function_of(arn), event)
        except StateFailed:
            return None


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with LocalCloud(LeapingClock(1000)) as cloud, Mortality().installed() as mortality:
        yield Stage(Deployed(cloud, cloud.deploy(TEMPLATE)), mortality)


def seed_of_this_time() -> str:
    return os.environ.get("SEEDER_SURVIVAL_SEED") or str(random.SystemRandom().randrange(10**9))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_run_survives_deaths_and_repeated_deliveries(stage: Stage, batch: int) -> None:
    seed = seed_of_this_time()
    luck = random.Random(f"{seed} {batch}")  # noqa: S311
    for number in range(RUNS):
        scene = draw(luck)
        try:
            Proof(stage, scene, stage.play(scene)).check()
        except Exception as error:
            raise AssertionError(
                f"SEEDER_SURVIVAL_SEED={seed}, run {number} of batch {batch}: {scene}"
            ) from error


def test_step_functions_itself_brings_runs_through_as_well(stage: Stage) -> None:
    seed = seed_of_this_time()
    luck = random.Random(seed)  # noqa: S311
    for number in range(THROUGH_STEP_FUNCTIONS):
        scene = draw(luck)
        request = stage.set(scene)
        with stage.deployed.faults(*scene.faults):
            ended = {"error": "", "cause": "", **stage.deployed.seed(request)}
        try:
            Proof(stage, scene, ended).check()
        except Exception as error:
            raise AssertionError(f"SEEDER_SURVIVAL_SEED={seed}, run {number}: {scene}") from error


class Proof:
    """Everything that must hold after a run, however it ended."""

    def __init__(self, stage: Stage, scene: Scene, ended: dict[str, Any]) -> None:
        self.deployed, self.scene, self.ended = stage.deployed, scene, ended
        self.stage, self.struck = stage, list(stage.mortality.struck)
        self.by_version = scene.operation == "replicate"
        self.source = self.objects(stage.source, HOME)
        self.destination = self.objects(stage.destination, EUROPE)

    def check(self) -> None:
        """Raise AssertionError for what does not hold."""
        self.check_end()
        self.check_jobs()
        self.check_rows()
        self.check_uploads()

    def check_end(self) -> None:
        """The run ended as it had to, and the buckets and the record say the same."""
        ended, record = self.ended, self.deployed.record(self.ended["name"])
        lasting = next((death for death in self.struck if death.lasting), None)
        if lasting and lasting.function == "RecordRun" and record["error"] != lasting.way:
            # It died after it had written the record, which stands.
            lasting = None
        state = "Complete" if ended["status"] == "SUCCEEDED" else "Failed"
        assert record["state"] == state, (ended["error"], ended["cause"])
        assert (record["error"], record["cause"]) == (ended["error"], ended["cause"])
        if lasting:
            assert (ended["status"], ended["error"]) == ("FAILED", lasting.way)
            assert lasting.way in ended["cause"]
            assert set(self.destination) <= set(self.source)
            return
        assert record["succeeded"] + record["failed"] == record["total"] == len(self.source)
        if self.scene.permanent:
            assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed"), ended["cause"]
            assert "AccessDenied 1 (for example '~')" in ended["cause"]
            assert self.destination == [item for item in self.source if item[0] != "~"]
        else:
            assert ended["status"] == "SUCCEEDED", ended["cause"]
            assert self.destination == self.source

    def check_jobs(self) -> None:
        """There is one job at most for each manifest, operation and round."""
        made = Counter(
            (job.request["Description"], job.request["Manifest"]["Location"]["ObjectArn"])
            for region in (HOME, EUROPE)
            for job in batch_operations_backends[ACCOUNT][region].jobs()
            if f" {self.ended['name']} " in job.request["Description"]
        )
        assert all(count == 1 for count in made.values()), made
        assert len({manifest for _, manifest in made}) == len(made), made

    def check_rows(self) -> None:
        """Each object stands once in the manifests; once it has succeeded, it is not submitted again."""
        files = self.files()
        rows = [row for name, found in files.items() if "/manifests/" in name for row in found]
        if rows or not self.struck:
            listed = [(unquote_plus(row[1]), *(row[2:3] if self.by_version else [])) for row in rows]
            assert sorted(listed) == sorted(item[: 2 if self.by_version else 1] for item in self.source)
        reported = [row for name, found in files.items() if "/results/" in name for row in found]
        succeeded = Counter((row[1], row[2]) for row in reported if row[3] == "succeeded")
        assert all(count == 1 for count in succeeded.values()), succeeded
        if self.ended["status"] == "SUCCEEDED":
            assert len(succeeded) == len(self.source)

    def check_uploads(self) -> None:
        """No upload is left in the pair. Deaths and repetitions may leave some to the state bucket's lifecycle rule."""
        assert not self.deployed.uploads(self.stage.source)
        assert not self.deployed.uploads(self.stage.destination, EUROPE)
        mine = [key for key in self.deployed.uploads(self.deployed.state_bucket) if self.ended["name"] in key]
        assert not mine or self.struck or self.scene.again, mine

    def objects(self, bucket: str, region: str) -> list[Object]:
        """Return all versions of a bucket, in order; where versions are not replicated, without their ids."""
        s3 = self.deployed.cloud.client("s3", region)
        versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
        return sorted(
            (item["Key"], item["VersionId"] if self.by_version else "", item["Size"], item["ETag"])
            for item in versions
        )

    def files(self) -> dict[str, list[list[str]]]:
        """Return the rows of all CSV files of the run, by their keys."""
        s3, bucket = self.deployed.cloud.client("s3"), self.deployed.state_bucket
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"runs/{self.ended['name']}/"
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {
            key: list(csv.reader(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()))
            for key in keys
            if key.endswith(".csv")
        }

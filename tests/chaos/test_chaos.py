"""Whatever befalls runs, wherever: what is Complete is equal, nothing is lost, doubled, left over or unexplained.

Each scene is drawn from a seed, which a failure names: SEEDER_CHAOS_SEED=… plays that one alone; SEEDER_CHAOS_RUNS=…
is how many there are (`make chaos N=…`). A seed that 40 divides goes through Step Functions as moto interprets it.
"""

from __future__ import annotations

import gc
import os
import random
import time
import traceback
from collections.abc import Callable, Iterator

import pytest

from localcloud import batch_operations
from localcloud.cloud import LocalCloud
from tests.chaos.draw import counted, draw
from tests.chaos.proof import Proof
from tests.chaos.scene import Item, Scene
from tests.chaos.sentences import check_cause
from tests.chaos.simulation import SimulatedClock, simulated
from tests.chaos.stage import Stage
from tests.chaos.strikes import Strikes
from tests.chaos.tally import PROPERTY, Tally
from tests.e2e.conftest import TEMPLATE
from tests.e2e.deployed import EUROPE, Deployed

RUNS = int(os.environ.get("SEEDER_CHAOS_RUNS", "80"))
SEED = os.environ.get("SEEDER_CHAOS_SEED")
BATCH = 50


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    clock = SimulatedClock()
    with simulated(clock), LocalCloud(clock) as cloud, Strikes().installed() as strikes:
        deployed = Deployed(cloud, cloud.deploy(TEMPLATE))
        gc.collect()
        gc.freeze()
        made = Stage(deployed, clock, strikes)
        with made.events_captured():
            yield made
        gc.unfreeze()


def seeds(batch: int) -> list[int]:
    if SEED:
        return [int(SEED)]
    first = random.SystemRandom().randrange(10**9)
    return [first + number for number in range(min(BATCH, RUNS - batch * BATCH))]


def told(scene: Scene, stage: Stage) -> str:
    ends = ", ".join(one.error or one.status for one in stage.conductor.executions.values())
    return f"seed {scene.seed}: {scene.trigger}, {scene.operation}: {', '.join(scene.kinds) or 'nothing'}: {ends}"


def entered(tally: Tally, scene: Scene, stage: Stage) -> None:
    tally.scenes += 1
    tally.drawn.update(counted(scene))
    tally.struck.update(stage.counts)
    trigger = "through Step Functions" if scene.through_step_functions else scene.trigger
    for run in stage.runs():
        tally.outcomes[f"{trigger}: {run.error or run.visited[-1]}"] += 1


QUIET = Scene(
    seed=1,
    trigger="by hand",
    operation="copy",
    items=[Item("a"), Item("b\nc", versions=2)],
    request={"operation": "copy"},
    strikes=[],
    kinds=[],
)


def lose_an_object(stage: Stage) -> None:
    stage.cloud.client("s3", EUROPE).delete_object(Bucket=stage.pairs[0][1], Key="a")


def change_an_object(stage: Stage) -> None:
    stage.cloud.client("s3", EUROPE).put_object(Bucket=stage.pairs[0][1], Key="b\nc", Body=b"other")


def leave_an_upload(stage: Stage) -> None:
    stage.cloud.client("s3").create_multipart_upload(Bucket=stage.pairs[0][0], Key="large")


def lose_the_record(stage: Stage) -> None:
    (run,) = stage.runs()
    bucket = stage.deployed.state_bucket
    key = f"runs/{run.name}/run.json"
    for item in stage.cloud.client("s3").list_object_versions(Bucket=bucket, Prefix=key)["Versions"]:
        stage.cloud.client("s3").delete_object(Bucket=bucket, Key=key, VersionId=item["VersionId"])


def end_otherwise(stage: Stage) -> None:
    (run,) = stage.runs()
    run.status, run.error, run.cause = "FAILED", "Throttled", "run the pair again later"


def forget_the_run(stage: Stage) -> None:
    stage.conductor.executions.clear()


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lose_an_object, "Complete, but the replica lacks"),
        (change_an_object, "Complete, but the replica lacks"),
        (leave_an_upload, "an upload is left in the source"),
        (lose_the_record, "left no record"),
        (end_otherwise, "Complete"),
        (forget_the_run, "a job without a run"),
    ],
)
def test_the_proof_finds_what_does_not_hold(stage: Stage, harm: Callable[[Stage], None], told: str) -> None:
    stage.play(QUIET)
    Proof(stage).check()
    harm(stage)
    with pytest.raises(AssertionError, match=told):
        Proof(stage).check()


@pytest.mark.parametrize(
    "cause",
    [
        "SlowDown",
        "Traceback (most recent call last): run the pair again",
        "the object\nis not there: run the pair again",
        "job j is Cancelled (why): 0 of 2 tasks were run",
        "KeyError: 'x'; this is a fault of seeder's own: report it with its trace, then run the pair again",
    ],
)
def test_what_nobody_can_act_on_is_no_cause(cause: str) -> None:
    with pytest.raises(AssertionError):
        check_cause("SeedingFailed", cause)


@pytest.mark.parametrize("batch", range(1 if SEED else -(-RUNS // BATCH)))
def test_whatever_befalls_a_run_its_word_can_be_believed(
    stage: Stage, batch: int, record_property: Callable[[str, object], None]
) -> None:
    tally, began, failures = Tally(), time.process_time(), []
    for seed in seeds(batch):
        scene = draw(seed)
        try:
            stage.play(scene)
            Proof(stage).check()
            entered(tally, scene, stage)
        except Exception as error:
            why = "".join(traceback.format_exception(error, limit=-8))
            failures.append(f"SEEDER_CHAOS_SEED={seed}: {scene}\n{why}")
            batch_operations.stop_all()
        print(told(scene, stage))  # noqa: T201 - shown with -s, and where a scene failed
    tally.seconds = time.process_time() - began
    record_property(PROPERTY, tally.text())
    assert not failures, f"{len(failures)} scenes failed:\n\n" + "\n".join(failures)

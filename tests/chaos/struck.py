"""How often each kind of fault has struck in a scene."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from localcloud.batch_operations.models import batch_operations_backends
from tests.chaos.kinds import JOB_FAULTS, LASTING
from tests.e2e.deployed import ACCOUNT, EUROPE, HOME

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

SUSPENDED = ("then confirmed", "then cancelled", "and forgotten")


def struck(stage: Stage) -> Counter[str]:
    """Return the counts of what the stage has not counted itself, for the kinds that were drawn."""
    scene, strikes = stage.scene, stage.strikes
    of_calls = Counter(LASTING if one.lasting else one.kind for one in strikes.struck)
    of_jobs = Counter(
        {kind: stage.cloud.settings.strikes.struck[fault] for kind, fault in JOB_FAULTS.items()}
    )
    visited = Counter(place for run in stage.runs() for place in run.visited)
    jobs = [job for region in (HOME, EUROPE) for job in batch_operations_backends[ACCOUNT][region].jobs()]
    suspended = sum(job.suspended is not None for job in jobs)
    writes = len(stage.writers.touched)
    conditions = {
        "roles settle late": sum(job.status == "Failed" and not job.total for job in jobs),
        # The stranger's job is the only one without tags.
        "one active job at a time, others wait": sum(job.tags != [] for job in jobs),
        "one active job at a time, others are refused": visited["PauseBeforeJob"],
        "functions out of time": strikes.hurries,
        "others write to the source": writes,
        "others write to the destination": writes,
        "replication slow": visited["AwaitReplica"],
        **{f"job suspended, {how}": suspended for how in SUSPENDED},
    }
    drawn = {kind: count for kind, count in {**of_jobs, **conditions}.items() if scene.has(kind)}
    return of_calls + Counter(drawn)

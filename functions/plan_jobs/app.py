"""PlanJobs: plan the run's jobs from its manifests, and estimate what they will cost; create nothing."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import bill, jobs, work
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.manifest import Progress
from seeder.run import Run

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the work, nothing of it done, for a state that holds the run and its manifest."""
    run, manifest = Run.model_validate(event["run"]), Progress.model_validate(event["manifest"])
    estimate = bill.estimate(run, manifest, clients.region)
    planned = work.plan(run, manifest).model_copy(update={"estimated_usd": bill.shown(estimate)})
    for job in planned.jobs:
        jobs.require_home(run, job.operation, clients.region)
    logger.info("planned", run_id=run.run_id, jobs=len(planned.jobs), usd=planned.estimated_usd)
    return planned.model_dump()

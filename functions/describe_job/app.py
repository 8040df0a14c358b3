"""DescribeJob: look at the current job and plan the next look."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import jobs, work
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.roles import Roles
from seeder.run import Run
from seeder.work import Work

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the work with its job as it is now, for a state that holds the run, its roles and the work."""
    run, before = Run.model_validate(event["run"]), Work.model_validate(event["work"])
    job = jobs.describe(clients.s3control(before.the_current.region), run.account_id, before.the_current)
    told: dict[str, Any] = {"job_id": job.id, "status": job.status, "reasons": job.reasons}
    logger.info("looked", run_id=run.run_id, next=job.wait_seconds, **told)
    after = work.looked(before, job, Roles.model_validate(event["roles"]))
    return after.model_dump()

"""DescribeJob: look at the job and plan the next look."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import jobs
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.run import Run

logger = Logger()
tracer = Tracer()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the job as it is now, for a state that holds the run and the job."""
    run = Run.model_validate(event["run"])
    job = jobs.Job.model_validate(event["job"])
    job = jobs.describe(clients.s3control(job.region), run.account_id, job)
    logger.info("looked", run_id=run.run_id, job_id=job.id, status=job.status, next=job.next_look_seconds)
    return job.model_dump()

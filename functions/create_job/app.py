"""CreateJob: create the copy job in the destination's region, or find it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import jobs
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.manifest import Progress
from seeder.run import Run
from seeder.settings import Settings

logger = Logger()
tracer = Tracer()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the job for a state that holds the run and its manifest."""
    run = Run.model_validate(event["run"])
    manifest = Progress.model_validate(event["manifest"])
    job = jobs.create_copy(clients.s3control(run.job_region), run, manifest.copy_file, settings.job_role_arn)
    logger.info("created", run_id=run.run_id, job_id=job.id, tasks=manifest.count)
    return job.model_dump()

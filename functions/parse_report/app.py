"""ParseReport: read the job's completion report and count what became of each object."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import report
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.jobs import Job
from seeder.run import Run
from seeder.settings import Settings

logger = Logger()
tracer = Tracer()
metrics = Metrics()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the report's summary for a state that holds the run and the finished job."""
    run = Run.model_validate(event["run"])
    job = Job.model_validate(event["job"])
    told = report.read(clients.s3(clients.region), settings.state_bucket, run.report_prefix, job)
    metrics.add_metric(name="ObjectsCopied", unit=MetricUnit.Count, value=told.succeeded)
    metrics.add_metric(name="ObjectsFailed", unit=MetricUnit.Count, value=told.failed)
    logger.info("reported", run_id=run.run_id, succeeded=told.succeeded, failed=told.failed)
    return told.model_dump()

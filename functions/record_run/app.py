"""RecordRun: judge the run and write its record, once."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import record
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.jobs import Job
from seeder.manifest import Progress
from seeder.report import Report
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
    """Return the record for a state that holds the run, the manifest and, if there was a job, job and report."""
    judged = record.of_run(
        Run.model_validate(event["run"]),
        Progress.model_validate(event["manifest"]),
        Job.model_validate(event["job"]) if "job" in event else None,
        Report.model_validate(event["report"]) if "report" in event else None,
    )
    record.write(clients.s3(clients.region), settings.state_bucket, judged)
    metrics.add_metric(name=f"Runs{judged.state}", unit=MetricUnit.Count, value=1)
    logger.info("recorded", run_id=judged.run_id, state=judged.state, cause=judged.cause)
    return judged.model_dump()

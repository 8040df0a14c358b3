"""RecordFailure: record a run that ended in an error; give up its unfinished files and uploads."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import closing
from seeder.clients import Clients
from seeder.errors import aws_errors
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
    """Return the record for `{"run_id", "started_at", "ended_at", "state"}`; the state holds the error."""
    failed = closing.fail(
        event["run_id"], event["started_at"], event["ended_at"], event["state"], clients, settings
    )
    metrics.add_metric(name="RunsFailed", unit=MetricUnit.Count, value=1)
    logger.error("failed", run_id=failed.run_id, error=failed.error, cause=failed.cause)
    return failed.model_dump()

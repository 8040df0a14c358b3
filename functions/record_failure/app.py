"""RecordFailure: record a run that ended in an error; give up its unfinished files and uploads."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from seeder import causes, closing, timeline
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.settings import Settings

logger = Logger()
metrics = Metrics()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the record for `{"execution", "run_id", "started_at", "ended_at", "state"}`; the state has the error."""
    state, ended_at = event["state"] | {"error": causes.explained(event["state"]["error"])}, event["ended_at"]
    stages = timeline.seconds_by_state(_history(event.get("execution", "")), ended_at)
    failed = closing.fail(event["run_id"], event["started_at"], ended_at, state, clients, settings, stages)
    metrics.add_metric(name="RunsFailed", unit=MetricUnit.Count, value=1)
    logger.error("failed", run_id=failed.run_id, error=failed.error, cause=failed.cause)
    return failed.model_dump()


def _history(execution_arn: str) -> list[Any]:
    """The events of the execution; none where they can't be read, for what became of the run is worth more."""
    pages = clients.states().get_paginator("get_execution_history")
    try:
        return [event for page in pages.paginate(executionArn=execution_arn) for event in page["events"]]
    except (BotoCoreError, ClientError) as error:
        logger.warning("no history", reason=str(error))
        return []

"""RecordRun: judge the run, tidy up after it and write its record, once."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from seeder import closing, timeline
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
    """Return the record for `{"execution", "ended_at", "state"}`; the state holds what the run has done."""
    stages = timeline.seconds_by_state(_history(event["execution"]), event["ended_at"])
    judged = closing.complete(event["state"], event["ended_at"], stages, clients, settings)
    metrics.add_metric(name=f"Runs{judged.state}", unit=MetricUnit.Count, value=1)
    logger.info("recorded", run_id=judged.run_id, state=judged.state, cause=judged.cause)
    return judged.model_dump()


def _history(execution_arn: str) -> list[Any]:
    """The events of the execution; none where they may not be read, for the run is worth more than its times."""
    pages = clients.states().get_paginator("get_execution_history")
    try:
        return [event for page in pages.paginate(executionArn=execution_arn) for event in page["events"]]
    except ClientError as error:
        logger.warning("no history", reason=str(error))
        return []

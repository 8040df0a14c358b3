"""CopyLargeObject: copy objects over 5 GiB in parts, as far as the time goes, for S3 Batch Operations."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder.clients import Clients
from seeder.large import invocation, session
from seeder.large.copier import Copier
from seeder.large.notes import Notes
from seeder.large.opening import Destination, Work
from seeder.settings import Settings

logger = Logger()
metrics = Metrics()
clients = Clients(session.patient())
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return what became of each task of an invocation by S3 Batch Operations."""
    asked = invocation.parse(event)
    run = asked.job.user_arguments
    work = Work(
        clients.s3(run.source_region),
        Destination(clients.s3(run.destination_region), run.destination, run.destination_region),
        Notes(clients.s3(clients.region), settings.state_bucket, run.run_id),
        lambda: context.get_remaining_time_in_millis() / 1000,
    )
    outcomes = asked.outcomes(Copier(work).copy)
    for outcome in outcomes:
        metrics.add_metric(name=f"LargeObjects{outcome.code}", unit=MetricUnit.Count, value=1)
        logger.info("copied", run_id=run.run_id, job_id=asked.job.id, code=outcome.code, text=outcome.text)
    return asked.answer(outcomes)

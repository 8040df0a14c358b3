"""VerifyReplica: compare both buckets after the jobs, as far as the time goes, unless a re-sync proved them equal."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import walks
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.manifest import Progress
from seeder.run import Run
from seeder.verify import Verification

logger = Logger()
metrics = Metrics()
clients = Clients()
STOP_BEFORE_MILLISECONDS = 60_000


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the verification for a state that holds the run and, from the second call on, the verification."""
    run, manifest = Run.model_validate(event["run"]), Progress.model_validate(event["manifest"])
    after = walks.prove(
        run,
        manifest,
        Verification.model_validate(event["verification"]) if "verification" in event else None,
        clients,
        clients.region,
        lambda: context.get_remaining_time_in_millis() < STOP_BEFORE_MILLISECONDS,
    )
    if after.done:
        metrics.add_metric(
            name="ObjectsDiffering", unit=MetricUnit.Count, value=after.missing + after.different
        )
    logger.info("compared", run_id=run.run_id, result=after.result, equal=after.equal, missing=after.missing)
    return after.model_dump()

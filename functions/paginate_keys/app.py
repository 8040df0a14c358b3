"""PaginateKeys: list the source, or both buckets, or read an inventory, into the manifests, as far as the time goes."""

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

logger = Logger()
metrics = Metrics()
clients = Clients()
STOP_BEFORE_MILLISECONDS = 60_000


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the manifests' progress for a state that holds the run and, from the second call on, the manifest."""
    run = Run.model_validate(event["run"])
    before = Progress.model_validate(event["manifest"]) if "manifest" in event else None
    after = walks.make_manifests(
        run,
        before,
        clients,
        clients.region,
        lambda: context.get_remaining_time_in_millis() < STOP_BEFORE_MILLISECONDS,
    )
    listed = after.count - (before.count if before else 0)
    metrics.add_metric(name="KeysListed", unit=MetricUnit.Count, value=listed)
    if run.request.inventory:
        logger.append_keys(creationTimestamp=after.inventory_created)
    logger.info("listed", run_id=run.run_id, count=after.count, done=after.done)
    return after.model_dump()

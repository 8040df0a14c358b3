"""VerifyReplica: compare both buckets after the jobs, as far as the time goes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.listing.wire import Wire
from seeder.manifest import Progress
from seeder.run import Run
from seeder.settings import Settings
from seeder.verify import Verification, verify

logger = Logger()
tracer = Tracer()
metrics = Metrics()
clients = Clients()
settings = Settings.from_environment()
STOP_BEFORE_MILLISECONDS = 60_000


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the verification for a state that holds the run and, from the second call on, the verification."""
    run = Run.model_validate(event["run"])
    before = (
        Verification.model_validate(event["verification"])
        if "verification" in event
        else Verification.fresh(run.state_bucket, run.folder)
    )
    operation = "ListObjectVersions" if run.operation == "replicate" else "ListObjectsV2"
    with (
        closing(Wire(clients.s3(run.source.region), run.source.name, operation)) as source,
        closing(Wire(clients.s3(run.destination.region), run.destination.name, operation)) as destination,
    ):
        after = verify(
            clients.s3(clients.region),
            before,
            source,
            destination,
            source_name=run.source.name,
            started_at=Progress.model_validate(event["manifest"]).up_to(run.started_at),
            prefix=run.request.prefix,
            selection=replace(run.request.selection(), largest=None),
            etags=not (run.source.key or run.destination.key),
            own=f"seeder/{run.folder}",
            waits=run.operation == "replicate",
            out_of_time=lambda: context.get_remaining_time_in_millis() < STOP_BEFORE_MILLISECONDS,
        )
    if after.done:
        metrics.add_metric(
            name="ObjectsDiffering", unit=MetricUnit.Count, value=after.missing + after.different
        )
    logger.info("compared", run_id=run.run_id, result=after.result, equal=after.equal, missing=after.missing)
    return after.model_dump()

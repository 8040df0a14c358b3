"""PaginateKeys: list the source, or read its inventory, into the manifest, as far as the time goes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import inventory, manifest
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.listing.wire import Wire
from seeder.run import Run
from seeder.settings import Settings

logger = Logger()
tracer = Tracer()
metrics = Metrics()
clients = Clients()
settings = Settings.from_environment()
STOP_BEFORE_MILLISECONDS = 60_000
# A replication takes versions, of any size (S3 User Guide, "Replicating existing objects with Batch Replication").
BY_VERSION = frozenset({"replicate"})


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the manifest's progress for a state that holds the run and, from the second call on, the manifest."""
    run = Run.model_validate(event["run"])
    home = run.manifest_bucket
    bucket = home.name if home else run.state_bucket
    fresh = manifest.Progress.fresh(bucket, run.manifest_folder, run.operation)
    before = manifest.Progress.model_validate(event["manifest"]) if "manifest" in event else fresh
    after = _write(run, before, lambda: context.get_remaining_time_in_millis() < STOP_BEFORE_MILLISECONDS)
    metrics.add_metric(name="KeysListed", unit=MetricUnit.Count, value=after.count - before.count)
    if run.request.inventory:
        logger.append_keys(creationTimestamp=after.inventory_created)
    logger.info("listed", run_id=run.run_id, count=after.count, done=after.done)
    return after.model_dump()


def _write(run: Run, before: manifest.Progress, out_of_time: Callable[[], bool]) -> manifest.Progress:
    home = run.manifest_bucket
    s3, reader = clients.s3(home.region if home else clients.region), clients.s3(run.source.region)
    source, asked = run.source.name, run.request
    versions = run.operation in BY_VERSION
    chosen = replace(asked.selection(), largest=None, restored=False) if versions else asked.selection()
    if asked.inventory:
        return inventory.write(
            s3, before, reader, asked.inventory, source, asked.prefix, chosen, out_of_time, versions
        )
    with closing(Wire(reader, source, "ListObjectVersions" if versions else "ListObjectsV2")) as wire:
        return manifest.write(s3, before, wire, source, asked.prefix, chosen, out_of_time=out_of_time)

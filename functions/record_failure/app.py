"""RecordFailure: record a run that ended in an error; give up its unfinished files and uploads."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import manifest, record, report, verify
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.fleet import claims, pairs
from seeder.large import ending
from seeder.request import Request
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
    """Return the record for `{"run_id", "started_at", "ended_at", "state"}`; the state holds the error."""
    state = _trusted(event["run_id"], event["state"])
    s3 = clients.s3(clients.region)
    if state.get("manifest"):
        listed = manifest.Progress.model_validate(state["manifest"])
        home = Run.model_validate(state["run"]).manifest_bucket
        manifest.abandon(clients.s3(home.region if home else clients.region), listed)
        if listed.large_count:
            ending.abandon(s3, settings.state_bucket, clients, event["run_id"], settings.copier)
    if told := (state.get("work") or {}).get("report"):
        report.abandon(s3, report.ReportProgress.model_validate(told))
    if state.get("verification"):
        verify.abandon(s3, verify.Verification.model_validate(state["verification"]))
    failed = record.of_error(event["run_id"], event["started_at"], state["error"], state, event["ended_at"])
    failed = record.write(s3, settings.state_bucket, failed)
    if state.get("run"):
        run = Run.model_validate(state["run"])
        if failed.error != "PairBusy":
            pairs.enter(s3, run.state_bucket, run.request, failed)
        claims.give_back(s3, run)
    metrics.add_metric(name="RunsFailed", unit=MetricUnit.Count, value=1)
    logger.error("failed", run_id=failed.run_id, error=failed.error, cause=failed.cause)
    return failed.model_dump()


def _trusted(run_id: str, state: dict[str, Any]) -> dict[str, Any]:
    """What the states of this run have put there; of an input that was refused, no more than its request."""
    run = state.get("run")
    if isinstance(run, dict) and run.get("run_id") == run_id:
        return state
    return {name: value for name, value in state.items() if name in {*Request.model_fields, "error"}}

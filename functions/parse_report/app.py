"""ParseReport: read the current job's completion report, as far as the time goes, and plan the next round."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import ledger, report, work
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.run import Run
from seeder.settings import Settings
from seeder.work import Work

logger = Logger()
metrics = Metrics()
clients = Clients()
settings = Settings.from_environment()
STOP_BEFORE_MILLISECONDS = 60_000


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the work, its job's report read, for a state that holds the run and the work."""
    run, before = Run.model_validate(event["run"]), Work.model_validate(event["work"])
    home = run.report_bucket
    told = report.read(
        clients.s3(clients.region),
        home.name if home else run.state_bucket,
        run.report_prefix,
        before.the_current,
        before.report or work.fresh_report(run, before),
        lambda: context.get_remaining_time_in_millis() < STOP_BEFORE_MILLISECONDS,
        clients.s3(home.region if home else clients.region),
    )
    if told.done:
        ledger.enter_failures(clients.s3(clients.region), told.failures_file)
    after = work.reported(run, before, told)
    metrics.add_metric(name="ObjectsSeeded", unit=MetricUnit.Count, value=after.succeeded - before.succeeded)
    metrics.add_metric(name="ObjectsFailed", unit=MetricUnit.Count, value=after.failed - before.failed)
    logger.info("reported", run_id=run.run_id, succeeded=told.succeeded, failed=told.failed, next=after.next)
    return after.model_dump()

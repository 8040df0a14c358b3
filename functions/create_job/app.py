"""CreateJob: create the run's next job in the region it belongs to, or find it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import jobs, work
from seeder.clients import Clients
from seeder.errors import Throttled, aws_errors
from seeder.roles import Roles
from seeder.run import Run
from seeder.settings import Settings
from seeder.work import Work

logger = Logger()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the work, its current job created or its turn awaited, for a state that holds run, roles and work."""
    roles = Roles.model_validate(event["roles"])
    run, before = Run.model_validate(event["run"]), Work.model_validate(event["work"])
    planned = before.the_current
    try:
        with aws_errors():
            job = jobs.create(clients.s3control(planned.region), run, planned, settings, roles)
    except Throttled as error:
        after = work.turn_awaited(before)
        logger.info("waits its turn", run_id=run.run_id, seconds=after.wait_seconds, reason=str(error))
        return after.model_dump()
    logger.info("created", run_id=run.run_id, job_id=job.id, operation=job.operation, round=job.round)
    return before.with_current(job).model_dump()

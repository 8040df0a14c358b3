"""EnsureRoles: make or widen the roles of the run's pair, unless they are given."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import roles
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.run import Run
from seeder.settings import Settings

logger = Logger()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the run's roles for a state that holds the run."""
    run = Run.model_validate(event["run"])
    ready = roles.ensure(run, settings, clients)
    logger.info("roles", run_id=run.run_id, **ready.model_dump())
    return ready.model_dump()

"""ResolveRequest: check the request and its two buckets; change nothing."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import resolution
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.settings import Settings

logger = Logger()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return `{"run": …}` for `{"run_id", "started_at", "request"}`."""
    account_id = context.invoked_function_arn.split(":")[4]
    resolved = resolution.resolve(
        event["request"], event["run_id"], event["started_at"], account_id, settings, clients
    )
    logger.info("resolved", run_id=resolved.run_id, pair=[resolved.source.name, resolved.destination.name])
    return {"run": resolved.model_dump()}

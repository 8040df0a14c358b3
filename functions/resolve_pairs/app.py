"""ResolvePairs: from one trigger to the runs it asks for."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import triggers
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.settings import Settings

logger = Logger()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return `{"pairs": [{"run_id", "request", "detached"}], "count"}` for `{"trigger", "execution_id"}`."""
    pairs = triggers.resolve(event["trigger"], event["execution_id"], clients, settings.state_bucket)
    logger.info("resolved", runs=[pair.run_id for pair in pairs])
    return {"pairs": [pair.model_dump() for pair in pairs], "count": len(pairs)}

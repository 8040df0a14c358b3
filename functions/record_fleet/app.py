"""RecordFleet: sum up what became of a fleet's pairs, once."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.fleet import record
from seeder.settings import Settings

logger = Logger()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the summary for `{"fleet_id", "started_at", "ended_at", "runs"}`."""
    made = record.summarise(
        clients.s3(clients.region),
        settings.state_bucket,
        event["fleet_id"],
        event["started_at"],
        event["ended_at"],
        event["runs"],
    )
    logger.info("recorded", fleet_id=made.fleet_id, pairs=made.pairs, failed=made.failed)
    return made.model_dump()

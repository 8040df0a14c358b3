"""A Lambda function that pays an order once, however often its event is delivered. No table: records are objects.

On AWS, handler is the function's; here it is called three times on the local cloud:

    python -m examples.idempotent_function
"""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.typing import LambdaContext

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder.lake.idempotency import S3PersistenceLayer, lifecycle_rule

BUCKET = os.environ.get("BUCKET", "orders")
config = IdempotencyConfig(event_key_jmespath="order_id", expires_after_seconds=24 * 3600)
paid: list[str] = []


def pay(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What must not happen twice."""
    paid.append(event["order_id"])
    return {"order_id": event["order_id"], "receipt": len(paid)}


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """The function's entry."""
    return idempotent(persistence_store=S3PersistenceLayer(BUCKET), config=config)(pay)(event, context)


def main() -> list[Any]:
    """Deliver three events, of which two are the same."""
    with LocalCloud(ScaledClock(1)) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        rules = {"Rules": [lifecycle_rule(expires_after_seconds=config.expires_after_seconds)]}
        s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=rules)
        context: Any = type("Context", (), {"get_remaining_time_in_millis": lambda self: 60_000})()
        return [handler({"order_id": order}, context) for order in ("A-1", "A-1", "A-2")]


if __name__ == "__main__":
    print(*main(), sep="\n")  # noqa: T201

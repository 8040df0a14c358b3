"""Dead-letter queues: where EventBridge and EventBridge Scheduler put what a target did not take.

Contracts: EventBridge User Guide, "Using dead-letter queues to process undelivered events"; EventBridge
Scheduler User Guide, "Configuring a schedule's dead-letter queue".
"""

from __future__ import annotations

import json
import logging
import uuid
from datetime import datetime
from typing import Any

from moto.sqs.models import sqs_backends

from localcloud.aws import ACCOUNT_ID, client
from localcloud.iam import Access, Decision, Policy, Principal, allowed
from localcloud.iam_roles import Role

log = logging.getLogger(__name__)

MAX_RETRIES = 185
"""How often EventBridge and Scheduler try again if a target's RetryPolicy does not say."""

ATTRIBUTE_TYPE = "String"
"""The type of every message attribute: documented for Scheduler, not for rules."""

# EventBridge's codes, by what the code of a target's refusal contains; the first that fits.
_CODES = (
    ("AccessDenied", "NO_PERMISSIONS"),
    ("Authorization", "NO_PERMISSIONS"),
    ("NotFound", "NO_RESOURCE"),
    ("DoesNotExist", "NO_RESOURCE"),
    ("Throttl", "THROTTLING"),
    ("TooManyRequests", "THROTTLING"),
    ("LimitExceeded", "RESOURCE_LIMIT_EXCEEDED"),
    ("AlreadyExists", "RESOURCE_ALREADY_EXISTS"),
    ("Invalid", "INVALID_PARAMETER"),
    ("Validation", "INVALID_PARAMETER"),
)
_RETRIED = {"THROTTLING", "ERROR_FROM_TARGET"}


class Refusal(Exception):
    """A target did not take an event: the API's error code and message, or EventBridge's own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def eventbridge_code(self) -> str:
        """Return the code among those that EventBridge documents for rules."""
        if self.code.isupper():
            return self.code
        return next((code for part, code in _CODES if part in self.code), "ERROR_FROM_TARGET")

    @property
    def retried(self) -> bool:
        """Return whether it is a passing error, after which AWS would have tried again."""
        return self.eventbridge_code in _RETRIED


def keep_event(rule_arn: str, target: dict[str, Any], event: dict[str, Any], refusal: Refusal) -> None:
    """Put a rule's event into its target's queue, if that has one and its policy lets EventBridge send."""
    context = {
        "aws:SourceArn": rule_arn,
        "aws:SourceAccount": ACCOUNT_ID,
        "aws:SecureTransport": "true",
    }
    queue = _queue_of(target)
    if queue is None:
        log.warning("event not delivered to %s: %s", target["Arn"], refusal.message)
        return
    access = Access("sqs:SendMessage", queue, Principal(service="events.amazonaws.com"), context)
    policy = _policy_of(queue)
    if policy is None or policy.decide(access) is not Decision.ALLOW:
        log.warning("event not delivered to %s, nor to %s: its policy forbids it", target["Arn"], queue)
        return
    attributes = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": refusal.eventbridge_code,
        "ERROR_MESSAGE": refusal.message,
    }
    _send(queue, json.dumps(event), attributes | _retries(target, refusal))


def keep_invocation(
    schedule: Any, role: Role, request: dict[str, str], refusal: Refusal, due: datetime
) -> None:
    """Put what a schedule asked of its target into its queue, as the schedule's role, if that may."""
    queue = _queue_of(schedule.target)
    if queue is None:
        log.warning("schedule %s: %s", schedule.name, refusal.message)
        return
    access = Access("sqs:SendMessage", queue, Principal(arn=role.arn), {"aws:SecureTransport": "true"})
    if not allowed(access, role.identity, role.boundary, _policy_of(queue), queue.split(":")[4]):
        log.warning(
            "schedule %s: %s; its role may not send that to %s", schedule.name, refusal.message, queue
        )
        return
    service = schedule.target["Arn"].split(":")[2]
    action = {"states": "sfn:startExecution", "lambda": "lambda:invoke", "sns": "sns:publish"}[service]
    attributes = {
        "SCHEDULE_ARN": schedule.arn,
        "TARGET_ARN": f"arn:aws:scheduler:::aws-sdk:{action}",
        "ERROR_CODE": refusal.code,
        "ERROR_MESSAGE": refusal.message,
        "EXECUTION_ID": uuid.uuid4().hex[:16],
        "SCHEDULED_TIME": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "IS_PAYLOAD_TRUNCATED": "false",
    }
    _send(queue, json.dumps(request), attributes | _retries(schedule.target, refusal))


def _queue_of(target: dict[str, Any]) -> str | None:
    return (target.get("DeadLetterConfig") or {}).get("Arn")


def _retries(target: dict[str, Any], refusal: Refusal) -> dict[str, str]:
    if not refusal.retried:
        return {"RETRY_ATTEMPTS": "0"}
    limit = (target.get("RetryPolicy") or {}).get("MaximumRetryAttempts", MAX_RETRIES)
    return {"RETRY_ATTEMPTS": str(limit), "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts"}


def _policy_of(queue: str) -> Policy | None:
    region, account, name = queue.split(":")[3:6]
    held = sqs_backends[account][region].queues.get(name)
    document = held.policy if held else None
    return Policy(json.loads(document), f"policy of queue {name}") if document else None


def _send(queue: str, body: str, attributes: dict[str, str]) -> None:
    region, account, name = queue.split(":")[3:6]
    sqs = client("sqs", region)
    try:
        url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        log.warning("not delivered to %s: no such queue", queue)
        return
    sqs.send_message(
        QueueUrl=url,
        MessageBody=body,
        MessageAttributes={
            name: {"DataType": ATTRIBUTE_TYPE, "StringValue": value} for name, value in attributes.items()
        },
    )

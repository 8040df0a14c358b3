"""From one trigger to many pairs: what `fleet` is started with, and the runs it starts.

A trigger is the CloudTrail event of PutBucketReplication, the schedule's input, or an input by hand.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from seeder.errors import InvalidRequest, NotYetVisible
from seeder.replication import Rule, read_rules
from seeder.request import Request, parse_request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.clients import Clients


class Pair(BaseModel):
    """One run to start: its name, and its request."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    request: Request


def resolve(trigger: Any, execution_id: str, clients: Clients) -> list[Pair]:
    """Return the runs that a trigger asks for; `execution_id` tells two manual triggers apart.

    Raises InvalidRequest for an input that can't be understood, NotYetVisible when the configuration that an
    event tells of can't be read yet.
    """
    if not isinstance(trigger, dict):
        raise InvalidRequest("input", f"{trigger!r} is not an object; see events/ for samples")
    if "detail-type" in trigger or "detail" in trigger:
        return _of_event(trigger, clients)
    if "pairs" in trigger:
        return _of_list(trigger, execution_id)
    return [_pair(parse_request(trigger), execution_id)]


def _of_list(trigger: dict[str, Any], execution_id: str) -> list[Pair]:
    unknown = sorted(set(trigger) - {"pairs", "trigger"})
    if unknown:
        raise InvalidRequest(unknown[0], "unknown field; known fields: pairs, trigger")
    if not isinstance(trigger["pairs"], list):
        raise InvalidRequest("pairs", f"{trigger['pairs']!r} is not a list of requests")
    kind = trigger.get("trigger", "manual")
    requests = []
    for number, item in enumerate(trigger["pairs"]):
        try:
            requests.append(parse_request({"trigger": kind, **item} if isinstance(item, dict) else item))
        except InvalidRequest as error:
            raise InvalidRequest(f"pairs[{number}].{error.field}", str(error).split(": ", 1)[1]) from error
    return [_pair(request, execution_id) for request in _distinct(requests)]


def _distinct(requests: list[Request]) -> list[Request]:
    return list({request.model_dump_json(): request for request in requests}.values())


def _of_event(event: dict[str, Any], clients: Clients) -> list[Pair]:
    detail = event.get("detail")
    if not isinstance(detail, dict) or detail.get("eventName") != "PutBucketReplication":
        name = detail.get("eventName") if isinstance(detail, dict) else detail
        raise InvalidRequest("detail.eventName", f"{name!r} is not PutBucketReplication; nothing to seed")
    if detail.get("errorCode"):
        raise InvalidRequest(
            "detail.errorCode",
            f"'{detail['errorCode']}': the call that this event tells of failed; nothing was added",
        )
    event_id = detail.get("eventID")
    if not isinstance(event_id, str) or not event_id:
        raise InvalidRequest("detail.eventID", f"{event_id!r} is not an id; a CloudTrail event has one")
    source = _source_of(detail)
    s3 = clients.s3(detail.get("awsRegion") or clients.region)
    return [_of_rule(source, rule, event_id) for rule in _rules_of(s3, source) if rule.enabled]


def _source_of(detail: dict[str, Any]) -> str:
    """The bucket; CloudTrail leaves requestParameters out above 100 KB, but not resources."""
    parameters = detail.get("requestParameters") or {}
    if parameters.get("bucketName"):
        return str(parameters["bucketName"])
    for resource in detail.get("resources") or []:
        if resource.get("type") == "AWS::S3::Bucket":
            return str(resource.get("ARN", "")).rpartition(":::")[2]
    raise InvalidRequest(
        "detail.requestParameters.bucketName", "missing, and no bucket among detail.resources"
    )


def _rules_of(s3: S3Client, source: str) -> list[Rule]:
    rules = read_rules(s3, source)
    if not rules:
        raise NotYetVisible(f"bucket '{source}' shows no replication configuration (yet, or no more)")
    return rules


def _of_rule(source: str, rule: Rule, event_id: str) -> Pair:
    request = parse_request(
        {
            "source": source,
            "destination": rule.destination,
            "prefix": rule.prefix,
            "trigger": "rule-added",
            "rule_id": rule.id,
        }
    )
    return _pair(request, event_id)


def _pair(request: Request, origin: str) -> Pair:
    """Name the run after what asked for it, so that asking twice names it twice the same."""
    identity = f"{origin}\n{request.model_dump_json()}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return Pair(run_id=f"{request.trigger}-{request.source[:40]}-{digest}", request=request)

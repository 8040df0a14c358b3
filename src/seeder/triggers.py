"""From one trigger to the runs it asks for: what `fleet` is started with.

A trigger is the CloudTrail event of a bucket's replication configuration, the schedule's input, or an input by hand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from seeder.documents import shown
from seeder.errors import InvalidRequest
from seeder.fleet.request import of_rule, parse_fleet, requests
from seeder.fleet.seen import Seen
from seeder.naming import run_name
from seeder.replication import Change, Rule, parse_rule, read_rules
from seeder.request import Request, parse_request
from seeder.request.values import BUCKET_NAME

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.clients import Clients

PUT, DELETE = "PutBucketReplication", "DeleteBucketReplication"
# What a call has changed may be read only some time after it (API reference, GetBucketReplication), and the event may
# not tell what to wait for.
SETTLE_SECONDS = 10.0
SETTLE_POLL_SECONDS = 1.0

# An id of CloudTrail's is a UUID; what stands for one is written into a registry.
_LONGEST_ID = 128
_REGION = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,12}){1,4}")

Sleep = Callable[[float], None]


class Pair(BaseModel):
    """One run to start: its name, its request without what is default, and whether to wait for its end."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    request: dict[str, Any]
    detached: bool = False


def resolve(
    trigger: Any, execution_id: str, clients: Clients, state_bucket: str, sleep: Sleep = time.sleep
) -> list[Pair]:
    """Return the runs that a trigger asks for; `execution_id` tells two triggers by hand apart.

    Raises InvalidRequest for an input that can't be understood, AccessDenied, ClientError, and what `Registry` raises.
    """
    if not isinstance(trigger, dict):
        raise InvalidRequest("input", f"{shown(trigger)} is not an object; see events/ for samples")
    if "detail-type" in trigger or "detail" in trigger:
        return _of_event(trigger, clients, state_bucket, sleep)
    if "source" in trigger:
        return [pair_of(parse_request(trigger), execution_id)]
    fleet = parse_fleet(trigger)
    return [
        pair_of(request, execution_id, fleet.detached) for request in requests(fleet, clients, state_bucket)
    ]


def pair_of(request: Request, origin: str, detached: bool = False) -> Pair:
    """Name a run after what asked for it, so that asking twice names it twice the same."""
    fields = request.model_dump(exclude_defaults=True)
    identity = f"{origin}\n{request.model_dump_json()}"
    name = run_name(request.trigger, request.source, request.destination, identity)
    return Pair(run_id=name, request=fields, detached=detached)


def _of_event(event: dict[str, Any], clients: Clients, state_bucket: str, sleep: Sleep) -> list[Pair]:
    detail = event.get("detail")
    if not isinstance(detail, dict) or detail.get("eventName") not in (PUT, DELETE):
        name = detail.get("eventName") if isinstance(detail, dict) else detail
        raise InvalidRequest(
            "detail.eventName", f"{shown(name)} is neither {PUT} nor {DELETE}; nothing to seed"
        )
    if detail.get("errorCode"):
        raise InvalidRequest(
            "detail.errorCode",
            f"{shown(detail['errorCode'])}: the call that this event tells of failed; nothing was added",
        )
    event_id = detail.get("eventID")
    if not isinstance(event_id, str) or not 0 < len(event_id) <= _LONGEST_ID:
        raise InvalidRequest("detail.eventID", f"{shown(event_id)} is not an id; a CloudTrail event has one")
    source, region = _source_of(detail), _region_of(detail) or clients.region

    def decide(changes: list[Change]) -> list[dict[str, Any]]:
        return [_of_change(source, change, event_id).model_dump() for change in changes]

    seen = Seen(clients.s3(clients.region), state_bucket, source)
    made = seen.decide(event_id, lambda: _settled_rules(detail, source, clients.s3(region), sleep), decide)
    return [Pair.model_validate(item) for item in made]


def _of_change(source: str, change: Change, event_id: str) -> Pair:
    """Return the run for a rule; a replica that may hold much already is compared first."""
    compared = {} if change.reason in ("new", "destination") else {"resync": True}
    return pair_of(parse_request({**of_rule(source, change.rule), **compared, "overlap": "wait"}), event_id)


def _source_of(detail: dict[str, Any]) -> str:
    """The bucket; CloudTrail leaves requestParameters out above 100 KB, but not resources."""
    parameters = detail.get("requestParameters")
    if isinstance(parameters, dict) and parameters.get("bucketName"):
        return _bucket("detail.requestParameters.bucketName", parameters["bucketName"])
    resources = detail.get("resources")
    for resource in resources if isinstance(resources, list) else []:
        if isinstance(resource, dict) and resource.get("type") == "AWS::S3::Bucket":
            return _bucket("detail.resources", str(resource.get("ARN", "")).rpartition(":::")[2])
    raise InvalidRequest(
        "detail.requestParameters.bucketName",
        "missing, and no bucket among detail.resources; a CloudTrail event names its bucket",
    )


def _bucket(field: str, told: Any) -> str:
    if isinstance(told, str) and re.fullmatch(BUCKET_NAME, told):
        return told
    raise InvalidRequest(
        field, f"{shown(told)} is not a bucket name; a CloudTrail event has that of its bucket"
    )


def _region_of(detail: dict[str, Any]) -> str:
    """The region that the call was made in; "" where the event does not tell."""
    told = detail.get("awsRegion") or ""
    if isinstance(told, str) and (not told or _REGION.fullmatch(told)):
        return told
    raise InvalidRequest("detail.awsRegion", f"{shown(told)} is not a region; give one such as eu-west-1")


def _settled_rules(detail: dict[str, Any], source: str, s3: S3Client, sleep: Sleep) -> list[Rule]:
    """Read the bucket's rules until they show those that the call put; whoever changed them since has the last word."""
    put, waited = _put(detail), 0.0
    while True:
        rules = read_rules(s3, source)
        gone = detail["eventName"] == DELETE and not rules
        if gone or waited >= SETTLE_SECONDS or (put and put <= set(map(_look, rules))):
            return rules
        sleep(SETTLE_POLL_SECONDS)
        waited += SETTLE_POLL_SECONDS


def _put(detail: dict[str, Any]) -> set[tuple[str, str, str, bool]]:
    """How the rules look that the call put, as far as the event tells; a single rule stands there without a list."""
    parameters = detail.get("requestParameters")
    told = parameters.get("ReplicationConfiguration") if isinstance(parameters, dict) else None
    rules = told.get("Rule", []) if isinstance(told, dict) else []
    try:
        return {_look(parse_rule(item)) for item in (rules if isinstance(rules, list) else [rules])}
    except (AttributeError, KeyError, TypeError):
        return set()


def _look(rule: Rule) -> tuple[str, str, str, bool]:
    return rule.id, rule.destination, rule.prefix, rule.enabled

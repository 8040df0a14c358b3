"""EventBridge: rules of the default bus hand events to state machines, functions and topics.

moto matches patterns, but delivers to none of these; here a matching event reaches every target of an enabled
rule, with the target's Input, InputPath or InputTransformer applied, as the target's role. What a target does
not take goes to its dead-letter queue at once: there are no retries. An unknown kind of target is an error.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from jsonpath_ng import parse as jsonpath
from moto.events.models import Rule, events_backends

from localcloud.aws import ACCOUNT_ID, client
from localcloud.dead_letters import Refusal, keep_event
from localcloud.iam_roles import Role, read_role
from localcloud.patching import Patches
from localcloud.sessions import EVENTS, NotAssumable, check_trust


def install(patches: Patches) -> None:
    """Deliver what `put_events` puts, until the patches are undone."""
    patches.replace(Rule, "send_to_targets", lambda rule, event, *_, **__: send(rule, event))


def deliver(event: dict[str, Any], region: str) -> None:
    """Put an AWS service's event on the default bus of a region.

    `event` is the whole envelope (source, detail-type, detail, …); id, version and time are added if missing.
    """
    envelope = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "account": ACCOUNT_ID,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [],
        **event,
    }
    bus = events_backends[ACCOUNT_ID][region].event_buses["default"]
    for rule in list(bus.rules.values()):
        send(rule, envelope)


def send(rule: Any, event: dict[str, Any]) -> None:
    """Hand `event` to the targets of a rule that is enabled and matches; what one refuses to its dead letters."""
    if rule.state != "ENABLED" or not rule.event_pattern.matches_event(event):
        return
    event = _with_iso_time(event)
    for target in list(rule.targets):
        try:
            role = assume(target["RoleArn"], EVENTS, rule.arn) if "RoleArn" in target else None
            start(target["Arn"], json.dumps(_input(target, event)), role)
        except Refusal as refusal:
            keep_event(rule.arn, target, event, refusal)


def assume(arn: str, service: str, source: str) -> Role:
    """Return a target's role as a service assumes it for a rule or schedule group. Raises Refusal if it may not."""
    role = read_role(arn)
    if role is None:
        raise Refusal("FAILED_TO_ASSUME_ROLE", f"The role {arn} does not exist")
    try:
        check_trust(arn, service, source)
    except NotAssumable as refused:
        raise Refusal("FAILED_TO_ASSUME_ROLE", str(refused)) from refused
    return role


def start(arn: str, payload: str, role: Role | None) -> None:
    """Start a target with a payload, a JSON document, as a role. Raises Refusal.

    Only a function and a topic can be started without one, by a policy of their own, which is not asked here.
    """
    service, region = arn.split(":")[2:4]
    if service not in _STARTERS:
        raise NotImplementedError(f"event target {arn}: not supported by the local cloud")
    action, starter = _STARTERS[service]
    if not (role.may(action, arn, {"aws:SecureTransport": "true"}) if role else service in _OWN_POLICY):
        who = role.arn if role else "EventBridge"
        raise Refusal("AccessDeniedException", f"{who} is not authorized to perform: {action} on {arn}")
    try:
        starter(arn, region, payload)
    except ClientError as error:
        raise Refusal(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error


def _start_execution(arn: str, region: str, payload: str) -> None:
    client("stepfunctions", region).start_execution(
        stateMachineArn=arn, name=f"{uuid.uuid4()}_{uuid.uuid4()}", input=payload
    )


def _invoke(arn: str, region: str, payload: str) -> None:
    client("lambda", region).invoke(FunctionName=arn, InvocationType="Event", Payload=payload)


def _publish(arn: str, region: str, payload: str) -> None:
    client("sns", region).publish(TopicArn=arn, Message=payload)


_STARTERS: dict[str, tuple[str, Callable[[str, str, str], None]]] = {
    "states": ("states:StartExecution", _start_execution),
    "lambda": ("lambda:InvokeFunction", _invoke),
    "sns": ("sns:Publish", _publish),
}
_OWN_POLICY = {"lambda", "sns"}


def _with_iso_time(event: dict[str, Any]) -> dict[str, Any]:
    when = event.get("time")
    if isinstance(when, int | float):
        event = event | {"time": datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    return event


def _input(target: dict[str, Any], event: dict[str, Any]) -> Any:
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return _find(target["InputPath"], event)
    if "InputTransformer" in target:
        return _transform(target["InputTransformer"], event)
    return event


def _find(path: str, event: dict[str, Any]) -> Any:
    found = jsonpath(path).find(event)
    return found[0].value if found else None


def _transform(transformer: dict[str, Any], event: dict[str, Any]) -> Any:
    values = {name: _find(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values["aws.events.event.json"] = event

    def quoted(match: re.Match[str]) -> str:
        value = values.get(match["name"])
        text = json.dumps(value)
        inside_string = match["before"] == '"' and match["after"] == '"'
        return f'"{value}"' if inside_string and isinstance(value, str) else text

    template = transformer["InputTemplate"]
    return json.loads(re.sub(r'(?P<before>"?)<(?P<name>[\w.]+)>(?P<after>"?)', quoted, template))

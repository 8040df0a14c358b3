"""What a request to a service other than S3 and IAM needs to be allowed.

Contract: Service Authorization Reference, the page of each service; for S3 Control, S3 User Guide, "Granting
permissions for Amazon S3 Batch Operations".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from localcloud.authorization import roles, s3
from localcloud.authorization.calls import local_name
from localcloud.authorization.needs import Need, NotSupported
from localcloud.kms import find_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcloud.authorization.calls import Call

_JOBS = re.compile(r"/v20180820/jobs(?:/(?P<id>[^/]+)(?:/(?P<part>status|priority|tagging))?)?")
_JOB_ACTIONS = {
    ("GET", None): "DescribeJob",
    ("POST", "status"): "UpdateJobStatus",
    ("POST", "priority"): "UpdateJobPriority",
    ("GET", "tagging"): "GetJobTagging",
    ("PUT", "tagging"): "PutJobTagging",
    ("DELETE", "tagging"): "DeleteJobTagging",
}
_FUNCTION = re.compile(r"/[\d-]+/functions/(?P<name>[^/]+)(?P<rest>/.*)?")
_FUNCTION_ACTIONS = {
    ("POST", "/invocations"): "InvokeFunction",
    ("GET", ""): "GetFunction",
    ("GET", "/configuration"): "GetFunctionConfiguration",
}
_STATES_RESOURCE = {
    "StartExecution": "stateMachineArn",
    "StartSyncExecution": "stateMachineArn",
    "ListExecutions": "stateMachineArn",
    "DescribeStateMachine": "stateMachineArn",
    "DescribeExecution": "executionArn",
    "DescribeStateMachineForExecution": "executionArn",
    "GetExecutionHistory": "executionArn",
    "StopExecution": "executionArn",
    "RedriveExecution": "executionArn",
    "ListStateMachines": "",
    "SendTaskSuccess": "",
    "SendTaskFailure": "",
    "SendTaskHeartbeat": "",
}


def needs(call: Call, account: str) -> list[Need]:
    """Return what a request needs, by a caller of this account. Raises NotSupported."""
    if call.service not in _SERVICES:
        raise NotSupported(f"service {call.service or call.host}")
    return _SERVICES[call.service](call, account)


def _s3control(call: Call, account: str) -> list[Need]:
    path = _JOBS.fullmatch(call.path)
    if path is None:
        raise NotSupported(f"S3 Control {call.method} {call.path}")
    jobs = f"arn:aws:s3:{call.region}:{account}:job/"
    if path["id"] is None:
        return _create_job(call, jobs) if call.method == "POST" else [Need("s3:ListJobs", "*")]
    action = _JOB_ACTIONS.get((call.method, path["part"]))
    if action is None:
        raise NotSupported(f"S3 Control {call.method} {call.path}")
    return [Need(f"s3:{action}", jobs + unquote(path["id"]))]


def _create_job(call: Call, jobs: str) -> list[Need]:
    """CreateJob passes its role without iam:PassedToService (measured; AWS does not document it)."""
    root = call.xml
    members = {local_name(each): each for each in root}
    tags = {tag.get("Key", ""): tag.get("Value", "") for tag in map(_texts, members.get("Tags", []))}
    operation = next(iter(members.get("Operation", [])), None)
    context: dict[str, Any] = {
        **{f"aws:RequestTag/{name}": value for name, value in tags.items()},
        "aws:TagKeys": list(tags) or None,
        "s3:RequestJobOperation": None if operation is None else local_name(operation),
        "s3:RequestJobPriority": _text(members.get("Priority")),
    }
    wanted = [Need("s3:CreateJob", "*", context)]
    if tags:
        wanted.append(Need("s3:PutJobTagging", f"{jobs}*", context))
    return [*wanted, Need("iam:PassRole", _text(members.get("RoleArn")) or "")]


def _texts(element: Any) -> dict[str, str]:
    return {local_name(each): each.text or "" for each in element}


def _text(element: Any) -> str | None:
    return None if element is None else element.text


def _states(call: Call, account: str) -> list[Need]:
    if call.target not in _STATES_RESOURCE:
        raise NotSupported(f"states:{call.target}")
    named = _STATES_RESOURCE[call.target]
    return [Need(f"states:{call.target}", str(call.document.get(named, "*")) if named else "*")]


def _sns(call: Call, account: str) -> list[Need]:
    operation = call.form.get("Action", "")
    if operation not in ("Publish", "PublishBatch", "Subscribe", "GetTopicAttributes"):
        raise NotSupported(f"sns:{operation}")
    action = "Publish" if operation.startswith("Publish") else operation
    context = {f"sns:{name}": call.form.get(name) for name in ("Endpoint", "Protocol")}
    return [Need(f"sns:{action}", call.form.get("TopicArn", "*"), context)]


def _events(call: Call, account: str) -> list[Need]:
    here = f"arn:aws:events:{call.region}:{account}"
    if call.target == "PutEvents":
        return [_event(here, entry) for entry in call.document.get("Entries", [])]
    if call.target in ("DescribeRule", "ListTargetsByRule", "PutRule", "PutTargets"):
        name = call.document.get("Name") or call.document.get("Rule", "")
        return [Need(f"events:{call.target}", f"{here}:rule/{name}")]
    raise NotSupported(f"events:{call.target}")


def _event(here: str, entry: dict[str, Any]) -> Need:
    bus = entry.get("EventBusName") or "default"
    context = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
    return Need("events:PutEvents", bus if bus.startswith("arn:") else f"{here}:event-bus/{bus}", context)


def _lambda(call: Call, account: str) -> list[Need]:
    path = _FUNCTION.fullmatch(call.path)
    action = path and _FUNCTION_ACTIONS.get((call.method, path["rest"] or ""))
    if not path or not action:
        raise NotSupported(f"Lambda {call.method} {call.path}")
    name = unquote(path["name"])
    arn = name if name.startswith("arn:") else f"arn:aws:lambda:{call.region}:{account}:function:{name}"
    if call.query.get("Qualifier"):
        arn = f"{arn}:{call.query['Qualifier']}"
    return [Need(f"lambda:{action}", arn)]


def _kms(call: Call, account: str) -> list[Need]:
    key_id = call.document.get("KeyId")
    if (
        call.target not in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GetKeyPolicy")
        or not key_id
    ):
        raise NotSupported(f"kms:{call.target} {'of' if key_id else 'without'} a KeyId")
    given = call.document.get("EncryptionContext") or {}
    context = {
        "kms:CallerAccount": account,
        "kms:ViaService": None,
        "kms:EncryptionContextKeys": list(given) or None,
        **{f"kms:EncryptionContext:{name}": value for name, value in given.items()},
    }
    key = find_key(key_id, account, call.region)
    return [Need(f"kms:{call.target}", key.arn, context, key=key)]


def _logs(call: Call, account: str) -> list[Need]:
    if call.target not in ("CreateLogGroup", "CreateLogStream", "PutLogEvents"):
        raise NotSupported(f"logs:{call.target}")
    group = f"arn:aws:logs:{call.region}:{account}:log-group:{call.document.get('logGroupName', '')}"
    stream = call.document.get("logStreamName")
    return [Need(f"logs:{call.target}", f"{group}:log-stream:{stream}" if stream else group)]


def _xray(call: Call, account: str) -> list[Need]:
    actions = {"/TraceSegments": "PutTraceSegments", "/TelemetryRecords": "PutTelemetryRecords"}
    if call.path not in actions:
        raise NotSupported(f"X-Ray {call.method} {call.path}")
    return [Need(f"xray:{actions[call.path]}", "*")]


def _cloudwatch(call: Call, account: str) -> list[Need]:
    operation = call.target or call.path.rpartition("/operation/")[2] or call.form.get("Action", "")
    if operation != "PutMetricData" or not call.target:
        raise NotSupported(f"cloudwatch:{operation}")
    return [Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": call.document.get("Namespace")})]


def _s3(call: Call, account: str) -> list[Need]:
    return s3.needs(call)


_SERVICES: dict[str, Callable[[Call, str], list[Need]]] = {
    "s3": _s3,
    "s3control": _s3control,
    "iam": roles.iam_needs,
    "sts": roles.sts_needs,
    "states": _states,
    "sns": _sns,
    "events": _events,
    "lambda": _lambda,
    "kms": _kms,
    "logs": _logs,
    "xray": _xray,
    "monitoring": _cloudwatch,
}

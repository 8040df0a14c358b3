"""CloudTrail: calls that change a bucket's replication become the events that EventBridge would see.

moto records no calls. Here PutBucketReplication and DeleteBucketReplication, successful or refused, are
handed on as "AWS API Call via CloudTrail" events; `localcloud.trails` decides whether a trail logs them. No
genuine event of these two calls is published: the shape follows the records of PutBucketLifecycle and
PutBucketAcl in the S3 User Guide ("Amazon S3 CloudTrail events") and the record contents in the CloudTrail
User Guide.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

import xmltodict  # type: ignore[import-untyped]  # has no types
from moto.iam.models import iam_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

if TYPE_CHECKING:
    from datetime import datetime

    from moto.core.exceptions import ServiceException

    from localcloud.clock import Clock
    from localcloud.patching import Patches

MAX_REQUEST_PARAMETERS = 100 * 1024
"""Bytes of `requestParameters` as JSON, beyond which CloudTrail leaves them out."""

_EVENT_NAMES = {"PUT": "PutBucketReplication", "DELETE": "DeleteBucketReplication"}
_INTEGERS = {"Priority", "Minutes"}

Emit = Callable[[dict[str, Any], str], None]


def install(patches: Patches, emit: Emit, clock: Clock, new_id: Callable[[], object] = uuid.uuid4) -> None:
    """Hand the event of every call that changes a replication configuration to `emit(event, region)`.

    `event` is the whole EventBridge envelope; `region` is the bucket's, or the one called where there is no
    such bucket. It is emitted in the caller's thread, once the call has succeeded or been refused.
    """

    def observed(response: Any, request: Any, full_url: str) -> Any:
        name = _EVENT_NAMES.get(request.method)
        recorded = name and response.bucket_name and "replication" in _query(response, request, full_url)
        if not recorded:
            return original(response, request, full_url)
        try:
            answer = original(response, request, full_url)
        except S3ClientError as refusal:
            record(response, request, str(name), refusal)
            raise
        record(response, request, str(name), None)
        return answer

    def record(response: Any, request: Any, name: str, error: ServiceException | None) -> None:
        region = _region(response)
        detail = _detail(response, request, name, region, error, clock.now(), str(new_id()))
        emit(_envelope(detail, str(new_id())), region)

    original = patches.replace(S3Response, "_bucket_response", observed)


def _query(response: Any, request: Any, full_url: str) -> dict[str, Any]:
    return dict(response._get_querystring(request, full_url))


def _region(response: Any) -> str:
    try:
        return str(response.backend.get_bucket(response.bucket_name).region_name)
    except S3ClientError:
        return str(response.region)


def _envelope(detail: dict[str, Any], event_id: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.s3",
        "account": detail["recipientAccountId"],
        "time": detail["eventTime"],
        "region": detail["awsRegion"],
        "resources": [],
        "detail": detail,
    }


def _detail(
    response: Any,
    request: Any,
    name: str,
    region: str,
    error: ServiceException | None,
    now: datetime,
    event_id: str,
) -> dict[str, Any]:
    account = str(response.current_account)
    bucket = str(response.bucket_name)
    detail = {
        "eventVersion": "1.11",
        "userIdentity": user_identity(response.access_key, account, region),
        "eventTime": _iso(now),
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": getattr(request, "remote_addr", None) or "127.0.0.1",
        "userAgent": f"[{request.headers.get('User-Agent', '')}]",
        "errorCode": error.code if error else None,
        "errorMessage": error.message if error else None,
        "requestParameters": _request_parameters(bucket, region, response.body if name[0] == "P" else b""),
        "responseElements": None,
        "additionalEventData": {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"},
        "requestID": event_id.replace("-", "")[:16].upper(),
        "eventID": event_id,
        "readOnly": False,
        "resources": [
            {
                "accountId": account,
                "type": "AWS::S3::Bucket",
                "ARN": f"arn:{get_partition(region)}:s3:::{bucket}",
            }
        ],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    absent = [key for key in ("errorCode", "errorMessage", "requestParameters") if detail[key] is None]
    return {key: value for key, value in detail.items() if key not in absent}


def _request_parameters(bucket: str, region: str, body: bytes) -> dict[str, Any] | None:
    parameters = {
        "bucketName": bucket,
        "Host": f"{bucket}.s3.{region}.amazonaws.com",
        "replication": "",
        **_configuration(body),
    }
    return parameters if len(json.dumps(parameters).encode()) <= MAX_REQUEST_PARAMETERS else None


def _configuration(body: bytes) -> dict[str, Any]:
    """Return the XML body as CloudTrail shows it: an element that may repeat is a list only where it does."""
    try:
        document = xmltodict.parse(body) if body else {}
    except ExpatError:
        return {}
    return {name: _value(name, value) for name, value in document.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_value(name, item) for item in value]
    if isinstance(value, dict):
        return {key.lstrip("@"): _value(key, item) for key, item in value.items()}
    if name in _INTEGERS and value and value.lstrip("-").isdigit():
        return int(value)
    return value or ""


def user_identity(access_key: str, account: str, region: str) -> dict[str, Any]:
    """Return the `userIdentity` of who signed with an access key: a role's session, a user, else the root."""
    partition = get_partition(region)
    session = sts_backends[account][partition].get_assumed_role_from_access_key(access_key)
    if session:
        return _session_identity(session, account)
    user = iam_backends[account][partition].get_user_from_access_key_id(access_key)
    common = {"accountId": account, "accessKeyId": access_key}
    if user:
        return {"type": "IAMUser", "principalId": user.id, "arn": user.arn, **common, "userName": user.name}
    return {"type": "Root", "principalId": account, "arn": f"arn:{partition}:iam::{account}:root", **common}


def _session_identity(session: Any, account: str) -> dict[str, Any]:
    principal = str(session.user_id)
    return {
        "type": "AssumedRole",
        "principalId": principal,
        "arn": session.arn,
        "accountId": account,
        "accessKeyId": session.access_key_id,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal.split(":")[0],
                "arn": session.role_arn,
                "accountId": account,
                "userName": session.role_arn.split("/")[-1],
            },
            "attributes": {
                "creationDate": _iso(session.access_key.create_date),
                "mfaAuthenticated": "false",
            },
        },
    }


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

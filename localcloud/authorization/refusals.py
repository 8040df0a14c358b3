"""A refusal as each service words it.

Contract: IAM User Guide, "Troubleshoot access denied error messages"; the "Common Errors" of each API reference.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from localcloud.authorization.calls import Call
    from localcloud.authorization.needs import Need

Answer = tuple[int, dict[str, str], Any]

_JSON = {"states": 400, "events": 400, "kms": 400, "logs": 400, "lambda": 403, "xray": 403}
"""Services that answer in JSON, with the status of their AccessDeniedException."""


_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def denied(call: Call, caller: str, need: Need, why: str) -> Answer:
    """Return the answer to a caller (its ARN) who may not do what a request needs."""
    code = "AuthorizationError" if call.service == "sns" else "AccessDenied"
    return answer(call, 403, code, message(call, caller, need, why))


def message(call: Call, caller: str, need: Need, why: str) -> str:
    """Return the sentence that AWS refuses with; S3 quotes the resource."""
    resource = f'"{need.resource}"' if call.service in ("s3", "s3control") else need.resource
    return f"User: {caller} is not authorized to perform: {need.action} on resource: {resource} {why}"


def not_supported(call: Call, what: str) -> Answer:
    """Return the answer to what the local cloud cannot judge; SDKs do not repeat such a request."""
    return answer(call, 501, "NotImplemented", f"Authorization: {what}: not supported by the local cloud")


def answer(call: Call, status: int, code: str, text: str) -> Answer:
    """Return an error in the form of the service that was called."""
    if call.service in _JSON or "x-amz-target" in call.headers:
        if code == "AccessDenied":
            status, code = _JSON.get(call.service, 400), "AccessDeniedException"
        body = json.dumps({"__type": code, "message": text, "Message": text})
        headers = {"x-amzn-errortype": code, "x-amzn-requestid": "refused"}
        return status, {"content-type": "application/x-amz-json-1.1", **headers}, body.encode()
    if call.method == "HEAD":
        return status, {"content-type": "application/xml"}, b""
    error = f"<Code>{code}</Code><Message>{as_xml(text)}</Message>"
    if call.service == "s3":
        document = f"<Error>{error}<RequestId>refused</RequestId></Error>"
    else:
        document = (
            f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>"
            "<RequestId>refused</RequestId></ErrorResponse>"
        )
    return status, {"content-type": "application/xml"}, document.encode()


def as_xml(text: str) -> str:
    """Return text for an XML document; what XML cannot hold is replaced."""
    return _NOT_IN_XML.sub("\ufffd", escape(text, {"\r": "&#13;"}))

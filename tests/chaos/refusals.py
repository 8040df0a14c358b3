"""What AWS's services answer when they refuse: each in its protocol, with its own words.

Contracts: S3 API reference, "Error responses"; S3 Control API reference, CreateJob ("Errors"); IAM and Step Functions
API references, "Common errors"; S3 User Guide, "How to prevent object overwrites with conditional writes" (409).
"""

from __future__ import annotations

import json

from localcloud.authorization.calls import Call

THROTTLE, FAILURE, CONFLICT = "throttle", "failure", "conflict"

_WORDS = {
    ("s3", THROTTLE): (503, "SlowDown"),
    ("s3", FAILURE): (500, "InternalError"),
    ("s3", CONFLICT): (409, "ConditionalRequestConflict"),
    ("s3control", THROTTLE): (400, "TooManyRequestsException"),
    ("s3control", FAILURE): (500, "InternalServiceException"),
    ("iam", THROTTLE): (400, "Throttling"),
    ("iam", FAILURE): (500, "ServiceFailure"),
    ("states", THROTTLE): (400, "ThrottlingException"),
    ("states", FAILURE): (500, "InternalFailure"),
}
_OTHERS = {THROTTLE: (400, "ThrottlingException"), FAILURE: (500, "InternalFailure")}


def refusal(kind: str, call: Call) -> tuple[int, dict[str, str], bytes]:
    """Return the answer of the service that was called."""
    status, code = _WORDS.get((call.service, kind)) or _OTHERS[kind]
    if call.service == "states":
        body = json.dumps({"__type": code, "message": "drawn"})
        return status, {"content-type": "application/x-amz-json-1.0"}, body.encode()
    error = f"<Code>{code}</Code><Message>drawn</Message>"
    text = f"<Error>{error}<RequestId>drawn</RequestId></Error>"
    if call.service != "s3":
        text = f"<ErrorResponse><Error>{error}</Error><RequestId>drawn</RequestId></ErrorResponse>"
    return status, {"content-type": "application/xml"}, b"" if call.method == "HEAD" else text.encode()

"""A second opinion on signatures: Signature Version 4 from a request as it came over the wire.

Contract: API reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from tests.raw_server import Request

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


class Keys(NamedTuple):
    """Credentials."""

    id: str
    secret: str
    token: str = ""


def signed_as(request: Request, keys: Keys, region: str) -> bool:
    """Tell whether a request is signed with these credentials for S3 in a region."""
    headers = request.headers
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        return False
    key_id, day, signed_region, names, signature = found.groups()
    time = headers["x-amz-date"]
    if (key_id, signed_region, headers.get("x-amz-security-token", "")) != (keys.id, region, keys.token):
        return False
    if not time.startswith(day) or not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(
        names.split(";")
    ):
        return False
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256(_canonical(request, names).encode()).hexdigest()
    key = f"AWS4{keys.secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest() == signature


def _canonical(request: Request, names: str) -> str:
    method, target, _ = request.line
    # A path may begin with two slashes, which would be read as a host.
    path, _, asked_for = target.partition("?")
    headers = request.headers
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(asked_for, keep_blank_values=True)
    )
    lines = "".join(f"{name}:{headers[name]}\n" for name in names.split(";"))
    asked = "&".join(f"{name}={value}" for name, value in query)
    return f"{method}\n{path}\n{asked}\n{lines}\n{names}\n{headers['x-amz-content-sha256']}"

"""Requests of S3 Control answered in this process, without `mock_aws`: for who has a real S3 and no jobs there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core import botocore_stubber as stubbing

_HOST = "{account}.s3-control.{region}.amazonaws.com"
_REGION = re.compile(r"Credential=[^/]+/\d+/([^/]+)/")


def answer(request: AWSPreparedRequest, account: str) -> AWSResponse:
    """Return this service's answer to a signed request about jobs of an account, whatever host it was meant for.

    For botocore's event `before-send.s3-control`: what is returned there is never sent.
    """
    signed = _REGION.search(str(request.headers.get("Authorization", "")))
    host = _HOST.format(account=account, region=signed[1] if signed else "us-east-1")
    url = urlunsplit(("https", host, *urlsplit(request.url)[2:]))
    headers = HTTPHeaders()
    for name, value in [*request.headers.items(), ("x-moto-account-id", account)]:
        headers[name] = value
    asked = AWSPreparedRequest(request.method, url, headers, request.body, stream_output=False)
    answered = stubbing.BotocoreStubber().process_request(asked)
    if answered is None:
        raise RuntimeError(f"{url} is no request about jobs")
    status, told, body = answered
    return AWSResponse(request.url, status, told, stubbing.MockRawResponse(body))

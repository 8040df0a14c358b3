"""Who pays for a bucket's requests, which moto neither keeps nor tells.

Contract: S3 API reference, PutBucketRequestPayment, GetBucketRequestPayment. That requests without
`x-amz-request-payer` are refused is not honoured here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from moto.s3.exceptions import MalformedXML
from moto.s3.responses import S3Response

if TYPE_CHECKING:
    from localcloud.patching import Patches

_PAYER = re.compile(rb"<Payer>(BucketOwner|Requester)</Payer>")
_ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<RequestPaymentConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Payer>{}</Payer>'
    "</RequestPaymentConfiguration>"
)


def install(patches: Patches) -> None:
    """Keep and tell who pays until the patches are undone."""

    def get(response: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        if "requestPayment" not in querystring:
            return original_get(response, bucket_name, querystring)
        bucket = response.backend.get_bucket(bucket_name)
        return _ANSWER.format(getattr(bucket, "payer", "BucketOwner"))

    def put(response: Any, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        if "requestPayment" not in querystring:
            return original_put(response, request, bucket_name, querystring)
        found = _PAYER.search(response.body if isinstance(response.body, bytes) else response.body.encode())
        if found is None:
            raise MalformedXML
        response.backend.get_bucket(bucket_name).payer = found[1].decode()
        return ""

    original_get = patches.replace(S3Response, "_bucket_response_get", get)
    original_put = patches.replace(S3Response, "_bucket_response_put", put)

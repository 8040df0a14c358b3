"""List pages as they come over the wire: requests made as botocore makes them, bodies left unparsed.

botocore's parser takes nine tenths of a listing's time. Here a page that S3 answers with 200 goes around it:
the first page is asked for through boto3, which settles endpoint, region and redirects; the following requests are
made alike, signed by the client's own signer (credentials are refreshed by it) and sent by its own HTTP session.
Whatever is answered otherwise is asked for through boto3 again, with its retries, redirects and typed errors.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError
from botocore.hooks import first_non_none_response

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The members of ListObjectsV2 and ListObjectVersions that are used, and their names in a query.
_QUERY = {
    "ContinuationToken": "continuation-token",
    "Delimiter": "delimiter",
    "EncodingType": "encoding-type",
    "KeyMarker": "key-marker",
    "MaxKeys": "max-keys",
    "Prefix": "prefix",
    "StartAfter": "start-after",
    "VersionIdMarker": "version-id-marker",
}
_OPERATIONS = {
    "ListObjectsV2": ("list_objects_v2", "list-type=2"),
    "ListObjectVersions": ("list_object_versions", "versions"),
}
_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")
_OK = 200


class Wire:
    """Fetches the pages of one bucket by one operation; used by many threads at once.

    `calls` counts requests that were answered, `slowdowns` those answered with 503.
    """

    def __init__(self, s3: S3Client, bucket: str, operation: str = "ListObjectsV2") -> None:
        self._s3: Any = s3
        self._bucket = bucket
        self.operation = operation
        self._method, self._marker = _OPERATIONS[operation]
        self._template: _Template | None = None
        self._captured = threading.local()
        self.calls = 0
        self.slowdowns = 0
        self.server = ""
        events = self._s3.meta.events
        events.register(f"before-sign.s3.{operation}", self._capture_request)
        events.register_last(f"before-parse.s3.{operation}", self._capture_body)

    def close(self) -> None:
        """Leave the client as it was."""
        events = self._s3.meta.events
        events.unregister(f"before-sign.s3.{self.operation}", self._capture_request)
        events.unregister(f"before-parse.s3.{self.operation}", self._capture_body)

    @property
    def is_aws(self) -> bool:
        """Whether AWS itself answers, by its host or by the Server header; known after the first page."""
        host = urlsplit(self._template.base).hostname or "" if self._template else ""
        return host.endswith(_AWS_HOSTS) or self.server == "AmazonS3"

    def fetch(self, **parameters: Any) -> bytes:
        """Return the body of a page; `parameters` as boto3 names them. Raises ClientError, HTTPClientError."""
        body = self._fast(parameters) if self._template else None
        self.calls += 1
        return self._slow(parameters) if body is None else body

    def _fast(self, parameters: dict[str, Any]) -> bytes | None:
        template = self._template
        assert template is not None  # noqa: S101
        request = template.request(parameters)
        name = f"s3.{self.operation}"
        self._s3.meta.events.emit(f"request-created.{name}", request=request, operation_name=self.operation)
        prepared = request.prepare()
        answers = self._s3.meta.events.emit(f"before-send.{name}", request=prepared)
        try:
            response = first_non_none_response(answers) or self._s3._endpoint.http_session.send(prepared)
            if response.status_code == _OK:
                return bytes(response.content)
        except HTTPClientError:
            return None
        if response.status_code == 503:
            self.slowdowns += 1
        return None

    def _slow(self, parameters: dict[str, Any]) -> bytes:
        local = self._captured
        local.template, local.body = None, b""
        given = {"Bucket": self._bucket, **parameters}
        answer = getattr(self._s3, self._method)(**given)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        self.server = headers.get("server", "")
        self._template = local.template
        return bytes(local.body)

    def _capture_request(self, request: AWSRequest, **_: Any) -> None:
        base = str(request.url).split("?", 1)[0]
        agent = request.headers.get("User-Agent", "")
        self._captured.template = _Template(base, self._marker, dict(request.context), agent)

    def _capture_body(self, response_dict: dict[str, Any], **_: Any) -> None:
        self._captured.body = response_dict["body"]


class _Template:
    """What all requests for one bucket have in common."""

    def __init__(self, base: str, marker: str, context: dict[str, Any], agent: str) -> None:
        self.base = base
        self._marker = marker
        self._context = context
        self._headers = {"User-Agent": agent}

    def request(self, parameters: dict[str, Any]) -> AWSRequest:
        query = [self._marker] + [
            f"{_QUERY[name]}={quote(str(value), safe='-_.~')}" for name, value in parameters.items()
        ]
        request = AWSRequest("GET", f"{self.base}?{'&'.join(query)}", headers=dict(self._headers))
        request.context.update(self._context)
        return request

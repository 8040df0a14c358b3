"""An HTTP request to the cloud, as far as authorization looks at it."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_S3_HOST = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?!control|accesspoint|outposts|object-lambda)[a-z0-9-]+)*\.amazonaws\.com"
)
_CONTROL_HOST = re.compile(r"(?:(?P<account>\d+)\.)?s3-control\.")


class Unreadable(Exception):
    """A body that is not in its protocol's form: whoever answers the request says so."""


class Call:
    """A request: who signed it, for which service and region, and what it asks.

    `access_key` is "" where nothing is signed; `service` is the one the signature names, `s3control` for S3
    Control, `s3` for unsigned requests to S3.
    """

    def __init__(self, request: AWSPreparedRequest) -> None:
        self._request = request
        self.method: str = request.method or "GET"
        parts = urlsplit(request.url)
        self.host = parts.netloc.partition(":")[0]
        self.path = parts.path
        self._query = parts.query
        signed = _CREDENTIAL.search(_text(request.headers.get("Authorization", "")))
        if signed is None and "X-Amz-Credential" in self._query:
            signed = _CREDENTIAL.search(f"Credential={self.query.get('X-Amz-Credential', '')}")
        self.access_key, self.region, self.service = signed.groups() if signed else ("", "", "")
        if self.service in ("s3", "") and self.host.endswith(".amazonaws.com"):
            if _CONTROL_HOST.match(self.host):
                self.service = "s3control"
            elif _S3_HOST.fullmatch(self.host):
                self.service = "s3"

    @cached_property
    def headers(self) -> dict[str, str]:
        """Return the headers by their names in lower case."""
        return {name.lower(): _text(value) for name, value in self._request.headers.items()}

    @cached_property
    def query(self) -> dict[str, str]:
        """Return the query's parameters, decoded; the first of each name."""
        return dict(reversed(parse_qsl(self._query, keep_blank_values=True)))

    @cached_property
    def place(self) -> tuple[str, str]:
        """Return the bucket and the decoded key of a request to S3, "" for what it has not."""
        host = _S3_HOST.fullmatch(self.host)
        path = self.path[1:]
        bucket = host and host["bucket"]
        if not bucket:
            bucket, _, path = path.partition("/")
        return unquote(bucket), unquote(path)

    @cached_property
    def body(self) -> bytes:
        """Return the body, which is left as it was."""
        held: Any = self._request.body
        if held is None:
            return b""
        if isinstance(held, str):
            return held.encode()
        if isinstance(held, bytes | bytearray):
            return bytes(held)
        start = held.tell()
        content = bytes(held.read())
        held.seek(start)
        return content

    @cached_property
    def form(self) -> dict[str, str]:
        """Return the parameters of a request in the Query protocol. Raises Unreadable."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True)) | self.query
        except UnicodeDecodeError as error:
            raise Unreadable from error

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the body of a request in a JSON protocol; {} where there is none. Raises Unreadable."""
        try:
            return dict(json.loads(self.body)) if self.body else {}
        except (ValueError, TypeError) as error:
            raise Unreadable from error

    @property
    def xml(self) -> ElementTree.Element:
        """Return the root of an XML body. Raises Unreadable."""
        try:
            return ElementTree.fromstring(self.body)  # noqa: S314 - moto parses the same bytes
        except ElementTree.ParseError as error:
            raise Unreadable from error

    @property
    def target(self) -> str:
        """Return the operation that a request in a JSON protocol names, else ""."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]


def local_name(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

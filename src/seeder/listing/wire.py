"""Pages of listings, and objects' tags, as they come: requests made and signed as botocore makes them, not parsed.

botocore's parser takes nine tenths of a listing's time. `Wire.fetch` asks through boto3, with its endpoints, retries,
redirects and typed errors, and keeps the parser from the body. Once an answer has come that way, `Wire.route` makes the
same requests for connections of one's own: signed by the client's signer, which also refreshes credentials, over
sockets that botocore's own pool connects, with its TLS settings.
"""

from __future__ import annotations

import math
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The members of the operations that are used, and their names in a query; `Key` stands in the path.
_QUERY = {
    "ContinuationToken": "continuation-token",
    "Delimiter": "delimiter",
    "EncodingType": "encoding-type",
    "KeyMarker": "key-marker",
    "MaxKeys": "max-keys",
    "Prefix": "prefix",
    "StartAfter": "start-after",
    "VersionId": "versionId",
    "VersionIdMarker": "version-id-marker",
}
_OPERATIONS = {
    "ListObjectsV2": ("list_objects_v2", "list-type=2"),
    "ListObjectVersions": ("list_object_versions", "versions"),
    "GetObjectTagging": ("get_object_tagging", "tagging"),
}
_OF_OBJECTS = frozenset({"GetObjectTagging"})
# Whether archived objects are restored stands in a listing only if it is asked for, by a header.
_TOLD = {"OptionalObjectAttributes": ["RestoreStatus"]}
_TOLD_HEADER = {"x-amz-optional-object-attributes": "RestoreStatus"}
_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_OK = 200


class Wire:
    """Fetches the pages of one bucket, or the tags of its objects, by one operation; used by many threads at once.

    `calls` counts the requests that were answered. `route` is None until the first answer has come, and stays so where
    something stands between boto3 and the server: a proxy, or a handler that answers in its place.
    """

    def __init__(self, s3: S3Client, bucket: str, operation: str = "ListObjectsV2") -> None:
        self._s3: Any = s3
        self._bucket = bucket
        self.operation = operation
        self._method, self._marker = _OPERATIONS[operation]
        self._captured = threading.local()
        self._lock = threading.Lock()
        self.calls = 0
        self.route: Route | None = None
        self._base = self._server = ""
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
        """Whether AWS itself answers, by its host or by the Server header; known after the first answer."""
        host = urlsplit(self._base).hostname or ""
        return host.endswith(_AWS_HOSTS) or self._server == "AmazonS3"

    def count(self) -> None:
        """Count a request that was answered."""
        with self._lock:
            self.calls += 1

    def fetch(self, **parameters: Any) -> bytes:
        """Return the body of an answer; `parameters` as boto3 names them. Raises ClientError, HTTPClientError."""
        local = self._captured
        local.request, local.requests, local.body, local.mine = None, None, b"", True
        try:
            told = {} if self.operation in _OF_OBJECTS else _TOLD
            answer = getattr(self._s3, self._method)(Bucket=self._bucket, **told, **parameters)
        finally:
            local.mine = False
        self.count()
        if not self._base and local.request is not None:
            self._server = answer["ResponseMetadata"]["HTTPHeaders"].get("server", "")
            self._base = local.request.url.partition("?")[0]
            key = parameters.get("Key", "")
            if local.requests is not None and self._base.endswith(_in_path(key)):
                route = Route(self._s3, self.operation, self._marker, local.request, key)
                # The pool's own count tells whether the request went through it.
                self.route = route if route.pool.num_requests > local.requests else None
        return bytes(local.body)

    @property
    def _is_mine(self) -> bool:
        """Whether this thread's call is one of `fetch`: others use the same client, and need their answers parsed."""
        return getattr(self._captured, "mine", False)

    def _capture_request(self, request: AWSRequest, **_: Any) -> None:
        if self._base or not self._is_mine:
            return
        self._captured.request = request
        # Another botocore may keep its pools elsewhere; all goes through it then.
        with suppress(AttributeError):
            self._captured.requests = _pool(self._s3, str(request.url)).num_requests

    def _capture_body(self, response_dict: dict[str, Any], **_: Any) -> None:
        if not self._is_mine:
            return
        self._captured.body = response_dict["body"]
        if response_dict["status_code"] == _OK:
            response_dict["body"] = b""


class Route:
    """Makes signed requests like `first`, which asked for an object's `key` or for none, and connections for them."""

    def __init__(self, s3: Any, operation: str, marker: str, first: AWSRequest, key: str = "") -> None:
        self._s3 = s3
        self._operation = operation
        self._marker = marker
        self._context = dict(first.context)
        self._base = str(first.url).partition("?")[0].removesuffix(_in_path(key))
        self._agent = first.headers.get("User-Agent", "")
        self._auth_path = first.auth_path and first.auth_path.removesuffix(_in_path(key))
        self._told = {} if operation in _OF_OBJECTS else _TOLD_HEADER
        url = urlsplit(self._base)
        self._base += "" if url.path else "/"
        host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        port = f":{url.port}" if url.port and url.port != _DEFAULT_PORTS.get(url.scheme) else ""
        self._path = url.path or "/"
        self._headers = f" HTTP/1.1\r\nHost: {host}{port}\r\nAccept-Encoding: identity\r\n"
        self.pool: Any = _pool(s3, self._base)
        self.seconds = float(s3.meta.config.read_timeout or math.inf)

    def message(self, parameters: dict[str, Any]) -> bytes:
        """Return a request for a page, or for tags, signed now; `parameters` as boto3 names them."""
        asked = (
            f"{_QUERY[name]}={quote(str(value), safe='-_.~')}"
            for name, value in parameters.items()
            if name != "Key"
        )
        key, query = _in_path(parameters.get("Key", "")), "&".join([self._marker, *asked])
        request = AWSRequest(
            "GET",
            f"{self._base}{key}?{query}",
            headers={"User-Agent": self._agent, **self._told},
            auth_path=self._auth_path and self._auth_path + key,
        )
        request.context.update(self._context)
        self._s3._request_signer.sign(self._operation, request)
        headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        return f"GET {self._path}{key}?{query}{self._headers}{headers}\r\n".encode()

    def connect(self) -> socket.socket:
        """Return a connected socket, TLS verified as the client demands. Raises OSError, urllib3's HTTPError."""
        connection = self.pool._new_conn()
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        connected: socket.socket = connection.sock
        # The socket alone is kept; the connection object would close it with itself.
        connection.sock = None
        return connected


def _in_path(key: str) -> str:
    """Return a key as botocore puts it into the path of a URL."""
    return quote(key, safe="/-_.~")


def _pool(s3: Any, url: str) -> Any:
    """Return the urllib3 pool that botocore's session uses for a URL, its TLS settings applied."""
    session = s3._endpoint.http_session
    pool = session._manager.connection_from_url(url)
    session._setup_ssl_cert(pool, url, session._verify)
    return pool

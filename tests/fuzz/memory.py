"""S3 in memory behind real boto3 clients: requests are made, validated and parsed as ever, and answered here."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from seeder.clients import Clients

REGION = "eu-west-1"
WRITTEN_AT, LISTED_AT = "Thu, 01 Jan 2026 00:00:00 GMT", "2026-01-01T00:00:00.000Z"
Answer = tuple[int, bytes, dict[str, str]]
_XML = "<?xml version='1.0' encoding='UTF-8'?>"


class _Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, amt: int = 65536, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk


class MemoryS3:
    """Objects by bucket and key. `answers` are asked first: for a method, bucket, key and query, or None.

    Its clients are those of the one made last, for to make some takes longer than all that a test does with them.
    """

    def __init__(
        self, answers: Callable[[str, str, str, dict[str, str]], Answer | None] | None = None
    ) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self._answers = answers or (lambda *_: None)
        self._uploads: dict[str, dict[int, bytes]] = {}
        _standing[:] = [self]

    @property
    def session(self) -> boto3.Session:
        """A session whose clients for S3 are answered here."""
        return _session()

    @property
    def clients(self) -> Clients:
        """Clients as the functions make them."""
        return _clients()

    @property
    def s3(self) -> Any:
        """One client."""
        return self.clients.s3(REGION)

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.objects[bucket, key] = body

    def send(self, request: Any, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        host, path = (url.hostname or "").split(".s3."), unquote(url.path[1:], errors="surrogateescape")
        bucket, key = (host[0], path) if len(host) > 1 else path.partition("/")[::2]
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        if "x-amz-decoded-content-length" in headers:
            body = _unchunked(body)
        answered = self._answers(request.method, bucket, key, query)
        status, content, told = answered or self._answer(request.method, bucket, key, query, headers, body)
        told = {"content-length": str(len(content)), **told}
        return AWSResponse(request.url, status, cast("Any", told), _Raw(content))

    def _answer(
        self, method: str, bucket: str, key: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> Answer:
        if not key:
            return self._of_bucket(method, bucket, query)
        if "uploads" in query or "uploadId" in query:
            return self._of_upload(method, (bucket, key), query, headers, body)
        held = self.objects.get((bucket, key))
        if refused := _refusal(held, headers):
            return refused
        if method == "PUT":
            self.objects[bucket, key] = body
            return 200, b"", {"etag": _etag(body)}
        if held is None:
            return _error(404, "NoSuchKey")
        if method == "DELETE":
            del self.objects[bucket, key]
            return 204, b"", {}
        return _got(method, held, headers.get("range", ""))

    def _of_bucket(self, method: str, bucket: str, query: dict[str, str]) -> Answer:
        if "replication" in query:
            return _error(404, "ReplicationConfigurationNotFoundError")
        if method == "HEAD":
            return 200, b"", {"x-amz-bucket-region": REGION}
        found = sorted(
            key for of, key in self.objects if of == bucket and key.startswith(query.get("prefix", ""))
        )
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[bucket, key])}</Size>"
            f"<ETag>{_etag(self.objects[bucket, key])}</ETag><LastModified>{LISTED_AT}</LastModified>"
            "</Contents>"
            for key in found
        )
        text = f"{_XML}<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>"
        return 200, text.encode(), {}

    def _of_upload(
        self, method: str, place: tuple[str, str], query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> Answer:
        if method == "POST" and "uploads" in query:
            name = f"upload-{len(self._uploads)}"
            self._uploads[name] = {}
            return 200, f"{_XML}<R><UploadId>{name}</UploadId></R>".encode(), {}
        parts = self._uploads.get(query["uploadId"])
        if parts is None:
            return _error(404, "NoSuchUpload")
        if method == "PUT":
            parts[int(query["partNumber"])] = body
            return 200, b"", {"etag": _etag(body)}
        if method == "GET":
            items = "".join(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{_etag(part)}</ETag><LastModified>{LISTED_AT}</LastModified></Part>"
                for number, part in sorted(parts.items())
            )
            return 200, f"{_XML}<R><IsTruncated>false</IsTruncated>{items}</R>".encode(), {}
        if method == "POST":
            if refused := _refusal(self.objects.get(place), headers):
                return refused
            self.objects[place] = b"".join(part for _, part in sorted(parts.items()))
            del self._uploads[query["uploadId"]]
            return 200, f"{_XML}<R><ETag>{_etag(self.objects[place])}</ETag></R>".encode(), {}
        del self._uploads[query["uploadId"]]
        return 204, b"", {}


_standing: list[MemoryS3] = []


@cache
def _session() -> boto3.Session:
    core = botocore.session.Session()
    core.set_credentials("test", "test")
    # The stubs know no handler that answers.
    register: Any = core.register
    register("before-send.s3", lambda **given: _standing[0].send(**given))
    register("before-send", _deny)
    return _Session(botocore_session=core, region_name=REGION)


class _Session(boto3.Session):
    """Makes one client of each kind, whatever its configuration."""

    def client(self, service_name: str, region_name: str | None = None, **_: Any) -> Any:  # type: ignore[override]  # of a hundred overloads
        return _client(service_name, region_name or REGION)


@cache
def _client(service: str, region: str) -> Any:
    make: Any = boto3.Session.client
    return make(_session(), service, region_name=region, config=Config(retries={"total_max_attempts": 1}))


def _deny(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
    """Answer what other services are asked."""
    if event_name.startswith("before-send.s3."):
        return None
    status, content, told = _error(403, "AccessDenied")
    return AWSResponse(request.url, status, cast("Any", told), _Raw(content))


@cache
def _clients() -> Clients:
    return Clients(_session())


def _refusal(held: bytes | None, headers: dict[str, str]) -> Answer | None:
    """What S3 says where a condition does not hold."""
    if headers.get("if-none-match") == "*" and held is not None:
        return _error(412, "PreconditionFailed")
    if "if-match" in headers and held is None:
        return _error(404, "NoSuchKey")
    if held is not None and headers.get("if-match", _etag(held)) != _etag(held):
        return _error(412, "PreconditionFailed")
    return None


def _got(method: str, held: bytes, asked: str) -> Answer:
    told = {"etag": _etag(held), "x-amz-server-side-encryption": "AES256", "last-modified": WRITTEN_AT}
    if method == "HEAD":
        return 200, b"", {**told, "content-length": str(len(held))}
    if not asked:
        return 200, held, told
    first, _, last = asked.removeprefix("bytes=").partition("-")
    if int(first) >= len(held):
        return _error(416, "InvalidRange")
    part = held[int(first) : int(last or len(held)) + 1]
    told["content-range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(held)}"
    return 206, part, told


def _error(status: int, code: str) -> Answer:
    return status, f"{_XML}<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode(), {}


def _unchunked(body: bytes) -> bytes:
    """Return what was sent in chunks, each after its length, with a checksum behind them all."""
    whole = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        if not int(size, 16):
            return whole
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)

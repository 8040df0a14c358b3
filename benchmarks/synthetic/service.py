"""What the server answers to a request, knowing no sockets: listings, uploads, errors."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from benchmarks.synthetic.copies import CopiesListing, open_marks
from benchmarks.synthetic.entries import escaped
from benchmarks.synthetic.listings import Listing, Query, Refused
from benchmarks.synthetic.spaces import bucket, replica
from benchmarks.synthetic.uploads import Answer, Uploads

SOURCE, REPLICA, COPIES = "source", "replica", "copies"

_SEED = 503
_EMPTY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<{0} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{1}</{0}>'
)


@dataclass(frozen=True)
class Settings:
    """What to serve: `keys` rows of `space`, each page after `latency` seconds, a share `slow_down` with 503.

    `marks` is the file that tells what a third bucket holds, if there is one; see `benchmarks.synthetic.copies`.
    """

    space: str = "flat"
    keys: int = 1_000_000
    versions_per_key: int = 3
    latency: float = 0.0
    slow_down: float = 0.0
    keep_all: bool = False
    marks: Path | None = None


class Service:
    """The buckets `source` and `replica`, which list a synthetic space, and all others, which take objects."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        source = bucket(settings.space, settings.keys, settings.versions_per_key)
        self._listings = {SOURCE: Listing(SOURCE, source), REPLICA: Listing(REPLICA, replica(source))}
        if settings.marks:
            self._listings[COPIES] = CopiesListing(COPIES, source, open_marks(settings.marks))
        self._is_versioned = source.objects.is_versioned
        self._uploads = Uploads(directory, settings.keep_all)
        self._slow_down = settings.slow_down
        self._random = random.Random(_SEED)  # noqa: S311 - which pages are refused is no secret

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request; what S3 refuses is answered with its XML error."""
        path, _, query = target.partition("?")
        try:
            return self._route(method, unquote_to_bytes(path[1:]).decode(), _parsed(query), headers, body)
        except Refused as error:
            fields = f"<Code>{error.code}</Code><Message>{escaped(error.message.encode()).decode()}</Message>"
            text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{fields}<RequestId>0</RequestId></Error>'
            return Answer(error.status, text.encode(), {"Content-Type": "application/xml"})

    @staticmethod
    def is_listing(method: str, target: str) -> bool:
        """Whether a request lists objects or versions: these are the ones that are delayed and counted."""
        path, _, query = target.partition("?")
        return (
            method == "GET" and ("list-type=2" in query or _is_versions(query)) and "/" not in path.strip("/")
        )

    def _route(self, method: str, name: str, query: Query, headers: Mapping[str, str], body: bytes) -> Answer:
        bucket_name, _, key = name.partition("/")
        if not bucket_name:
            return _document("ListAllMyBucketsResult", "<Buckets/>")
        if key:
            return self._uploads.answer(method, name, query, headers, body)
        if method == "HEAD" or (method == "PUT" and not query):
            return Answer()
        if method != "GET":
            raise Refused(501, "NotImplemented", "This server lists and takes objects, no more.")
        if b"location" in query:
            return _document("LocationConstraint", "")
        if b"encryption" in query:
            code = "ServerSideEncryptionConfigurationNotFoundError"
            raise Refused(404, code, "The server side encryption configuration was not found")
        if b"versioning" in query:
            return _document(
                "VersioningConfiguration", "<Status>Enabled</Status>" if self._is_versioned else ""
            )
        return self._list(bucket_name, query)

    def _list(self, bucket_name: str, query: Query) -> Answer:
        listing = self._listings.get(bucket_name)
        if listing is None:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        if self._slow_down and self._random.random() < self._slow_down:
            raise Refused(503, "SlowDown", "Please reduce your request rate.")
        if b"versions" in query:
            return Answer(body=listing.versions(query), headers={"Content-Type": "application/xml"})
        if query.get(b"list-type") == b"2":
            return Answer(body=listing.objects(query), headers={"Content-Type": "application/xml"})
        raise Refused(501, "NotImplemented", "This server lists by ListObjectsV2 and ListObjectVersions.")


def _parsed(query: str) -> dict[bytes, bytes]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {name.encode(): unquote_to_bytes(value.replace("+", " ")) for name, _, value in pairs}


def _is_versions(query: str) -> bool:
    return any(pair in ("versions", "versions=") for pair in query.split("&"))


def _document(root: str, fields: str) -> Answer:
    return Answer(body=_EMPTY.format(root, fields).encode(), headers={"Content-Type": "application/xml"})

"""The server against a naive model: a sorted list, walked row by row, for small spaces and drawn queries."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree

from benchmarks.synthetic.check_writes import agree, check_copies, check_uploads
from benchmarks.synthetic.service import REPLICA, SOURCE, Service, Settings
from benchmarks.synthetic.spaces import NAMES, Bucket, bucket, replica

_SEED = 4
_QUERIES = 150
_SIZES = {"versions": (3, 999, 3600), "one-key": (1, 7, 3000), "hash": (1, 700, 9000)}
_SIZES_ELSE = (1, 12, 1000, 3001)
_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class Row:
    """A row of the model; `version` counts from the newest, 0, and is always 0 in a listing of objects."""

    key: bytes
    version: int


@dataclass
class Expected:
    """What the model says a page holds; `after` is where the next one begins."""

    rows: list[Row]
    prefixes: list[bytes]
    after: int
    is_truncated: bool


def self_check() -> str:
    """Check listings of all spaces, both buckets and both operations, and uploads; return a line that says so.

    Raises AssertionError where the server and the model differ.
    """
    drawn = random.Random(_SEED)  # noqa: S311 - the same queries in every run
    checked = 0
    for name in NAMES:
        for entries in _SIZES.get(name, _SIZES_ELSE):
            with tempfile.TemporaryDirectory() as directory:
                service = Service(Settings(name, entries), Path(directory))
                source = bucket(name, entries)
                for bucket_name, held in ((SOURCE, source), (REPLICA, replica(source))):
                    for of_versions in (False, True):
                        _Check(service, bucket_name, held, of_versions, drawn).run()
                        checked += _QUERIES
    check_uploads()
    checked += check_copies(drawn)
    return f"{checked:,} listings and the uploads agree with the model"


class _Check:
    """Compares one bucket, listed one way, with the model."""

    def __init__(
        self, service: Service, name: str, held: Bucket, of_versions: bool, drawn: random.Random
    ) -> None:
        space = held.versions if of_versions else held.objects
        self.versions = space.versions if of_versions else 1
        self.rows = [Row(space.key(i), v) for i in range(space.keys) for v in range(self.versions)]
        keys = sorted({row.key for row in self.rows})
        agree([row.key for row in self.rows], sorted(row.key for row in self.rows), "order of keys")
        if held.versions.keys == held.objects.keys:
            agree(len(keys), space.keys, "number of different keys")
        self.keys, self.service, self.name = keys, service, name
        self.of_versions, self.drawn = of_versions, drawn

    def run(self) -> None:
        """Compare drawn queries, each followed page by page for a while."""
        for _ in range(_QUERIES):
            prefix, delimiter = self._prefix(), self.drawn.choice([b"", b"", b"/", b"0"])
            marker = self.drawn.choice([b"", self._near_key()])
            limit = self.drawn.choice([0, 1, 2, 7, 400, 1000, 5000])
            as_url = self.drawn.random() < 0.7
            query = {"prefix": prefix, "delimiter": delimiter, "max-keys": b"%d" % limit}
            query |= {"encoding-type": b"url"} if as_url else {}
            query |= {"key-marker" if self.of_versions else "start-after": marker} if marker else {}
            first = (
                next((i for i, row in enumerate(self.rows) if row.key > marker), len(self.rows))
                if marker
                else 0
            )
            for _ in range(4):
                expected = self._expected(first, prefix, delimiter, marker, min(limit, 1000))
                following = self._compare(query, expected, as_url)
                if not following:
                    break
                query |= following
                query.pop("start-after", None)
                first = expected.after
                marker = following.get("key-marker", b"")
                if self.of_versions and "version-id-marker" not in following:
                    query.pop("version-id-marker", None)

    def _prefix(self) -> bytes:
        key = self.drawn.choice(self.keys).decode()
        return self.drawn.choice(["", "", key, key[: self.drawn.randint(0, len(key))], "zzz", "/"]).encode()

    def _near_key(self) -> bytes:
        key = self.drawn.choice(self.keys).decode()
        cut = key[: self.drawn.randint(1, len(key))]
        return self.drawn.choice(
            [key, key + "\t", key + "~", cut, cut + "\U0001f600", "!", "\U0010ffff"]
        ).encode()

    def _expected(self, first: int, prefix: bytes, delimiter: bytes, marker: bytes, limit: int) -> Expected:
        page = Expected([], [], first, False)
        for place in range(first, len(self.rows)):
            row = self.rows[place]
            found = row.key.find(delimiter, len(prefix)) if delimiter else -1
            common = row.key[: found + len(delimiter)] if found >= 0 else b""
            passed = not row.key.startswith(prefix) or (
                common and (common in page.prefixes or common <= marker)
            )
            if not passed:
                if len(page.rows) + len(page.prefixes) >= limit:
                    page.is_truncated = limit > 0
                    return page
                if common:
                    page.prefixes.append(common)
                else:
                    page.rows.append(row)
            page.after = place + 1
        return page

    def _compare(self, query: dict[str, bytes], expected: Expected, as_url: bool) -> dict[str, bytes]:
        kind = "versions" if self.of_versions else "list-type=2"
        text = "&".join([kind, *(f"{name}={quote(value, safe='')}" for name, value in query.items())])
        answer = self.service.answer("GET", f"/{self.name}?{text}", {}, b"")
        agree(answer.status, 200, text)
        root = ElementTree.fromstring(answer.body)  # noqa: S314 - our own server's
        plain: Callable[[str], bytes] = (lambda t: unquote_plus(t).encode()) if as_url else str.encode
        items = [item for item in root if item.tag[len(_S3) :] in ("Contents", "Version", "DeleteMarker")]
        agree([plain(_text(item, "Key")) for item in items], [row.key for row in expected.rows], text)
        prefixes = [plain(_text(item, "Prefix")) for item in root.iter(f"{_S3}CommonPrefixes")]
        agree(prefixes, expected.prefixes, text)
        agree(_text(root, "IsTruncated"), str(expected.is_truncated).lower(), text)
        if not self.of_versions:
            agree(int(_text(root, "KeyCount")), len(items) + len(prefixes), text)
        else:
            newest = [_text(item, "IsLatest") == "true" for item in items]
            agree(newest, [self._is_newest(row, place) for place, row in self._placed(expected)], text)
            ids = {(_text(item, "Key"), _text(item, "VersionId")) for item in items}
            agree(len(ids), len(items), f"version ids differ: {text}")
        return self._following(root, plain) if expected.is_truncated else {}

    def _placed(self, expected: Expected) -> list[tuple[int, Row]]:
        if not expected.rows:
            return []
        if expected.prefixes:
            return [(-1, row) for row in expected.rows]
        return list(enumerate(expected.rows, expected.after - len(expected.rows)))

    def _is_newest(self, row: Row, place: int) -> bool:
        return row.version == 0 and (len(self.keys) > 1 or place == 0)

    def _following(self, root: ElementTree.Element, plain: Callable[[str], bytes]) -> dict[str, bytes]:
        if not self.of_versions:
            return {"continuation-token": _text(root, "NextContinuationToken").encode()}
        markers = {"key-marker": plain(_text(root, "NextKeyMarker"))}
        version_id = root.find(f"{_S3}NextVersionIdMarker")
        return (
            markers
            if version_id is None
            else {**markers, "version-id-marker": (version_id.text or "").encode()}
        )


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{_S3}{name}") or ""

"""A bucket in memory that answers list requests with the bytes S3 would send, for tests of the listing alone."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote_plus
from xml.sax.saxutils import escape


def encode(key: str) -> str:
    """Encode a key as S3 does with encoding-type=url: like a form, `/` and `*` left."""
    return quote_plus(key, safe="/*").replace("~", "%7E")


FOLDER = "a folder, where others have a version"


def rolled_up(entries: list[tuple[str, str]], prefix: str) -> list[tuple[str, str]]:
    """Put one entry in the place of all in a folder, as a delimiter asks for."""
    names: dict[tuple[str, str], None] = {}
    for key, version in entries:
        folder, slash, _ = key.removeprefix(prefix).partition("/")
        names[(prefix + folder + slash, FOLDER) if slash else (key, version)] = None
    return list(names)


class ListedBucket:
    """Stands for `seeder.listing.wire.Wire`: the same members, answered from sorted keys or (key, version) pairs."""

    def __init__(
        self,
        entries: Iterable[str] | Iterable[tuple[str, str]],
        operation: str = "ListObjectsV2",
        page: int = 1000,
        is_aws: bool = True,
        sizes: dict[str, int] | None = None,
        fault: Callable[[int], None] | None = None,
        order: Callable[[str], Any] = lambda key: key.encode(),
    ) -> None:
        self.operation = operation
        self.is_aws = is_aws
        self.calls = 0
        self.route = None
        self._page = page
        self._sizes = sizes or {}
        self._fault = fault
        self._order = order
        self._entries = [entry if isinstance(entry, tuple) else (entry, "") for entry in entries]
        self._entries.sort(key=lambda entry: order(entry[0]))
        self._lock = threading.Lock()

    def close(self) -> None:
        pass

    def fetch(self, **asked: Any) -> bytes:
        with self._lock:
            self.calls += 1
            number = self.calls
        if self._fault:
            self._fault(number)
        prefix = asked.get("Prefix", "")
        entries = (
            [entry for entry in self._entries if entry[0].startswith(prefix)] if prefix else self._entries
        )
        names = rolled_up(entries, prefix) if "Delimiter" in asked else entries
        first = self._first(names, asked)
        size = min(self._page, int(asked.get("MaxKeys", 1000)))
        page = names[first : first + size]
        truncated = first + size < len(names)
        shown = [entry for entry in page if entry[1] is not FOLDER]
        folders = "".join(
            f"<CommonPrefixes><Prefix>{escape(encode(name))}</Prefix></CommonPrefixes>"
            for name, kind in page
            if kind is FOLDER
        )
        if self.operation == "ListObjectsV2":
            return self._objects(shown, truncated, first + size, folders)
        return self._versions(shown, truncated, page[-1] if truncated else ("", ""), folders)

    def _first(self, entries: list[tuple[str, str]], asked: dict[str, Any]) -> int:
        if "ContinuationToken" in asked:
            return int(asked["ContinuationToken"])
        marker = asked.get("StartAfter", asked.get("KeyMarker", ""))
        if "VersionIdMarker" in asked:
            return entries.index((marker, asked["VersionIdMarker"])) + 1
        return bisect_right(entries, self._order(marker), key=lambda entry: self._order(entry[0]))

    def _objects(
        self, shown: list[tuple[str, str]], truncated: bool, following: int, folders: str = ""
    ) -> bytes:
        objects = "".join(
            f"<Contents><Key>{escape(encode(key))}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>{self._sizes.get(key, 1)}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key, _ in shown
        )
        token = f"<NextContinuationToken>{following}</NextContinuationToken>" if truncated else ""
        return (
            f"<ListBucketResult><EncodingType>url</EncodingType>"
            f"<KeyCount>{len(shown) + folders.count('<Prefix>')}</KeyCount>"
            f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{token}{objects}{folders}</ListBucketResult>"
        ).encode()

    def _facts(self, key: str) -> str:
        return f"<ETag>&quot;e&quot;</ETag><Size>{self._sizes.get(key, 1)}</Size>"

    def _versions(
        self, shown: list[tuple[str, str]], truncated: bool, last: tuple[str, str], folders: str = ""
    ) -> bytes:
        objects = "".join(
            f"<{kind}><Key>{escape(encode(key))}</Key><VersionId>{version}</VersionId>"
            f"<IsLatest>false</IsLatest>{self._facts(key) if kind == 'Version' else ''}</{kind}>"
            for key, version in shown
            for kind in ["DeleteMarker" if version.startswith("gone") else "Version"]
        )
        markers = (
            f"<NextKeyMarker>{escape(encode(last[0]))}</NextKeyMarker>"
            f"<NextVersionIdMarker>{last[1]}</NextVersionIdMarker>"
            if truncated
            else ""
        )
        return (
            f"<ListVersionsResult><EncodingType>url</EncodingType>"
            f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{markers}{objects}{folders}</ListVersionsResult>"
        ).encode()

"""ListObjectsV2 and ListObjectVersions of a synthetic bucket, in S3's order and with S3's markers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from benchmarks.synthetic.entries import Rows, encoded, escaped
from benchmarks.synthetic.spaces import Bucket, Space

_XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = b' xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
_PAGE = 1000

Query = Mapping[bytes, bytes]
Quote = Callable[[bytes], bytes]


class Refused(Exception):
    """A request that S3 answers with an error: HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass
class Page:
    """What a page holds: runs of rows, common prefixes, and the index at which the next page begins."""

    runs: list[tuple[int, int]] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    next_index: int = 0
    is_truncated: bool = False

    @property
    def count(self) -> int:
        """How many rows and common prefixes there are."""
        return sum(stop - first for first, stop in self.runs) + len(self.prefixes)


class Listing:
    """Answers the listings of one bucket, in queries whose names and values are decoded bytes."""

    def __init__(self, name: str, bucket: Bucket) -> None:
        self._name = name.encode()
        self._bucket = bucket
        self._rows = lru_cache(maxsize=None)(self._prepared)

    def _prepared(self, of_versions: bool, as_url: bool) -> Rows:
        space = self._bucket.versions if of_versions else self._bucket.objects
        return Rows(space, of_versions, as_url)

    def objects(self, query: Query) -> bytes:
        """Answer ListObjectsV2. Raises Refused."""
        space, limit, prefix = self._bucket.objects, _limit(query), query.get(b"prefix", b"")
        token, start_after = query.get(b"continuation-token"), query.get(b"start-after", b"")
        if token is not None:
            first, marker = _index(token, space.keys), b""
        else:
            first, marker = space.right(start_after) if start_after else 0, start_after
        page = self._page(space, query, first, marker, limit)
        as_url, quote = _encoding(query)
        head = [
            _XML,
            b"<ListBucketResult",
            _NAMESPACE,
            _tag(b"Name", self._name),
            _tag(b"Prefix", quote(prefix)),
        ]
        if token is not None:
            head.append(_tag(b"ContinuationToken", token))
        elif start_after:
            head.append(_tag(b"StartAfter", quote(start_after)))
        if page.is_truncated:
            head.append(_tag(b"NextContinuationToken", _token(page.next_index)))
        head.append(_tag(b"KeyCount", b"%d" % page.count))
        return self._finished(head, query, page, limit, self._rows(False, as_url), b"ListBucketResult")

    def _page(self, space: Space, query: Query, first: int, marker: bytes, limit: int) -> Page:
        """Collect a page of objects from the index `first` on."""
        return _page(space, 1, query, first, marker, limit)

    def versions(self, query: Query) -> bytes:
        """Answer ListObjectVersions. Raises Refused."""
        space, limit, prefix = self._bucket.versions, _limit(query), query.get(b"prefix", b"")
        key_marker, id_marker = query.get(b"key-marker", b""), query.get(b"version-id-marker", b"")
        as_url, quote = _encoding(query)
        rows = self._rows(True, as_url)
        first = _after(space, rows, key_marker, id_marker)
        page = _page(space, space.versions, query, first, key_marker, limit)
        head = [
            _XML,
            b"<ListVersionsResult",
            _NAMESPACE,
            _tag(b"Name", self._name),
            _tag(b"Prefix", quote(prefix)),
        ]
        head += [_tag(b"KeyMarker", quote(key_marker)), _tag(b"VersionIdMarker", id_marker)]
        if page.is_truncated:
            head += self._next_markers(space, rows, page, quote)
        return self._finished(head, query, page, limit, rows, b"ListVersionsResult")

    def _next_markers(self, space: Space, rows: Rows, page: Page, quote: Quote) -> list[bytes]:
        """Name the last row or common prefix of the page: what S3 does, though its reference says the next one."""
        last = page.runs[-1][1] - 1 if page.runs else -1
        last_key = space.key(last // space.versions) if page.runs else b""
        if page.prefixes and page.prefixes[-1] > last_key:
            return [_tag(b"NextKeyMarker", quote(page.prefixes[-1]))]
        return [_tag(b"NextKeyMarker", quote(last_key)), _tag(b"NextVersionIdMarker", rows.version_id(last))]

    def _finished(
        self, head: list[bytes], query: Query, page: Page, limit: int, rows: Rows, root: bytes
    ) -> bytes:
        as_url, quote = _encoding(query)
        head.append(_tag(b"MaxKeys", b"%d" % limit))
        if delimiter := query.get(b"delimiter"):
            head.append(_tag(b"Delimiter", quote(delimiter)))
        if as_url:
            head.append(_tag(b"EncodingType", b"url"))
        head.append(_tag(b"IsTruncated", b"true" if page.is_truncated else b"false"))
        head += [rows.cut(first, stop) for first, stop in page.runs]
        head += [_tag(b"CommonPrefixes", _tag(b"Prefix", quote(prefix))) for prefix in page.prefixes]
        head.append(b"</%b>" % root)
        return b"".join(head)


def _page(space: Space, scale: int, query: Query, first: int, marker: bytes, limit: int) -> Page:
    """Collect a page from the row `first` on, `scale` rows a key, under the query's prefix and delimiter."""
    prefix, delimiter = query.get(b"prefix", b""), query.get(b"delimiter", b"")
    first = max(first, space.left(prefix) * scale)
    stop = (space.left(successor(prefix)) if prefix else space.keys) * scale
    if not delimiter:
        last = min(stop, first + limit)
        runs = [(first, last)] if first < last else []
        return Page(runs, [], last, limit > 0 and last < stop)
    page = Page(next_index=first)
    while page.next_index < stop:
        index = page.next_index
        common = _rolled_up(space, index // scale, prefix, delimiter)
        hidden = common is not None and bool(marker) and common <= marker
        if page.count >= limit and not hidden:
            page.is_truncated = limit > 0
            break
        if common is None:
            page.next_index = min(
                stop, _plain_until(space, index, scale, prefix, delimiter), index + limit - page.count
            )
            page.runs.append((index, page.next_index))
        else:
            page.next_index = space.left(successor(common)) * scale
            page.prefixes += [] if hidden else [common]
    return page


def _rolled_up(space: Space, index: int, prefix: bytes, delimiter: bytes) -> bytes | None:
    key = space.key(index)
    found = key.find(delimiter, len(prefix))
    return None if found < 0 else key[: found + len(delimiter)]


def _plain_until(space: Space, index: int, scale: int, prefix: bytes, delimiter: bytes) -> int:
    """Return where the rows that are certainly not rolled up end: with the block, if no key in it can be."""
    block = space.block_of(index // scale)
    if delimiter in space.head(block)[len(prefix) :] or _has_delimiter(space.tails, delimiter):
        return index + 1
    return space.start(block + 1) * scale


@lru_cache(maxsize=64)
def _has_delimiter(tails: tuple[bytes, ...], delimiter: bytes) -> bool:
    return any(delimiter in tail for tail in tails)


def successor(prefix: bytes) -> bytes:
    """Return the least text after all that begin with `prefix`; UTF-8 has no byte 255."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def _after(space: Space, rows: Rows, key_marker: bytes, id_marker: bytes) -> int:
    if not key_marker:
        if id_marker:
            raise Refused(
                400, "InvalidArgument", "A version-id marker cannot be specified without a key marker."
            )
        return 0
    if not id_marker:
        return space.right(key_marker) * space.versions
    found = rows.find(key_marker, id_marker)
    if found is None:
        raise Refused(400, "InvalidArgument", "Invalid version id specified")
    return found + 1


def _encoding(query: Query) -> tuple[bool, Quote]:
    encoding = query.get(b"encoding-type", b"")
    if encoding not in (b"", b"url"):
        raise Refused(400, "InvalidArgument", "Invalid Encoding Method specified in Request")
    return (True, encoded) if encoding else (False, escaped)


def _limit(query: Query) -> int:
    asked = query.get(b"max-keys", b"%d" % _PAGE)
    if not asked.isdigit():
        raise Refused(400, "InvalidArgument", "Provided max-keys not an integer or within integer range")
    return min(int(asked), _PAGE)


def _token(index: int) -> bytes:
    return b"1%012x==" % index


def _index(token: bytes, keys: int) -> int:
    try:
        index = int(token[1:13], 16)
    except ValueError:
        index = -1
    if not 0 <= index <= keys or token != _token(index):
        raise Refused(400, "InvalidArgument", "The continuation token provided is incorrect")
    return index


def _tag(name: bytes, text: bytes) -> bytes:
    return b"<%b>%b</%b>" % (name, text, name)

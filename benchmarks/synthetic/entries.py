"""Rows of a listing as XML, cut from prepared bodies: a page of a thousand costs about 50 µs.

All blocks of a space look alike but for the head of their keys and the number of the block, so that one body is
prepared for each way of listing; in it a byte that no XML may hold stands for each of the two.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from itertools import accumulate
from urllib.parse import quote
from xml.sax.saxutils import escape

from benchmarks.synthetic.spaces import BLOCK, Space

OWNER = b"75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
NULL_VERSION = b"null"

_HEAD, _TAG = b"\x00", b"\x01"
_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_CHECKSUM = b"<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
_LARGE = 6 * 1024**3
_MARKUP = {'"': "&quot;", "'": "&apos;", "\r": "&#13;"}


def encoded(text: bytes) -> bytes:
    """Encode as S3 does for `encoding-type=url`: space as `+`; letters, digits and `/-_.*` as they are."""
    return quote(text, safe="/* ").replace("~", "%7E").replace(" ", "+").encode()


def escaped(text: bytes) -> bytes:
    """Escape for XML, as S3 does without `encoding-type`."""
    return escape(text.decode(), _MARKUP).encode()


@dataclass(frozen=True)
class Entry:
    """What a row tells of an object or version; `tag` stands for the number of the block, eight hex digits."""

    tail: int
    version: int
    space: Space

    @property
    def is_delete_marker(self) -> bool:
        """Whether this is a delete marker; never the newest version, so that each key is listed both ways."""
        return self.version > 0 and (self.tail + 10 * self.version) % 100 == 13

    def etag(self, tag: bytes) -> bytes:
        """Return the ETag, without quotes; the replica's differs in one of a thousand keys."""
        differs = self.space.is_replica and self.tail % BLOCK == 13
        return md5(b"%d.%d.%d" % (self.tail, self.version, differs)).hexdigest()[:24].encode() + tag

    def version_id(self, tag: bytes) -> bytes:
        """Return the version id, 32 characters or `null`."""
        if not self.space.is_versioned:
            return NULL_VERSION
        return tag + b"%06x%06xQxKqH_fT.Zb0" % (self.tail, self.version)

    @property
    def size(self) -> int:
        """Return the size in bytes."""
        if self.space.is_mixed and self.tail % 97 == 5:
            return _LARGE + self.tail
        return (self.tail * 7919 + self.version * 13) % 5_000_000 + 1

    @property
    def storage_class(self) -> bytes:
        """Return the storage class."""
        return b"GLACIER" if self.space.is_mixed and self.tail % 89 == 7 else b"STANDARD"

    @property
    def checksum(self) -> bytes:
        """Return the elements that say how the object's checksum was made, which not every object has."""
        return _CHECKSUM if self.space.is_mixed and self.tail % 83 == 11 else b""

    @property
    def modified(self) -> bytes:
        """Return the time of last modification; versions become older."""
        moment = _EPOCH + timedelta(seconds=61 * self.tail) - timedelta(minutes=self.version)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z").encode()


def _object(key: bytes, entry: Entry) -> bytes:
    return (
        b"<Contents><Key>%b</Key><LastModified>%b</LastModified><ETag>&quot;%b&quot;</ETag>%b<Size>%d</Size>"
        b"<StorageClass>%b</StorageClass></Contents>"
    ) % (key, entry.modified, entry.etag(_TAG), entry.checksum, entry.size, entry.storage_class)


def _version(key: bytes, entry: Entry) -> bytes:
    common = (
        b"<Key>%b</Key><VersionId>%b</VersionId><IsLatest>%b</IsLatest><LastModified>%b</LastModified>"
        % (
            key,
            entry.version_id(_TAG),
            b"true" if entry.version == 0 else b"false",
            entry.modified,
        )
    )
    owner = b"<Owner><ID>%b</ID></Owner>" % OWNER
    if entry.is_delete_marker:
        return b"<DeleteMarker>%b%b</DeleteMarker>" % (common, owner)
    content = b"<ETag>&quot;%b&quot;</ETag>%b<Size>%d</Size>" % (entry.etag(_TAG), entry.checksum, entry.size)
    storage = b"<StorageClass>%b</StorageClass>" % entry.storage_class
    return b"<Version>%b%b%b%b</Version>" % (common, content, storage, owner)


class Rows:
    """The rows of a space listed one way: `of_versions` or of objects, `as_url` encoded or not."""

    def __init__(self, space: Space, of_versions: bool, as_url: bool) -> None:
        self._space = space
        self._per_key = space.versions if of_versions else 1
        self._quote = encoded if as_url else escaped
        self._is_one_key = space.tails == (b"",) and space.blocks > 1
        render = _version if of_versions else _object
        rows = [
            render(_HEAD + self._quote(tail), Entry(j, version, space))
            for j, tail in enumerate(space.tails)
            for version in range(self._per_key)
        ]
        self._body = b"".join(rows)
        self._offsets = [0, *accumulate(map(len, rows))]

    def cut(self, first: int, stop: int) -> bytes:
        """Return the XML of the rows with indices first ≤ i < stop."""
        pieces = []
        while first < stop:
            block = self._space.block_of(first // self._per_key)
            base = self._space.start(block) * self._per_key
            end = min(stop, self._space.start(block + 1) * self._per_key)
            piece = self._body[self._offsets[first - base] : self._offsets[end - base]]
            piece = piece.replace(_HEAD, self._quote(self._space.head(block))).replace(_TAG, b"%08x" % block)
            if self._is_one_key and block:
                piece = piece.replace(b"<IsLatest>true", b"<IsLatest>false", 1)
            pieces.append(piece)
            first = end
        return b"".join(pieces)

    def version_id(self, index: int) -> bytes:
        """Return the version id of a row."""
        block = self._space.block_of(index // self._per_key)
        place, version = divmod(index - self._space.start(block) * self._per_key, self._per_key)
        return Entry(place, version, self._space).version_id(b"%08x" % block)

    def find(self, key: bytes, version_id: bytes) -> int | None:
        """Return the index of the row of a key's version; None when there is none."""
        for index in self._candidates(key, version_id):
            if self._space.key(index // self._per_key) == key and self.version_id(index) == version_id:
                return index
        return None

    def _candidates(self, key: bytes, version_id: bytes) -> list[int]:
        first = self._space.left(key)
        if version_id == NULL_VERSION:
            return [first * self._per_key] if first < self._space.keys else []
        try:
            block, place, version = (int(version_id[a:b], 16) for a, b in ((0, 8), (8, 14), (14, 20)))
        except ValueError:
            return []
        index = (self._space.start(block) + place) * self._per_key + version
        return [index] if index < self._space.keys * self._per_key else []


def delete_markers(space: Space) -> int:
    """Return how many of a space's versions are delete markers."""
    sizes = Counter(space.start(block + 1) - space.start(block) for block in range(space.blocks))
    return sum(
        blocks * sum(Entry(j, v, space).is_delete_marker for j in range(size) for v in range(space.versions))
        for size, blocks in sizes.items()
    )

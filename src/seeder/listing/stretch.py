"""Stretches of a listing, column by column, so that two equal ones are found equal without a look at each entry.

Each column is cut from a page's bytes at once, and its values are read when somebody asks for them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import Page, understood
from seeder.listing.selection import RESTORED

_SIZE = re.compile(rb"<Size>(\d+)</Size>")
_ETAG = re.compile(rb"<ETag>([^<]*)</ETag>")
# ETag and size as one text, where nothing stands between them.
_FACTS = re.compile(rb"<ETag>([^<]*</ETag><Size>\d+)</Size>")
_BETWEEN = b"</ETag><Size>"
_TIME = re.compile(rb"<LastModified>([^<]*)</LastModified>")
_CLASS = re.compile(rb"<StorageClass>([^<]*)</StorageClass>")
_STANDARD, _DEFAULT = b"<StorageClass>STANDARD<", b"STANDARD"
# Stands after the storage class of an archived object that has a restored copy.
_RESTORED_MARK = b" restored"
_ENDS = {"ListObjectsV2": b"</Contents>", "ListObjectVersions": b"</Version>"}


class Entry(NamedTuple):
    """An object, or a version of one, as a listing shows it. `facts` are ETag and size, as on the wire."""

    key: str
    version: str
    facts: bytes
    time: bytes
    storage: bytes = _DEFAULT

    @property
    def size(self) -> int:
        """The size in bytes."""
        with understood():
            return int(self.facts.rpartition(b">")[2])

    @property
    def etag(self) -> str:
        """The ETag, without quotes."""
        return html.unescape(self.facts.partition(b"<")[0].decode()).strip('"')

    @property
    def modified(self) -> datetime:
        """When it was written. Raises UnexpectedAnswer where the listing tells no time."""
        try:
            return datetime.fromisoformat(self.time.decode())
        except ValueError as error:
            raise UnexpectedAnswer(f"'{self.key}' was written at '{self.time.decode()}': no time") from error

    @property
    def storage_class(self) -> str:
        """The storage class; STANDARD where none is told."""
        return self.storage.removesuffix(_RESTORED_MARK).decode()

    @property
    def restored(self) -> bool:
        """Whether the listing shows a restored copy (API reference, RestoreStatus)."""
        return self.storage.endswith(_RESTORED_MARK)


class Stretch(NamedTuple):
    """Entries in the order of their keys. `versions` is empty where objects are listed.

    `proven` counts entries that both sides held alike, and that were let go.
    """

    keys: list[str]
    versions: list[bytes]
    facts: list[bytes]
    times: list[bytes]
    storage: list[bytes]
    proven: int = 0

    def entry(self, index: int) -> Entry:
        """Return one entry."""
        version = self.versions[index].decode() if self.versions else ""
        return Entry(self.keys[index], version, self.facts[index], self.times[index], self.storage[index])

    def cut(self, start: int, stop: int) -> Stretch:
        """Return the entries from one index up to another."""
        span = slice(start, stop)
        return Stretch(
            self.keys[span], self.versions[span], self.facts[span], self.times[span], self.storage[span]
        )

    def joined(self, other: Stretch) -> Stretch:
        """Return these entries and others after them."""
        return Stretch(
            self.keys + other.keys,
            self.versions + other.versions,
            self.facts + other.facts,
            self.times + other.times,
            self.storage + other.storage,
        )

    def pick(self, indices: list[int]) -> Stretch:
        """Return the entries with these indices."""
        return Stretch(
            [self.keys[index] for index in indices],
            [self.versions[index] for index in indices] if self.versions else [],
            [self.facts[index] for index in indices],
            [self.times[index] for index in indices],
            [self.storage[index] for index in indices],
            self.proven,
        )

    def only(self, wanted: Callable[[Entry], bool]) -> Stretch:
        """Return the entries that are wanted."""
        return self.pick([index for index in range(len(self.keys)) if wanted(self.entry(index))])

    def holds_same(self, other: Stretch) -> bool:
        """Whether both hold the same entries with the same facts."""
        return self.keys == other.keys and self.facts == other.facts and self.versions == other.versions


def empty() -> Stretch:
    """Return a stretch without entries."""
    return Stretch([], [], [], [], [])


def read(page: Page) -> Stretch:
    """Return a page's objects, or its versions without delete markers.

    Raises UnexpectedAnswer where one has no size or ETag.
    """
    keys, versions, times = page.decoded, page.versions, _TIME.findall(page.body)
    if len(times) != len(keys):
        times = [b""] * len(keys)
    if page.markers:
        shown = [index for index, deleted in enumerate(page.markers) if not deleted]
        keys = [keys[index] for index in shown]
        versions, times = ([column[index] for index in shown] for column in (versions, times))
    return Stretch(keys, versions, _facts(page.body, len(keys)), times, _classes(page, len(keys)))


def _facts(body: bytes, count: int) -> list[bytes]:
    facts = _FACTS.findall(body)
    if len(facts) == count:
        return facts
    # The kind of a checksum stands between ETag and size, for some entries or for all.
    sizes, etags = _SIZE.findall(body), _ETAG.findall(body)
    if not len(sizes) == len(etags) == count:
        raise UnexpectedAnswer(f"a page of {count} objects shows {len(sizes)} sizes, {len(etags)} ETags")
    return list(map(_BETWEEN.join, zip(etags, sizes, strict=True)))


def _classes(page: Page, count: int) -> list[bytes]:
    if page.body.count(_STANDARD) == count:
        return [_DEFAULT] * count
    classes, any_restored = _CLASS.findall(page.body), RESTORED in page.body
    if len(classes) == count and not any_restored:
        return classes
    objects = page.body.split(_ENDS[page.operation])[:count]
    found = [match[1] if (match := _CLASS.search(body)) else _DEFAULT for body in objects]
    if not any_restored:
        return found
    marked = zip(found, objects, strict=True)
    return [name + _RESTORED_MARK if RESTORED in body else name for name, body in marked]

"""The difference of two buckets: what the destination lacks, holds differently, or has besides.

Both sides are walked together, range by range, in memory that does not grow with the buckets.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import Page
from seeder.listing.ranges import Range
from seeder.listing.walk import Walk, marker
from seeder.listing.wire import Wire

_SIZE = re.compile(rb"<Size>(\d+)</Size>")
_ETAG = re.compile(rb"<ETag>([^<]*)</ETag>")
_MULTIPART_MARK = b"-"


class Entry(NamedTuple):
    """An object, or a version of one, as a listing shows it; size and ETag as on the wire."""

    key: str
    size: bytes
    etag: bytes
    version: str = ""


class Stretch(NamedTuple):
    """Entries column by column, so that two equal stretches are found equal without looking at each."""

    keys: list[str]
    sizes: list[bytes]
    etags: list[bytes]
    versions: list[bytes]

    def cut(self, start: int, stop: int) -> Stretch:
        """Return the entries from one index up to another."""
        span = slice(start, stop)
        return Stretch(self.keys[span], self.sizes[span], self.etags[span], self.versions[span])

    def joined(self, other: Stretch) -> Stretch:
        """Return these entries and others after them."""
        return Stretch(
            self.keys + other.keys,
            self.sizes + other.sizes,
            self.etags + other.etags,
            self.versions + other.versions,
        )

    def facts(self) -> dict[tuple[str, bytes], tuple[bytes, bytes]]:
        """Return size and ETag by key and version id."""
        versions = self.versions or repeat(b"")
        return dict(
            zip(
                zip(self.keys, versions, strict=False), zip(self.sizes, self.etags, strict=True), strict=False
            )
        )


@dataclass
class Difference:
    """Counts of objects by comparison, with one example key for each kind that is not equal."""

    equal: int = 0
    missing: int = 0
    different: int = 0
    extra: int = 0
    missing_example: str = ""
    different_example: str = ""
    extra_example: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether the destination holds just what the source holds."""
        return not (self.missing or self.different or self.extra)


def same(ours: Entry, theirs: Entry) -> bool:
    """Tell whether two objects of one key hold the same, by size and, where they can be compared, by ETag.

    The ETag of a multipart upload depends on its parts, which a copy need not keep.
    """
    comparable = _MULTIPART_MARK not in ours.etag and _MULTIPART_MARK not in theirs.etag
    return ours.size == theirs.size and (not comparable or ours.etag == theirs.etag)


def compare(
    source: Wire,
    destination: Wire,
    needed: Callable[[list[Entry]], None] = lambda _: None,
    prefix: str = "",
    workers: int = 16,
) -> Difference:
    """Compare two buckets, or the keys with a prefix; `needed` gets what the destination lacks or holds differently.

    Wires that list versions compare them by version id, as replication keeps it; delete markers are left out.

    Raises Unordered, UnexpectedAnswer, Throttled, ClientError.
    """
    result = Difference()

    def merge(ours: Stretch, theirs: Stretch) -> None:
        wanting = tally(ours, theirs, result)
        if wanting:
            needed(wanting)

    TwoSidedWalk(source, destination, merge, prefix, workers).run()
    return result


def tally(ours: Stretch, theirs: Stretch, result: Difference) -> list[Entry]:
    """Count two sides of the same stretch of keys; return ours that are missing or different there."""
    if ours == theirs:
        result.equal += len(ours.keys)
        return []
    mine, others = ours.facts(), theirs.facts()
    wanting = []
    for (key, version), facts in sorted(mine.items() - others.items()):
        entry, other = Entry(key, *facts, version.decode()), others.get((key, version))
        if other is None:
            result.missing += 1
            result.missing_example = result.missing_example or key
        elif same(entry, Entry(key, *other)):
            continue
        else:
            result.different += 1
            result.different_example = result.different_example or key
        wanting.append(entry)
    result.equal += len(mine) - len(wanting)
    extra = others.keys() - mine.keys()
    result.extra += len(extra)
    result.extra_example = result.extra_example or min(extra, default=("", b""))[0]
    return wanting


class TwoSidedWalk(Walk):
    """A walk over two buckets at once; `merge` gets both sides' entries of each stretch of keys, calls serialised."""

    def __init__(
        self,
        source: Wire,
        destination: Wire,
        merge: Callable[[Stretch, Stretch], None],
        prefix: str = "",
        workers: int = 16,
    ) -> None:
        super().__init__(source, lambda page, stop: None, prefix=prefix, workers=workers)
        self._wires = (source, destination)
        self._merge = merge

    def _list(self, mine: Range) -> None:
        sides = [_Side(self, wire, mine.start) for wire in self._wires]
        while not self._stopped:
            for side in sides:
                side.fill()
            with self._changed:
                if self._merge_stretch(mine, *sides):
                    self._finish(mine)
                    return

    def _merge_stretch(self, mine: Range, ours: _Side, theirs: _Side) -> bool:
        """Merge what is known of both sides; return whether the range is done. Needs the lock."""
        self._resolve(mine)
        known = [side.last for side in (ours, theirs) if not side.ended]
        bounds = [*known, mine.end] if mine.end else known
        bound = min(bounds) if bounds else ""
        first, second = ours.take(bound), theirs.take(bound)
        self._merge(first, second)
        listed = max(first.keys, second.keys, key=len)
        if listed:
            self._advance(mine, listed[-1], len(listed), [listed[0], listed[len(listed) // 2]])
        if known and bound != mine.end:
            mine.start = max(mine.start, bound)
            return False
        return True


class _Side:
    """The entries of one bucket from a key on, page by page, as far as all versions of a key are known."""

    def __init__(self, walk: TwoSidedWalk, wire: Wire, start: str) -> None:
        self._walk = walk
        self._wire = wire
        self._following: dict[str, Any] | None = walk.parameters | marker(wire.operation, start)
        self._known = Stretch([], [], [], [])
        self._page_end = ""

    @property
    def ended(self) -> bool:
        """Whether no more pages follow."""
        return self._following is None

    @property
    def last(self) -> str:
        """The last key that is known with all its versions; empty when none is."""
        if self.ended or self._wire.operation == "ListObjectsV2":
            return self._page_end
        whole = bisect_left(self._known.keys, self._page_end)
        return self._known.keys[whole - 1] if whole else ""

    def fill(self) -> None:
        """Fetch pages until there is something to take, or nothing follows."""
        while self._following is not None and not (self._known.keys and self.last):
            page = self._walk.page(self._wire, self._following)
            found = read(page)
            self._known = self._known.joined(found) if self._known.keys else found
            self._page_end = page.decode(-1) if page.keys else self._page_end
            following = page.next or marker(self._wire.operation, self._page_end)
            if page.truncated and following.items() <= self._following.items():
                raise UnexpectedAnswer("the listing is said to go on, but gets no further")
            self._following = self._walk.parameters | following if page.truncated else None

    def take(self, bound: str) -> Stretch:
        """Return the entries up to and with `bound`, and forget them; all where it is empty."""
        known, length = self._known, len(self._known.keys)
        stop = bisect_right(known.keys, bound) if bound else length
        self._known = known.cut(stop, length)
        return known if stop == length else known.cut(0, stop)


def read(page: Page) -> Stretch:
    """Return a page's objects, or its versions without delete markers.

    Raises UnexpectedAnswer where one has no size or ETag.
    """
    sizes, etags = _SIZE.findall(page.body), _ETAG.findall(page.body)
    keys, versions = page.decoded, page.versions
    if page.markers:
        shown = [index for index, deleted in enumerate(page.markers) if not deleted]
        keys, versions = [keys[index] for index in shown], [versions[index] for index in shown]
    if not len(sizes) == len(etags) == len(keys):
        raise UnexpectedAnswer(f"a page of {len(keys)} objects shows {len(sizes)} sizes, {len(etags)} ETags")
    return Stretch(keys, sizes, etags, versions)

"""The difference of two buckets: what the destination lacks, holds differently, or has besides.

Both sides are walked together, range by range, in memory that does not grow with the buckets.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import Page
from seeder.listing.ranges import Range
from seeder.listing.walk import Walk
from seeder.listing.wire import Wire

_SIZE = re.compile(rb"<Size>(\d+)</Size>")
_ETAG = re.compile(rb"<ETag>([^<]*)</ETag>")
_MULTIPART_MARK = b"-"


class Entry(NamedTuple):
    """An object as a listing shows it; size and ETag as on the wire."""

    key: str
    size: bytes
    etag: bytes


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

    Raises Unordered, UnexpectedAnswer, Throttled, ClientError.
    """
    result = Difference()

    def merge(ours: list[Entry], theirs: list[Entry]) -> None:
        wanting = tally(ours, theirs, result)
        if wanting:
            needed(wanting)

    TwoSidedWalk(source, destination, merge, prefix, workers).run()
    return result


def tally(ours: list[Entry], theirs: list[Entry], result: Difference) -> list[Entry]:
    """Count two sides of the same stretch of keys; return ours that are missing or different there."""
    if ours == theirs:
        result.equal += len(ours)
        return []
    others = {entry.key: entry for entry in theirs}
    wanting = []
    for entry in ours:
        other = others.pop(entry.key, None)
        if other is None:
            result.missing += 1
            result.missing_example = result.missing_example or entry.key
        elif same(entry, other):
            result.equal += 1
            continue
        else:
            result.different += 1
            result.different_example = result.different_example or entry.key
        wanting.append(entry)
    result.extra += len(others)
    result.extra_example = result.extra_example or next(iter(others), "")
    return wanting


class TwoSidedWalk(Walk):
    """A walk over two buckets at once; `merge` gets both sides' entries of each stretch of keys, calls serialised."""

    def __init__(
        self,
        source: Wire,
        destination: Wire,
        merge: Callable[[list[Entry], list[Entry]], None],
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
        bounds = [bound for bound in (*known, mine.end) if bound]
        bound = min(bounds) if bounds else ""
        first, second = ours.take(bound), theirs.take(bound)
        self._merge(first, second)
        listed = max(first, second, key=len)
        if listed:
            self._advance(mine, listed[-1].key, len(listed), [listed[0].key, listed[len(listed) // 2].key])
        if known and bound != mine.end:
            mine.start = max(mine.start, bound)
            return False
        return True


class _Side:
    """The entries of one bucket from a key on, page by page."""

    def __init__(self, walk: TwoSidedWalk, wire: Wire, start: str) -> None:
        self._walk = walk
        self._wire = wire
        self._following: dict[str, Any] | None = walk.parameters | ({"StartAfter": start} if start else {})
        self._entries: list[Entry] = []
        self._keys: list[str] = []
        self._taken = 0

    @property
    def ended(self) -> bool:
        """Whether no more pages follow."""
        return self._following is None

    @property
    def last(self) -> str:
        """The last key that is known."""
        return self._keys[-1]

    def fill(self) -> None:
        """Fetch pages until there is something to take, or nothing follows."""
        while self._taken == len(self._entries) and self._following is not None:
            page = self._walk.page(self._wire, self._following)
            self._keys, self._taken = page.decoded, 0
            self._entries = entries(page)
            following = page.next or ({"StartAfter": self._keys[-1]} if page.truncated and self._keys else {})
            if page.truncated and following.items() <= self._following.items():
                raise UnexpectedAnswer("the listing is said to go on, but gets no further")
            self._following = self._walk.parameters | following if page.truncated else None

    def take(self, bound: str) -> list[Entry]:
        """Return the entries up to and with `bound`; all where it is empty."""
        stop = bisect_right(self._keys, bound, self._taken) if bound else len(self._keys)
        taken, self._taken = self._entries[self._taken : stop], stop
        return taken


def entries(page: Page) -> list[Entry]:
    """Return a page's keys with sizes and ETags. Raises UnexpectedAnswer where one has none."""
    sizes, etags = _SIZE.findall(page.body), _ETAG.findall(page.body)
    if not len(sizes) == len(etags) == len(page.keys):
        raise UnexpectedAnswer(
            f"a page of {len(page.keys)} keys shows {len(sizes)} sizes, {len(etags)} ETags"
        )
    return list(map(Entry, page.decoded, sizes, etags))

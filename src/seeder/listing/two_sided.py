"""The walk over two buckets at once: both are listed range by range, and each stretch of keys is handed over together.

What is known of both sides up to the same key is merged and forgotten, so that memory does not grow with the buckets;
it grows with those versions of one key that the two sides list far apart from each other.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

from seeder.errors import UnexpectedAnswer
from seeder.listing.exchange import Ask
from seeder.listing.page import Page
from seeder.listing.ranges import Range
from seeder.listing.stretch import Entry, Stretch, empty, read
from seeder.listing.walk import Unordered, Untaken, Walk, marker
from seeder.listing.wire import Wire

# So many versions of one key are kept at least before those that both sides have shown are let go.
LET_GO_VERSIONS = 4000


class TwoSidedWalk(Walk):
    """A walk over two buckets; `merge` gets both sides' entries of each stretch of keys, calls serialised.

    All versions of a key are in one stretch, so that positions are by key alone. Of the source's entries only those
    that are `wanted` are handed over. `merge` may raise Untaken, as `accept` of `Walk`. The other members are as for
    `Walk`; time is not out before one stretch was merged.
    """

    def __init__(
        self,
        source: Wire,
        destination: Wire,
        merge: Callable[[Stretch, Stretch], None],
        ranges: list[Range] | None = None,
        prefix: str = "",
        workers: int = 16,
        out_of_time: Callable[[], bool] = lambda: False,
        most_range_bytes: int = 1024 * 1024,
        wanted: Callable[[Entry], bool] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # Each range has a request under way on both sides.
        pairs = max(workers // 2, 1)
        super().__init__(
            source, lambda page, stop: None, ranges, prefix, pairs, out_of_time, most_range_bytes, sleep
        )
        self._wires = (source, destination)
        self._merge = merge
        self._wanted = wanted

    def _begin(self, mine: Range) -> None:
        sides = [
            _Side(mine, wire, self.parameters | marker(wire.operation, mine.start)) for wire in self._wires
        ]
        for side, other in zip(sides, reversed(sides), strict=True):
            side.other = other
            self._ask_for(side)

    def _ask_for(self, side: _Side) -> None:
        if side.following is not None:
            side.waits = True
            self._ask(side.wire, side.following, side)

    def _take(self, ask: Ask, page: Page) -> None:
        side: _Side = ask.asker
        side.add(page, self.parameters)
        ours, theirs = (side, side.other) if side.wire is self._wires[0] else (side.other, side)
        self._let_go(ours, theirs)
        self._ask_for_more(side, side.other)
        while not (ours.waits or theirs.waits):
            if self._merge_stretch(side.range, ours, theirs):
                self._finish(side.range)
                return
            self._ask_for_more(ours, theirs)

    def _ask_for_more(self, *sides: _Side) -> None:
        for side in sides:
            if not (side.has_some or side.waits or side.is_ahead):
                self._ask_for(side)

    def _merge_stretch(self, mine: Range, ours: _Side, theirs: _Side) -> bool:
        """Merge what is known of both sides; return whether the range is done."""
        start = mine.start
        self._resolve(mine)
        self._has_moved = True
        known = [side.last for side in (ours, theirs) if not side.ended]
        bounds = [*known, mine.end] if mine.end else known
        bound = min(bounds) if bounds else ""
        done = not known or bound == mine.end
        markers = max(ours.markers, theirs.markers)
        first, second = ours.take(bound), theirs.take(bound)
        keys = max(first.keys, second.keys, key=len)
        last = bound if not done else keys[-1] if keys else mine.start
        self._moved(mine, last, len(keys) + markers, [keys[0], keys[len(keys) // 2]] if keys else [])
        try:
            self._merge(first.only(self._wanted) if self._wanted else first, second)
        except Untaken:
            mine.start = start
            raise
        return done

    def _let_go(self, ours: _Side, theirs: _Side) -> None:
        """Let go those versions of a key with very many that both sides have shown, and hold alike."""
        key, length = ours.open_key, len(ours.known.keys) + len(theirs.known.keys)
        if length < ours.most_open or not key or key != theirs.open_key:
            return
        both = ours.versions() & theirs.versions()
        gone = ours.let_go(both)
        theirs.let_go(both)
        ours.let_go_key = key
        ours.proven += len((gone.only(self._wanted) if self._wanted else gone).keys)
        ours.most_open = max(LET_GO_VERSIONS, 2 * (length - 2 * len(both)))


class _Side:
    """The entries of one bucket from a key on, page by page.

    `following` are the parameters of the next page, None when there is none; `waits` tells that it is asked for.
    `last` is the last key that is listed with all its versions; `markers` are delete markers since the last merge.
    """

    other: _Side

    def __init__(self, mine: Range, wire: Wire, following: dict[str, Any]) -> None:
        self.range = mine
        self.wire = wire
        self.following: dict[str, Any] | None = following
        self.waits = False
        self.known = empty()
        self.last = self._taken = self._page_end = mine.start
        self.markers = 0
        self.most_open = LET_GO_VERSIONS
        self.let_go_key = ""
        self.proven = 0

    @property
    def ended(self) -> bool:
        """Whether no more pages follow."""
        return self.following is None

    @property
    def has_some(self) -> bool:
        """Whether there is something to take, or nothing follows."""
        return self.ended or self.last > self._taken

    @property
    def open_key(self) -> str:
        """The key all entries are versions of, more of which may follow; empty where others are to be taken first."""
        return "" if self.has_some else self._page_end

    @property
    def is_ahead(self) -> bool:
        """Whether so many more versions of a key are known here that the other side's page had better come first."""
        more = len(self.known.keys) - len(self.other.known.keys)
        return self.other.waits and self.open_key == self.other.open_key and more > LET_GO_VERSIONS

    def add(self, page: Page, parameters: dict[str, Any]) -> None:
        """Add a page's entries. Raises UnexpectedAnswer where the listing gets no further, Unordered."""
        assert self.following is not None  # noqa: S101 - a page was asked for
        if page.keys:
            self._advance(page)
        following = page.next or marker(self.wire.operation, self._page_end)
        if page.truncated and following.items() <= self.following.items():
            raise UnexpectedAnswer("the listing is said to go on, but gets no further")
        self.following = parameters | following if page.truncated else None
        self.waits = False

    def _advance(self, page: Page) -> None:
        first, end, lists_objects = page.decode(0), page.decode(-1), not page.versions
        if first < self._page_end or (lists_objects and first == self._page_end):
            raise Unordered(f"after the key {self._page_end!r} the server lists {first!r}")
        found = read(page)
        self.known = self.known.joined(found) if self.known.keys else found
        self.markers += len(page.keys) - len(found.keys)
        if lists_objects:
            self.last = end
        elif first < end:
            self.last = page.decoded[bisect_left(page.decoded, end) - 1]
        else:
            self.last = max(self.last, self._page_end if self._page_end < end else "")
        self._page_end = end

    def take(self, bound: str) -> Stretch:
        """Return the entries up to and with `bound`, and forget them; all where it is empty."""
        known, length = self.known, len(self.known.keys)
        stop = bisect_right(known.keys, bound) if bound else length
        self.known = known.cut(stop, length)
        taken = known if stop == length else known.cut(0, stop)
        if self.proven and (not bound or self.let_go_key <= bound):
            taken = taken._replace(proven=self.proven)
        self._taken, self.markers, self.proven = bound, 0, 0
        return taken

    def versions(self) -> set[tuple[bytes, bytes]]:
        """Return the version ids with their facts."""
        return set(zip(self.known.versions, self.known.facts, strict=True))

    def let_go(self, versions: set[tuple[bytes, bytes]]) -> Stretch:
        """Forget these versions, and return them."""
        listed = list(zip(self.known.versions, self.known.facts, strict=True))
        gone = self.known.pick([index for index, item in enumerate(listed) if item in versions])
        self.known = self.known.pick([index for index, item in enumerate(listed) if item not in versions])
        return gone

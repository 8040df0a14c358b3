"""The parallel walk: any key space listed by many requests at a time, each key once, with no hints.

Each of the workers is one request under way for a half-open range `(start, end]`. When there are fewer ranges than
workers, the further part of the largest is split off: its end moves to the pivot at once, so that a page which reaches
beyond is cut there, and the pivot's own key stays on the left. One thread hands over what has come and moves the
start of its range, so that at any moment the ranges left are just the keys not handed over yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from seeder.errors import SeederError, UnexpectedAnswer
from seeder.listing.exchange import Ask, Exchange
from seeder.listing.page import Page
from seeder.listing.patient import fetch_patiently
from seeder.listing.ranges import Alphabet, Range, after_all, pivot, remaining
from seeder.listing.wire import Wire

SPLIT_KEYS = 4000
MOST_WASTE = 0.03
MORE_WASTE_WHEN_IDLE = 3


class Unordered(SeederError):
    """The server does not list keys in the order of their UTF-8 bytes."""


class Untaken(SeederError):
    """Raised by who is handed a page: time was out before it could be taken. It stays in what is left."""


class Walk:
    """One walk over a bucket, or over the keys with a prefix.

    `accept(page, stop)` is called with each page, of which the first `stop` entries count; calls are serialised. It
    may raise Untaken, which ends the walk as `out_of_time` does.
    Ranges are split only while all of them fit `most_range_bytes`, so that what is left can be passed on.
    """

    def __init__(
        self,
        wire: Wire,
        accept: Callable[[Page, int], None],
        ranges: list[Range] | None = None,
        prefix: str = "",
        workers: int = 16,
        out_of_time: Callable[[], bool] = lambda: False,
        most_range_bytes: int = 1024 * 1024,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wire = wire
        self._accept = accept
        whole = Range("", after_all(prefix) if prefix else "")
        self._waiting = [whole] if ranges is None else list(ranges)
        self._active: list[Range] = []
        self._prefix = prefix
        self._workers = workers
        self._most_range_bytes = most_range_bytes
        self._out_of_time = out_of_time
        self._sleep = sleep
        self._alphabet = Alphabet()
        self._in_order: set[int] = set()
        self._wasted = 0.0
        self._stopped = False
        self._has_moved = False
        self._exchange: Exchange
        self.parameters: dict[str, Any] = {"EncodingType": "url"} | ({"Prefix": prefix} if prefix else {})

    def run(self) -> list[Range]:
        """Walk until all is listed, or time is out; return the ranges left.

        Raises Unordered, UnexpectedAnswer, Throttled, ClientError: the first that was met.
        """
        self._exchange = Exchange(self._fetch)
        with closing(self._exchange):
            try:
                self._fill()
                while self._active and not self._stopped:
                    for ask, answer in self._exchange.answers():
                        self._receive(ask, answer)
                        self._fill()
            finally:
                self._stopped = True
        return sorted(self._waiting + self._active, key=lambda left: left.start)

    def _fill(self) -> None:
        """Give each worker a range, waiting or split off; stop out of time, but not before a page was taken."""
        self._stopped = self._stopped or (self._has_moved and self._out_of_time())
        while not self._stopped and len(self._active) < self._workers:
            mine = self._waiting.pop() if self._waiting else self._split()
            if mine is None:
                return
            self._active.append(mine)
            self._begin(mine)

    def _receive(self, ask: Ask, answer: bytes | BaseException) -> None:
        """Take an answer; what comes after the walk was stopped is let go, and stays in its range."""
        if self._stopped:
            return
        if isinstance(answer, BaseException):
            raise answer
        page = self._page(ask, answer)
        if page is None:
            return
        try:
            self._take(ask, page)
        except Untaken:
            self._stopped = True

    def _ask(self, wire: Wire, parameters: dict[str, Any], asker: Any) -> None:
        self._exchange.ask(Ask(wire, parameters, asker))

    def _split(self) -> Range | None:
        """Take the further part of the largest range that can be split.

        Each split may cost a page of which little counts; where many did, the walk goes on as it is for a while,
        longer when most workers are busy.
        """
        idle = 1 - len(self._active) / self._workers
        if self._wasted > (self._workers + MOST_WASTE * self._wire.calls) * (1 + MORE_WASTE_WHEN_IDLE * idle):
            return None
        if sum(other.bytes for other in self._active) > self._most_range_bytes:
            return None
        open_ranges = [other for other in self._active if other.listed and not other.probed]
        while open_ranges:
            largest = max(open_ranges, key=lambda other: remaining(other, self._alphabet))
            if remaining(largest, self._alphabet) < SPLIT_KEYS:
                return None
            middle = pivot(largest, self._alphabet)
            if middle:
                mine = Range(middle, largest.end, parent=largest)
                largest.end, largest.probed, largest.size = middle, True, None
                return mine
            largest.size = 0.0
        return None

    def _begin(self, mine: Range) -> None:
        """Ask for a range's first page."""
        following = self.parameters | marker(self._wire.operation, mine.start, mine.version)
        self._ask(self._wire, following, mine)

    def _take(self, ask: Ask, page: Page) -> None:
        """Take a page's part of its range; the next page is asked for before this one is handed over."""
        mine: Range = ask.asker
        start, version = mine.start, mine.version
        stop = page.cut(mine.end)
        self._has_moved = True
        self._resolve(mine)
        if stop < len(page.keys):
            self._wasted += 1 - stop / len(page.keys)
        if stop:
            self._advance(mine, page, stop)
        if stop < len(page.keys) or not page.truncated:
            self._finish(mine)
        else:
            self._ask(ask.wire, self.parameters | self._next(page, mine, ask.parameters), mine)
        if not stop:
            return
        try:
            self._accept(page, stop)
        except Untaken:
            mine.start, mine.version = start, version
            self._finish(mine)
            self._active.append(mine)
            raise

    def _advance(self, mine: Range, page: Page, stop: int) -> None:
        """Move a range's start to the last of the page's first `stop` keys."""
        first, last = page.decode(0), page.decode(stop - 1)
        if first < mine.start or (first == mine.start and not mine.version):
            raise Unordered(f"after the key {mine.start!r} the server lists {first!r}")
        mine.version = page.versions[stop - 1].decode() if page.versions else ""
        self._moved(mine, last, stop, [first, page.decode(stop // 2)])

    def _resolve(self, mine: Range) -> None:
        """Take note that a range which was split off has its first page: its parent may be split again."""
        if mine.parent is not None:
            mine.parent.probed, mine.parent = False, None

    def _moved(self, mine: Range, last: str, listed: int, others: list[str]) -> None:
        mine.before, mine.start, mine.listed, mine.size = mine.start, last, listed, None
        for key in (*others, last):
            self._alphabet.learn(key)

    def _finish(self, mine: Range) -> None:
        self._active = [other for other in self._active if other is not mine]

    def _next(self, page: Page, mine: Range, asked: dict[str, Any]) -> dict[str, str]:
        following = page.next or marker(self._wire.operation, mine.start, mine.version)
        if all(asked.get(name) == value for name, value in following.items()):
            raise UnexpectedAnswer("the listing is said to go on, but gets no further")
        return following

    def _page(self, ask: Ask, body: bytes) -> Page | None:
        """Read a page; None where it must be asked for once more. What only AWS does is looked at with others."""
        wire = ask.wire
        page = Page(body, wire.operation)
        if wire.is_aws:
            return page
        if page.encoded and "EncodingType" in ask.parameters and any(b"+" in key for key in page.keys):
            # Some servers encode a space as `+` in one part of a key and leave a plus in another; raw keys tell.
            raw = {name: value for name, value in ask.parameters.items() if name != "EncodingType"}
            self._ask(wire, raw, ask.asker)
            return None
        if not page.ascending:
            raise Unordered("a page whose keys are not in the order of UTF-8 bytes")
        if id(wire) not in self._in_order:
            self._probe(wire, page)
        return page

    def _probe(self, wire: Wire, page: Page) -> None:
        """Ask for what comes after `folder.…`: a server that sorts by folders leaves `folder/…` out."""
        shown = next((key for key in page.decoded if "/" in key[1:]), None)
        if shown is None or wire.operation != "ListObjectsV2":
            return
        folder = shown[: shown.index("/", 1)]
        asked = self.parameters | {"StartAfter": f"{folder}.\uffee", "MaxKeys": 1}
        answer = Page(self._fetch(Ask(wire, asked, None)), wire.operation)
        if not answer.keys or answer.decode(0) > shown:
            raise Unordered(f"after '{folder}.' the server does not list '{shown}'")
        self._in_order.add(id(wire))

    def _fetch(self, ask: Ask) -> bytes:
        return fetch_patiently(ask.wire, ask.parameters, lambda: self._stopped, self._sleep)


def marker(operation: str, key: str, version: str = "") -> dict[str, str]:
    """Return the parameters with which an operation lists what comes after a key, or after one of its versions."""
    if not key:
        return {}
    if operation == "ListObjectsV2":
        return {"StartAfter": key}
    return {"KeyMarker": key} | ({"VersionIdMarker": version} if version else {})

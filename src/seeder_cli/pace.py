"""How fast something goes, and when it may end: from what was counted, and nothing where that says nothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

# A rate is that of the last minutes, and is not told of less than some seconds.
LONGEST_SECONDS, SHORTEST_SECONDS = 300.0, 5.0
# What has not moved for this long has become slower; before, the next count may not be there yet.
STILL_SECONDS = 60.0
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class Pace:
    """The rate of one count at a time; another count begins anew."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._what = ""
        self._counts: deque[tuple[float, int]] = deque()

    def take(self, what: str, done: int) -> None:
        """Take the count of `what` as it is now."""
        now = self._clock()
        if what != self._what or (self._counts and done < self._counts[-1][1]):
            self._what = what
            self._counts.clear()
        if not self._counts or done != self._counts[-1][1]:
            self._counts.append((now, done))
        while len(self._counts) > 2 and now - self._counts[0][0] > LONGEST_SECONDS:
            self._counts.popleft()

    @property
    def rate(self) -> float:
        """So many a second; 0 where it is not known."""
        if len(self._counts) < 2:
            return 0.0
        (began, first), (last, done) = self._counts[0], self._counts[-1]
        now = self._clock()
        seconds = (now if now - last > STILL_SECONDS else last) - began
        return (done - first) / seconds if seconds >= SHORTEST_SECONDS else 0.0

    def told(self, total: int | None, about: bool = False) -> str:
        """Return the count in words, such as "412 of 836 (49 %), 31/s, about 14 s left"; "" for none.

        With `about` the count is an estimate, marked so.
        """
        if not self._counts:
            return ""
        done, mark = self._counts[-1][1], "~" if about else ""
        words = [f"{mark}{done:,}"]
        if total:
            words = [f"{words[0]} of {total:,} ({100 * min(done, total) // total} %)"]
        if rate := self.rate:
            words.append(f"{mark}{per_second(rate)}")
            if total and done < total:
                words.append(f"about {duration((total - done) / rate)} left")
        return ", ".join(words)


def per_second(rate: float) -> str:
    """Return a rate in words, by the minute where it is slow."""
    if rate >= 10:
        return f"{rate:,.0f}/s"
    return f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min"


def duration(seconds: float) -> str:
    """Return a time span in words, in two units at most: 14 s, 3 min, 2 h 20 min, 5 d 3 h."""
    whole = max(int(seconds), 1)
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"

"""Ranges of the key space, and where to split one: pure arithmetic on keys.

A range `(start, end]` holds the keys after `start` up to and with `end`, in the order of UTF-8 bytes (which is that
of code points). Nothing is known of the key space beforehand; what the listing has shown so far, which characters
stand at which position, tells where the middle of a range is.
"""

from __future__ import annotations

import string
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf

_DIGITS = 24
_OFFSETS = 8
_HEXADECIMAL = set("abcdef")
_LIKE = [set(string.digits), _HEXADECIMAL, set(string.ascii_uppercase)]
_LAST_CHARACTER = "\U0010ffff"


@dataclass
class Range:
    """Keys after `start` up to `end` (empty: to the end of the key space), and how far they are listed.

    `version` is the last listed version id of the key `start`, where versions are listed. `before` is where the last
    page began, and `listed` how many keys it had: both tell how dense the range is there. `parent` is the range this
    was split from, until its first page; so long the parent is `probed` and not split again.
    """

    start: str
    end: str = ""
    version: str = ""
    before: str = ""
    listed: int = 0
    parent: Range | None = None
    probed: bool = False
    size: float | None = None

    @property
    def position(self) -> tuple[str, str, str]:
        """What is needed to go on with this range later."""
        return self.start, self.version, self.end

    @property
    def bytes(self) -> int:
        """How large the range's position may become in JSON, where one character can take six bytes."""
        return 6 * (len(self.start) + len(self.end) + len(self.version)) + 12


class Alphabet:
    """The characters seen at each position of keys, from those shown to `learn`."""

    def __init__(self) -> None:
        self._seen: list[set[str]] = []
        self._letters: list[list[str]] = []
        self._tops: dict[int, int] = {}

    def learn(self, key: str) -> None:
        """Take notice of a key."""
        seen = self._seen
        while len(seen) < len(key):
            seen.append(set())
            self._letters.append([])
        for position, character in enumerate(key):
            if character not in seen[position]:
                seen[position].add(character)
                self._letters[position] = _letters(seen[position])
                self._tops.clear()

    def at(self, position: int) -> list[str]:
        """Return the characters to expect at a position, ascending: those seen, and where they vary their like."""
        return self._letters[position] if position < len(self._letters) else []

    def common_prefix(self, minimum: int) -> int:
        """Return how many leading positions have shown one character alone; at least `minimum`."""
        length = minimum
        while length < len(self._seen) and len(self._seen[length]) == 1:
            length += 1
        return length

    def value(self, key: str, offset: int) -> int:
        """Return where a key stands among those with the same first `offset` characters, from 0 to `top(offset)`."""
        value = 0
        for position in range(offset, offset + _DIGITS):
            letters = self.at(position)
            value *= _base(letters)
            if position < len(key):
                value += _rank(letters, key[position])
        return value

    def top(self, offset: int) -> int:
        """Return the value after all keys with the same first `offset` characters."""
        if offset not in self._tops:
            top = 1
            for position in range(offset, offset + _DIGITS):
                top *= _base(self.at(position))
            self._tops[offset] = top
        return self._tops[offset]

    def key_between(self, value: int, start: str, end: str, offset: int) -> str:
        """Return the shortest key near `value` that begins as `start` does up to `offset`, and lies between.

        `value` is as `value(key, offset)` gives it. Empty when there is no such key.
        """
        unit = self.top(offset)
        key = start[:offset]
        for position in range(offset, offset + _DIGITS):
            letters = self.at(position)
            unit //= _base(letters)
            rank, value = divmod(value, unit)
            if rank == 0 or not letters:
                break
            key += letters[min((rank - 1) // 2, len(letters) - 1)]
            if start < key and (not end or key < end):
                return key
        return ""


def _letters(seen: set[str]) -> list[str]:
    if len(seen) < 2:
        return sorted(seen)
    expected = seen.union(*(like for like in _LIKE if seen & like))
    if any("g" <= character <= "z" for character in seen):
        expected |= set(string.ascii_lowercase)
    return sorted(expected)


def _base(letters: list[str]) -> int:
    """How many ranks a position has: a key that ends there, the letters, and the gaps around them."""
    return 2 * len(letters) + 2


def _rank(letters: list[str], character: str) -> int:
    index = bisect_left(letters, character)
    present = index < len(letters) and letters[index] == character
    return 2 * index + (2 if present else 1)


def pivot(current: Range, alphabet: Alphabet) -> str:
    """Return a key strictly between a range's start and end at which to split it; empty when there is none.

    First the end is tried of what all keys so far have in common; whoever finds nothing beyond it has learned that
    the range ends there. Then the middle by the alphabet.
    """
    shared = _common(current.start, current.end) if current.end else 0
    beyond = _beyond_all(current, shared, alphabet)
    if beyond:
        return beyond
    for offset in _offsets(current, shared, alphabet):
        prefix = current.start[:offset]
        low = alphabet.value(current.start, offset)
        ends_here = current.end and current.end[:offset] == prefix
        high = alphabet.value(current.end, offset) if ends_here else alphabet.top(offset)
        middle = alphabet.key_between((low + high) // 2, current.start, current.end, offset)
        if middle:
            return middle
    return ""


def _offsets(current: Range, shared: int, alphabet: Alphabet) -> Iterator[int]:
    """Yield the positions from which to look for a middle: the first that differs, then those that are seen to vary.

    Names within keys, such as the `/month=` of `2026/month=01`, are long, and nothing is to be found in them.
    """
    yield shared
    further = range(shared + 1, max(len(current.start), shared) + 2)
    yield from islice((offset for offset in further if len(alphabet.at(offset)) > 1), _OFFSETS)


def remaining(current: Range, alphabet: Alphabet) -> float:
    """Estimate how many keys are left in a range, by how dense its last page was; infinite when unknown.

    The estimate is kept in `current.size` until the range changes.
    """
    if current.size is None:
        current.size = _estimate(current, alphabet)
    return current.size


def _estimate(current: Range, alphabet: Alphabet) -> float:
    if not current.listed or not current.end:
        return inf
    shared = _common(current.before, current.end)
    before, now, end = (alphabet.value(key, shared) for key in (current.before, current.start, current.end))
    if now <= before:
        return inf
    return current.listed * max(end - now, 0) / (now - before)


def _beyond_all(current: Range, shared: int, alphabet: Alphabet) -> str:
    """Return where the keys end that begin as all keys so far do, if that lies within the range."""
    length = alphabet.common_prefix(shared)
    if shared < length <= len(current.start):
        beyond = after_all(current.start[:length])
        if current.start < beyond and (not current.end or beyond < current.end):
            return beyond
    return ""


def _common(first: str, second: str) -> int:
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length


def after_all(prefix: str) -> str:
    """Return the first key after all that begin with a prefix; keys never reach the last code points."""
    last = prefix[-1]
    following = chr(ord(last) + 1) if last < _LAST_CHARACTER else last
    return prefix[:-1] + ("\ue000" if "\ud800" <= following <= "\udfff" else following)

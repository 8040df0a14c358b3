"""As much of Thrift's compact protocol as it takes to find one integer of a struct: the rest is skipped.

Contract: Apache Thrift, "Thrift Compact protocol encoding".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = 1, 2, 3, 7, 8, 9, 10, 11, 12, 13
_INTEGERS: Final = {4, 5, 6}
_FIXED: Final = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8, _UUID: 16}
_DEEPEST = 64


def member(data: bytes, number: int) -> int | None:
    """Return the integer that a struct has as its member of that number; None where it has none, or is no struct."""
    reader = _Reader(data)
    try:
        for found, kind in reader.members():
            if found == number and kind in _INTEGERS:
                return reader.integer()
            reader.skip(kind, _DEEPEST)
    except (IndexError, KeyError, RecursionError):
        return None
    return None


class _Reader:
    """Reads from the start to the end. Raises IndexError where the data ends, KeyError for no known kind."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def members(self) -> Iterator[tuple[int, int]]:
        """Yield number and kind of each member of a struct; its value must be read before the next."""
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self.integer()
            yield number, head & 15

    def integer(self) -> int:
        """Return a zigzag integer."""
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int, depth: int) -> None:
        """Pass over a value."""
        if not depth:
            raise RecursionError
        if kind in _INTEGERS:
            self._unsigned()
        elif kind == _BINARY:
            self._pass(self._unsigned())
        elif kind in {_LIST, _SET}:
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._unsigned()
            self._skip_all([head & 15], count, depth)
        elif kind == _MAP:
            count = self._unsigned()
            kinds = self._byte() if count else 0
            self._skip_all([kinds >> 4, kinds & 15], count, depth)
        elif kind == _STRUCT:
            for _, each in self.members():
                self.skip(each, depth - 1)
        else:
            self._pass(_FIXED[kind])

    def _skip_all(self, kinds: list[int], count: int, depth: int) -> None:
        for _ in range(count):
            for kind in kinds:
                # In a list a truth value has a byte, as a member it has none.
                self.skip(_BYTE if kind in {_TRUE, _FALSE} else kind, depth - 1)

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def _byte(self) -> int:
        self._pass(1)
        return self._data[self._at - 1]

    def _pass(self, count: int) -> None:
        self._at += count
        if self._at > len(self._data):
            raise IndexError

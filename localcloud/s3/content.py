"""The bytes of objects that are declared, not stored: described by pattern, start and length, made when read.

A pattern is an endless, deterministic sequence of bytes. `Content` is a piece of one, or several pieces in a row,
and stands in moto where `bytes` would: it has a length and slices, and costs the same at any size.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXACT_BYTES = 32 * 1024 * 1024
"""Up to this length the MD5 of a content is that of its bytes; above, that of its description, at no cost."""

_BLOCK = 4096
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pattern:
    """`length` bytes of the pattern named `seed`, from offset `start` on."""

    seed: str
    start: int
    length: int

    def cut(self, start: int, stop: int) -> Pattern:
        """Return the bytes from `start` up to `stop`."""
        return Pattern(self.seed, self.start + start, stop - start)

    def read(self) -> bytes:
        """Return the bytes: each block of 4,096 repeats a hash of the seed and the block's number."""
        first, skipped = divmod(self.start, _BLOCK)
        last = (self.start + self.length + _BLOCK - 1) // _BLOCK
        seed = hashlib.sha256(self.seed.encode())
        blocks = bytearray()
        for number in range(first, last):
            stamp = seed.copy()
            stamp.update(number.to_bytes(8, "big"))
            blocks += stamp.digest() * (_BLOCK // 32)
        return bytes(blocks[skipped : skipped + self.length])

    def describe(self) -> bytes:
        """Return what stands for the bytes in the digest of a large content."""
        return f"{self.seed!r}:{self.start}:{self.length};".encode()


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes as they were uploaded."""

    data: bytes

    @property
    def length(self) -> int:
        """Return the number of bytes."""
        return len(self.data)

    def cut(self, start: int, stop: int) -> Literal:
        """Return the bytes from `start` up to `stop`."""
        return Literal(self.data[start:stop])

    def read(self) -> bytes:
        """Return the bytes."""
        return self.data

    def describe(self) -> bytes:
        """Return what stands for the bytes in the digest of a large content."""
        return hashlib.md5(self.data, usedforsecurity=False).digest()


Piece = Pattern | Literal


class Content:
    """Bytes described by pieces. `content[a:b]` is a Content too; `bytes(content)` makes all of them."""

    def __init__(self, pieces: Iterable[Piece] = ()) -> None:
        self._pieces = _merged(pieces)
        self._length = sum(piece.length for piece in self._pieces)

    @classmethod
    def of(cls, seed: str, size: int) -> Content:
        """Return the first `size` bytes of a pattern."""
        return cls([Pattern(seed, 0, size)])

    @classmethod
    def joined(cls, parts: Iterable[bytes | Content]) -> Content:
        """Return the parts in a row."""
        return cls(
            piece
            for part in parts
            for piece in (part._pieces if isinstance(part, Content) else (Literal(bytes(part)),))
        )

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, wanted: slice) -> Content:
        start, stop, step = wanted.indices(self._length)
        if step != 1:
            raise ValueError(f"slice step is {step}; only 1 is supported")
        found, place = [], 0
        for piece in self._pieces:
            low, high = max(start - place, 0), min(stop - place, piece.length)
            if low < high:
                found.append(piece.cut(low, high))
            place += piece.length
        return Content(found)

    def __bytes__(self) -> bytes:
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, a megabyte at a time."""
        for piece in self._pieces:
            for place in range(0, piece.length, _CHUNK):
                yield piece.cut(place, min(place + _CHUNK, piece.length)).read()

    def md5(self) -> str:
        """Return what S3 would show as ETag: in hexadecimal, the same for the same content."""
        if self._length > EXACT_BYTES:
            described = b"".join(piece.describe() for piece in self._pieces)
            return hashlib.md5(described, usedforsecurity=False).hexdigest()
        if all(isinstance(piece, Pattern) for piece in self._pieces):
            return _exact_md5(self._pieces)
        return _md5(self)


@lru_cache(maxsize=65536)
def _exact_md5(pieces: tuple[Piece, ...]) -> str:
    return _md5(Content(pieces))


def _md5(content: Content) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in content.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return the pieces with neighbours of one pattern made one, so that equal contents are described alike."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if (
            isinstance(last, Pattern)
            and isinstance(piece, Pattern)
            and (last.seed, last.start + last.length) == (piece.seed, piece.start)
        ):
            found[-1] = Pattern(last.seed, last.start, last.length + piece.length)
        elif piece.length:
            found.append(piece)
    return tuple(found)


class ContentStream(io.RawIOBase):
    """A content read as a file, from its start, without making more than is asked for."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._place = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return the next `size` bytes, fewer at the end, or all that are left."""
        left = len(self._content) - self._place
        wanted = left if size is None or size < 0 else min(size, left)
        data = bytes(self._content[self._place : self._place + wanted])
        self._place += wanted
        return data

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yield what is left, as urllib3's responses do."""
        rest = self._content[self._place :]
        self._place = len(self._content)
        return rest.chunks()

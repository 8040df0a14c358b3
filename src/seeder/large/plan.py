"""Into which parts an object is copied, and how long that takes.

Bounds are those of the S3 User Guide, "Amazon S3 multipart upload limits".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, groupby, repeat
from typing import NamedTuple

from seeder.errors import InvalidRequest

MIB = 1024**2
GIB = 1024**3

# One UploadPartCopy each; as many as the connections of a client.
STREAMS = 64
# Assumptions, not measurements of this project: what one UploadPartCopy copies a second, usually and at worst.
USUAL_BYTES_PER_SECOND = 50_000_000
WORST_BYTES_PER_SECOND = 20_000_000
# AWS Lambda's longest call, and what of it is kept for answering.
CALL_SECONDS = 900
STOP_SECONDS = 30


class Bounds(NamedTuple):
    """What a multipart upload takes, in bytes and parts; `usual` is the size of parts where nothing speaks for another.

    Every part but the last has at least `least` bytes, none more than `most`.
    """

    least: int = 5 * MIB
    most: int = 5 * GIB
    parts: int = 10_000
    usual: int = 128 * MIB

    @property
    def largest(self) -> int:
        """The largest object: 10,000 parts of 5 GiB, 53,687,091,200,000 bytes."""
        return self.parts * self.most


S3 = Bounds()


class Part(NamedTuple):
    """A part: its number from 1, where it starts in the object, and its size in bytes."""

    number: int
    start: int
    size: int

    @property
    def range(self) -> str:
        """The header x-amz-copy-source-range; "" for the part of an empty object, which has none."""
        return f"bytes={self.start}-{self.start + self.size - 1}" if self.size else ""


def plan(size: int, source_part_sizes: Sequence[int] | None = None, bounds: Bounds = S3) -> list[Part]:
    """Divide an object of `size` bytes into parts.

    The source's own parts are kept where they are given, add up and are within the bounds, so that an ETag made of
    their digests stays what it is. Else parts are 128 MiB, or larger where 10,000 of those don't suffice.
    Raises InvalidRequest for more than 10,000 parts of 5 GiB can hold.
    """
    if size > bounds.largest:
        raise InvalidRequest(
            "size",
            f"{size} bytes are more than a multipart upload takes ({bounds.largest}); no copy can be made",
        )
    sizes = list(source_part_sizes or ())
    if sum(sizes) != size or not _within(sizes, bounds):
        sizes = _even(size, bounds)
    starts = accumulate(sizes, initial=0)
    return [
        Part(number, start, bytes_)
        for number, (start, bytes_) in enumerate(zip(starts, sizes, strict=False), 1)
    ]


def _within(sizes: list[int], bounds: Bounds) -> bool:
    return (
        1 <= len(sizes) <= bounds.parts
        and all(bounds.least <= size <= bounds.most for size in sizes[:-1])
        and 1 <= sizes[-1] <= bounds.most
    )


def _even(size: int, bounds: Bounds) -> list[int]:
    each = max(bounds.usual, bounds.least * math.ceil(size / (bounds.parts * bounds.least)))
    whole, rest = divmod(size, each)
    return [each] * whole + ([rest] if rest or not whole else [])


def pack(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """Return the sizes of parts as (bytes, how many in a row); `unpack` makes parts of them again."""
    return [(size, len(list(group))) for size, group in groupby(part.size for part in parts)]


def unpack(packed: Sequence[tuple[int, int]]) -> list[Part]:
    """Return the parts whose sizes were packed."""
    sizes = [size for bytes_, count in packed for size in repeat(bytes_, count)]
    starts = accumulate(sizes, initial=0)
    return [
        Part(number, start, size) for number, (start, size) in enumerate(zip(starts, sizes, strict=False), 1)
    ]


def reserve_seconds(part_bytes: int) -> float:
    """Return how many seconds a call must have left to begin a part: its time at worst, and that for answering."""
    return part_bytes / WORST_BYTES_PER_SECOND + STOP_SECONDS


class Expected(NamedTuple):
    """What a copy takes: parts, seconds of copying, and calls of at most 15 minutes."""

    parts: int
    seconds: float
    calls: int


def expect(
    size: int, bytes_per_second: float = USUAL_BYTES_PER_SECOND, streams: int = STREAMS, bounds: Bounds = S3
) -> Expected:
    """Return what a copy of `size` bytes takes, in parts of this module's choice.

    Assumes that each of `streams` parts at once is copied with `bytes_per_second`, whatever their number.
    Raises InvalidRequest as `plan`.
    """
    parts = plan(size, bounds=bounds)
    part_bytes = parts[0].size
    waves = math.ceil(len(parts) / streams)
    seconds_of_wave = max(part_bytes / bytes_per_second, 0.001)
    waves_of_call = math.floor((CALL_SECONDS - reserve_seconds(part_bytes)) / seconds_of_wave) + 1
    return Expected(len(parts), waves * seconds_of_wave, math.ceil(waves / waves_of_call))

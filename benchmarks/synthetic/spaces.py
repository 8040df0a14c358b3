"""Key spaces as functions of an index: any key, and the place of any marker, without a list of keys.

A space is cut into blocks of about a thousand keys. The keys of a block share a head, which is a function of the
block's number, and end in one of the tails, which are the same for all blocks. Heads rise with the number of the
block and none begins another, so that order within a block is the order of the tails.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

BLOCK = 1000
NAMES = ("flat", "hash", "nested", "skewed", "awkward", "versions", "one-key")

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_HASH_DIGITS = 32
_SEED = 20260101
_HEADS = 10**9
_DENSE_FROM, _DENSE_TO = 420_000_000, 430_000_000
_AWKWARD = (
    "",
    " ",
    "  two",
    "+",
    "%",
    "%2B",
    "&<>\"'",
    "*~",
    "=@,;:",
    "\n",
    "é",
    "\uff5e",
    "\U0001f600",
    "_",
    "(1)",
)


@dataclass(frozen=True)
class Space:
    """`keys` keys in `blocks` blocks, each key with `versions` versions; keys are UTF-8 bytes.

    `is_replica` marks the second bucket of a pair, of which a few objects differ (see `replica`); `is_mixed`
    a space of which a few objects are over 5 GiB, archived, or listed with a checksum.
    """

    keys: int
    blocks: int
    head: Callable[[int], bytes]
    tails: tuple[bytes, ...]
    versions: int = 1
    is_versioned: bool = False
    is_mixed: bool = False
    is_replica: bool = False

    def start(self, block: int) -> int:
        """Return the index of the first key of a block; sizes of blocks differ by one at most."""
        return block * self.keys // self.blocks

    def block_of(self, index: int) -> int:
        """Return the block that holds the key of an index."""
        return ((index + 1) * self.blocks - 1) // self.keys

    def key(self, index: int) -> bytes:
        """Return the key of an index, 0 ≤ index < keys."""
        block = self.block_of(index)
        return self.head(block) + self.tails[index - self.start(block)]

    def left(self, marker: bytes) -> int:
        """Return how many keys come before `marker`."""
        block = bisect_left(range(self.blocks), marker, key=self.head) - 1
        return self._within(block, marker, bisect_left)

    def right(self, marker: bytes) -> int:
        """Return how many keys are not after `marker`."""
        block = bisect_right(range(self.blocks), marker, key=self.head) - 1
        return self._within(block, marker, bisect_right)

    def _within(self, block: int, marker: bytes, bisect: Callable[..., int]) -> int:
        if block < 0:
            return 0
        head = self.head(block)
        if not marker.startswith(head):
            return self.start(block + 1)
        size = self.start(block + 1) - self.start(block)
        return self.start(block) + bisect(self.tails, marker[len(head) :], 0, size)


@dataclass(frozen=True)
class Bucket:
    """What ListObjectsV2 and what ListObjectVersions show of one bucket."""

    objects: Space
    versions: Space


def bucket(name: str, entries: int, versions_per_key: int = 3) -> Bucket:
    """Return a bucket of the space `name` (one of NAMES) with `entries` rows: objects, or versions of objects.

    Raises ValueError for an unknown name, or a number of rows that the space cannot have.
    """
    if entries < 1:
        raise ValueError("a space needs at least one key")
    if name == "versions":
        if entries % versions_per_key:
            raise ValueError(f"{entries} versions are not {versions_per_key} of each key")
        space = replace(_flat(entries // versions_per_key), versions=versions_per_key, is_versioned=True)
        return Bucket(space, space)
    if name == "one-key":
        return _one_key(entries)
    makers = {"flat": _flat, "hash": _hash, "nested": _nested, "skewed": _skewed, "awkward": _awkward}
    if name not in makers:
        raise ValueError(f"no space '{name}': {', '.join(NAMES)}")
    space = makers[name](entries)
    return Bucket(space, space)


def replica(of: Bucket) -> Bucket:
    """Return the bucket's replica: in each thousand keys one is missing, one is extra and one holds another object."""

    def differing(space: Space) -> Space:
        tails = tuple(tail + b"~" if j % BLOCK == 7 else tail for j, tail in enumerate(space.tails))
        return replace(space, tails=tails, is_replica=True)

    return Bucket(differing(of.objects), differing(of.versions))


def _blocks(keys: int) -> int:
    return -(-keys // BLOCK)


def _numbered(keys: int) -> tuple[bytes, ...]:
    return tuple(b"%03d.bin" % number for number in range(-(-keys // _blocks(keys))))


def _flat(keys: int) -> Space:
    """`object-0000012345.bin`: zero-padded decimal numbers."""
    return Space(keys, _blocks(keys), lambda block: b"object-%07d" % block, _numbered(keys))


def _hash(keys: int) -> Space:
    """`3fa85f64…`: 32 hex digits, evenly spread."""
    digits = 0
    while keys // 16 ** (digits + 1) >= BLOCK // 4:
        digits += 1
    blocks, rest = 16**digits, _HASH_DIGITS - digits
    drawn = random.Random(_SEED)  # noqa: S311 - keys that look random, the same in every run
    tails = sorted({b"%0*x" % (rest, drawn.getrandbits(4 * rest)) for _ in range(-(-keys // blocks))})
    return Space(keys, blocks, lambda block: b"%0*x" % (digits, block) if digits else b"", tuple(tails))


def _nested(keys: int) -> Space:
    """`logs/year=2020/month=01/day=01/hour=00/part-00000.json.gz`: about a thousand keys an hour."""

    def head(block: int) -> bytes:
        hour = _EPOCH + timedelta(hours=block)
        return b"logs/year=%d/month=%02d/day=%02d/hour=%02d/" % hour.timetuple()[:4]

    tails = tuple(b"part-%05d.json.gz" % number for number in range(-(-keys // _blocks(keys))))
    return Space(keys, _blocks(keys), head, tails)


def _skewed(keys: int) -> Space:
    """`user-421337000123.bin`: half of the keys between 420… and 430…, one hundredth of the numbers."""
    blocks = _blocks(keys)
    dense = blocks // 2
    below = (blocks - dense) * _DENSE_FROM // (_HEADS - (_DENSE_TO - _DENSE_FROM))
    above = blocks - dense - below
    pieces = ((0, below, 0, _DENSE_FROM), (below, dense, _DENSE_FROM, _DENSE_TO))
    last = (below + dense, above, _DENSE_TO, _HEADS)

    def head(block: int) -> bytes:
        first, count, low, high = next((p for p in pieces if block < p[0] + p[1]), last)
        return b"user-%09d" % (low + (block - first) * (high - low) // count)

    return Space(keys, blocks, head, _numbered(keys))


def _awkward(keys: int) -> Space:
    """Spaces, `+`, `%`, quotes, a line end, Unicode in and beyond the basic plane; large and archived objects."""
    names = sorted(f"{j // 15:03d}{_AWKWARD[j % 15]}.txt".encode() for j in range(BLOCK))

    def head(block: int) -> bytes:
        return f"été 100%+/{block:06d} & ".encode()

    return Space(keys, _blocks(keys), head, tuple(names), is_mixed=True)


def _one_key(versions: int) -> Bucket:
    """One key with all versions, which the version space holds as blocks of one key of the same name."""
    blocks = _blocks(versions)
    if versions % blocks:
        raise ValueError(f"{versions} versions of one key are not whole thousands")
    objects = Space(1, 1, lambda _: b"the/only/key", (b"",), is_versioned=True)
    return Bucket(objects, replace(objects, keys=blocks, blocks=blocks, versions=versions // blocks))

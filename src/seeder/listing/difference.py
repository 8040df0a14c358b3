"""The difference of two buckets: what the destination lacks, holds differently, or has besides.

Both sides are walked together, range by range, in memory that does not grow with the buckets, in as many calls as it
takes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from seeder.listing.ranges import Range
from seeder.listing.stretch import Entry, Stretch
from seeder.listing.two_sided import TwoSidedWalk
from seeder.listing.wire import Wire

__all__ = ["Difference", "Entry", "Pair", "compare", "same", "unequal"]

_MULTIPART_MARK = "-"
_NULL_VERSION = "null"
# So few entries are compared one by one; more are cut in half until what is left of them is equal, or so few.
_FEW = 16


class Pair(NamedTuple):
    """What both buckets hold of a key, or of one version of it, and that is not the same; None where there is none."""

    ours: Entry | None
    theirs: Entry | None


@dataclass
class Difference:
    """Counts of objects by comparison, with one example key for each kind that is not equal.

    `left` are the ranges that were not compared when time was out.
    """

    equal: int = 0
    missing: int = 0
    different: int = 0
    extra: int = 0
    missing_example: str = ""
    different_example: str = ""
    extra_example: str = ""
    left: list[Range] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether the destination holds just what the source holds."""
        return not (self.missing or self.different or self.extra or self.left)

    def add(self, pair: Pair) -> Entry | None:
        """Count a pair that is not the same; return what the destination needs."""
        if pair.ours is None:
            self.extra += 1
            self.extra_example = self.extra_example or (pair.theirs.key if pair.theirs else "")
        elif pair.theirs is None:
            self.missing += 1
            self.missing_example = self.missing_example or pair.ours.key
        else:
            self.different += 1
            self.different_example = self.different_example or pair.ours.key
        return pair.ours


def compare(
    source: Wire,
    destination: Wire,
    needed: Callable[[list[Entry]], None] = lambda _: None,
    prefix: str = "",
    workers: int = 16,
    ranges: list[Range] | None = None,
    out_of_time: Callable[[], bool] = lambda: False,
    most_range_bytes: int = 1024 * 1024,
    etags: bool = True,
) -> Difference:
    """Compare two buckets, or the keys with a prefix; `needed` gets what the destination lacks or holds differently.

    Wires that list versions compare them by version id, as replication keeps it; delete markers are left out. `ranges`
    are those that an earlier call left; `out_of_time` and `most_range_bytes` are as for `Walk`, `etags` as for `same`.

    Raises Unordered, UnexpectedAnswer, Throttled, ServiceUnavailable, ClientError.
    """
    result = Difference()

    def merge(ours: Stretch, theirs: Stretch) -> None:
        wanting = [entry for pair in unequal(ours, theirs, etags) if (entry := result.add(pair))]
        result.equal += ours.proven + len(ours.keys) - len(wanting)
        if wanting:
            needed(wanting)

    walk = TwoSidedWalk(source, destination, merge, ranges, prefix, workers, out_of_time, most_range_bytes)
    result.left = walk.run()
    return result


def same(ours: Entry, theirs: Entry, etags: bool = True) -> bool:
    """Tell whether two objects of one key, or two versions of one id, hold the same.

    By size and ETag; where their ETags can't be compared, by size and version id, or size and time. With `etags`
    false none can: objects encrypted with KMS keys have ETags that are no digests (API reference, Object).
    """
    if ours.size != theirs.size:
        return False
    if ours.etag == theirs.etag:
        return True
    if etags and comparable(ours, theirs):
        return False
    return is_replica(ours, theirs) or not_before(ours, theirs)


def comparable(ours: Entry, theirs: Entry) -> bool:
    """Tell whether ETags that differ prove that the objects differ.

    That of a multipart upload depends on its parts, which a copy need not keep.
    """
    return _MULTIPART_MARK not in ours.etag and _MULTIPART_MARK not in theirs.etag


def is_replica(ours: Entry, theirs: Entry) -> bool:
    """Tell whether a version is the same by its id: replication alone keeps the id, and a version never changes.

    All versions written while versioning was off or suspended share one id, which proves nothing.
    """
    return ours.version == theirs.version and ours.version not in {"", _NULL_VERSION}


def not_before(ours: Entry, theirs: Entry) -> bool:
    """Tell whether theirs may be a copy of ours by its time: a copy is not written before what it copies."""
    return theirs.modified >= ours.modified


def unequal(ours: Stretch, theirs: Stretch, etags: bool = True) -> Iterator[Pair]:
    """Yield what two sides of the same stretch of keys do not hold alike; `etags` as for `same`.

    Raises UnexpectedAnswer.
    """
    if ours.holds_same(theirs):
        return
    first, second = len(ours.keys), len(theirs.keys)
    longer = max(ours.keys, theirs.keys, key=len)
    middle = bisect_right(longer, longer[len(longer) // 2]) if longer else 0
    if len(longer) <= _FEW or middle == len(longer) or not (first and second):
        yield from _one_by_one(ours, theirs, etags)
        return
    bound = longer[middle - 1]
    at, other_at = bisect_right(ours.keys, bound), bisect_right(theirs.keys, bound)
    yield from unequal(ours.cut(0, at), theirs.cut(0, other_at), etags)
    yield from unequal(ours.cut(at, first), theirs.cut(other_at, second), etags)


def _one_by_one(ours: Stretch, theirs: Stretch, etags: bool) -> Iterator[Pair]:
    mine, others = _indices(ours), _indices(theirs)
    for name, index in mine.items():
        other = others.get(name)
        if other is None:
            yield Pair(ours.entry(index), None)
        elif ours.facts[index] != theirs.facts[other]:
            pair = ours.entry(index), theirs.entry(other)
            if not same(*pair, etags):
                yield Pair(*pair)
    for name, index in others.items():
        if name not in mine:
            yield Pair(None, theirs.entry(index))


def _indices(side: Stretch) -> dict[object, int]:
    """Return where each key stands, or each version of it."""
    names = zip(side.keys, side.versions, strict=True) if side.versions else side.keys
    return {name: index for index, name in enumerate(names)}

"""The difference of two buckets: what the destination lacks, holds differently, or has besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from seeder.listing.pages import Listed

_MULTIPART_MARK = "-"


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


def compare(source: Iterable[list[Listed]], destination: Iterable[list[Listed]]) -> Difference:
    """Walk the pages of both sides together, in constant memory, and count."""
    result = Difference()
    for ours, theirs in _paired(chain.from_iterable(source), chain.from_iterable(destination)):
        if ours and theirs:
            if same(ours, theirs):
                result.equal += 1
            else:
                result.different += 1
                result.different_example = result.different_example or ours.key
        elif ours:
            result.missing += 1
            result.missing_example = result.missing_example or ours.key
        elif theirs:
            result.extra += 1
            result.extra_example = result.extra_example or theirs.key
    return result


def same(ours: Listed, theirs: Listed) -> bool:
    """Tell whether two objects of one key hold the same, by size and, where they can be compared, by ETag.

    The ETag of a multipart upload depends on its parts, which a copy need not keep.
    """
    comparable = _MULTIPART_MARK not in ours.etag and _MULTIPART_MARK not in theirs.etag
    return ours.size == theirs.size and (not comparable or ours.etag == theirs.etag)


def _paired(
    source: Iterator[Listed], destination: Iterator[Listed]
) -> Iterator[tuple[Listed | None, Listed | None]]:
    """Yield both sides' objects of each key, in the order of the keys' UTF-8 bytes."""
    ours, theirs = next(source, None), next(destination, None)
    while ours is not None or theirs is not None:
        our_key = ours.key.encode() if ours else None
        their_key = theirs.key.encode() if theirs else None
        if their_key is None or (our_key is not None and our_key < their_key):
            yield ours, None
            ours = next(source, None)
        elif our_key is None or their_key < our_key:
            yield None, theirs
            theirs = next(destination, None)
        else:
            yield ours, theirs
            ours, theirs = next(source, None), next(destination, None)

"""A bucket that holds what was copied of a synthetic one: a mark for each key, in a file that processes share.

The server lists by the marks, and who does copies sets them, so that a listing shows what was really copied.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from benchmarks.synthetic.listings import Listing, Page, Query, Refused, successor
from benchmarks.synthetic.spaces import Bucket, Space

ABSENT, COPIED, FAILED_ONCE = 0, 1, 2

_HELD = bytes([COPIED])
_RUN = re.compile(_HELD + b"+")


def make_marks(path: Path, keys: int) -> None:
    """Make the file of marks, nothing copied."""
    path.write_bytes(bytes(keys))


def open_marks(path: Path) -> mmap.mmap:
    """Open the marks, a byte for each key, to read and to write."""
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 0)


class CopiesListing(Listing):
    """Lists what was copied of a bucket, by ListObjectsV2 and without a delimiter."""

    def __init__(self, name: str, of: Bucket, marks: mmap.mmap) -> None:
        super().__init__(name, of)
        self._marks = marks

    def versions(self, query: Query) -> bytes:
        """Raise Refused: only objects are copied."""
        raise Refused(501, "NotImplemented", "This bucket lists objects only.")

    def _page(self, space: Space, query: Query, first: int, marker: bytes, limit: int) -> Page:
        if query.get(b"delimiter"):
            raise Refused(501, "NotImplemented", "This bucket lists without a delimiter.")
        prefix = query.get(b"prefix", b"")
        at = max(first, space.left(prefix))
        stop = space.left(successor(prefix)) if prefix else space.keys
        page = Page()
        while (begin := self._marks.find(_HELD, at, stop)) >= 0 and page.count < limit:
            run = _RUN.match(self._marks, begin, min(stop, begin + limit - page.count))
            assert run is not None  # noqa: S101 - found just now
            at = run.end()
            page.runs.append((begin, at))
        page.next_index, page.is_truncated = at, limit > 0 and begin >= 0
        return page

"""Which objects of a page go where: to be copied, too large for a copy, archived, or left out by a filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import Page

# CopyObject takes up to 5 GiB (S3 User Guide, "Copy objects with S3 Batch Operations").
LARGEST_COPY = 5 * 1024**3
ARCHIVED = frozenset({"DEEP_ARCHIVE", "GLACIER"})

_TEN_DIGITS = re.compile(rb"<Size>\d{10}")
_ARCHIVED = re.compile(rb"<StorageClass>(?:%b)<" % b"|".join(name.encode() for name in sorted(ARCHIVED)))
_OBJECT = re.compile(rb"<(Contents|Version|DeleteMarker)>(.*?)</\1>", re.DOTALL)
_SIZE = re.compile(rb"<Size>(\d+)</Size>")
_CLASS = re.compile(rb"<StorageClass>([^<]*)</StorageClass>")
_MODIFIED = re.compile(rb"<LastModified>([^<]*)</LastModified>")


class Chosen(NamedTuple):
    """Indices of a page's entries by where they go; None means all entries."""

    copy: list[int] | None
    large: list[int]
    archived: list[int]


@dataclass(frozen=True)
class Selection:
    """What to take of a bucket. `largest` is the size in bytes above which an object can't be copied; None: any can.

    `archived` tells whether archived objects are set apart. The other members are filters of the request.
    """

    largest: int | None = LARGEST_COPY
    archived: bool = True
    suffix: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None
    size_at_least: int | None = None
    size_at_most: int | None = None
    storage_classes: frozenset[str] = frozenset()

    @property
    def filters(self) -> bool:
        """Whether anything is left out, so that every object must be looked at."""
        return bool(
            self.suffix
            or self.created_after
            or self.created_before
            or self.size_at_least is not None
            or self.size_at_most is not None
            or self.storage_classes
        )

    def choose(self, page: Page, stop: int) -> Chosen:
        """Sort the first `stop` entries of a page. Looks at each only where the page's bytes give reason to."""
        large = self.largest is not None and _TEN_DIGITS.search(page.body)
        archived = self.archived and _ARCHIVED.search(page.body)
        if not (self.filters or large or archived):
            return Chosen(None, [], [])
        chosen = Chosen([], [], [])
        objects = [match[2] for match in _OBJECT.finditer(page.body)]
        if len(objects) != len(page.keys):
            raise UnexpectedAnswer(f"a page of {len(page.keys)} keys shows {len(objects)} objects")
        for index, body in enumerate(objects[:stop]):
            size, storage = int(_first(_SIZE, body, b"0")), _first(_CLASS, body, b"STANDARD").decode()
            if self.filters and not self._wants(page, index, body, size, storage):
                continue
            if self.archived and storage in ARCHIVED:
                chosen.archived.append(index)
            elif self.largest is not None and size > self.largest:
                chosen.large.append(index)
            elif chosen.copy is not None:
                chosen.copy.append(index)
        return chosen

    def _wants(self, page: Page, index: int, body: bytes, size: int, storage: str) -> bool:
        if self.suffix and not page.decode(index).endswith(self.suffix):
            return False
        if self.storage_classes and storage not in self.storage_classes:
            return False
        if self.size_at_least is not None and size < self.size_at_least:
            return False
        if self.size_at_most is not None and size > self.size_at_most:
            return False
        if not (self.created_after or self.created_before):
            return True
        modified = datetime.fromisoformat(_first(_MODIFIED, body, b"").decode())
        return not (
            (self.created_after and modified <= self.created_after)
            or (self.created_before and modified >= self.created_before)
        )


def _first(pattern: re.Pattern[bytes], body: bytes, default: bytes) -> bytes:
    found = pattern.search(body)
    return found[1] if found else default

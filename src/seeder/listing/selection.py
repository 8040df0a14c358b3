"""Which objects of a page go where: to be copied, too large for a copy, archived, or left out by a filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import Page, understood

# CopyObject takes up to 5 GiB (S3 User Guide, "Copy objects with S3 Batch Operations").
LARGEST_COPY = 5 * 1024**3
ARCHIVED = frozenset({"DEEP_ARCHIVE", "GLACIER"})

_TEN_DIGITS = re.compile(rb"<Size>\d{10}")
_ARCHIVED = re.compile(rb"<StorageClass>(?:%b)<" % b"|".join(name.encode() for name in sorted(ARCHIVED)))
_OBJECT = re.compile(rb"<(Contents|Version|DeleteMarker)>(.*?)</\1>", re.DOTALL)
_SIZE = re.compile(rb"<Size>(\d+)</Size>")
_CLASS = re.compile(rb"<StorageClass>([^<]*)</StorageClass>")
RESTORED = b"<IsRestoreInProgress>false</IsRestoreInProgress>"
_MODIFIED = re.compile(rb"<LastModified>([^<]*)</LastModified>")


class Chosen(NamedTuple):
    """Indices of a page's entries by where they go; None means all entries."""

    copy: list[int] | None
    large: list[int]
    archived: list[int]


@dataclass(frozen=True)
class Selection:
    """What to take of a bucket. `largest` is the size in bytes above which an object can't be copied; None: any can.

    `archived` tells whether archived objects are set apart, `restored` whether not those of which the listing shows a
    restored copy (API reference, RestoreStatus). The other members are filters of the request.
    """

    largest: int | None = LARGEST_COPY
    archived: bool = True
    restored: bool = True
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
        with understood():
            for index, body in enumerate(objects[:stop]):
                size, storage = int(_first(_SIZE, body, b"0")), _first(_CLASS, body, b"STANDARD").decode()
                if self.filters:
                    key = page.decode(index) if self.suffix else ""
                    if not self.wants(key, size, storage, _first(_MODIFIED, body, b"").decode()):
                        continue
                readable = self.restored and RESTORED in body
                place = chosen[self.place(size, "" if readable else storage)]
                if place is not None:
                    place.append(index)
        return chosen

    def wants(self, key: str, size: int, storage: str, modified: str) -> bool:
        """Tell whether an object passes the filters; `modified` is an ISO 8601 time with its zone.

        What no filter asks for may be empty. Raises ValueError for a time that can't be read.
        """
        if self.suffix and not key.endswith(self.suffix):
            return False
        if self.storage_classes and storage not in self.storage_classes:
            return False
        if self.size_at_least is not None and size < self.size_at_least:
            return False
        if self.size_at_most is not None and size > self.size_at_most:
            return False
        if not (self.created_after or self.created_before):
            return True
        written = datetime.fromisoformat(modified)
        if written.tzinfo is None:
            raise ValueError(f"the time '{modified}' has no zone")
        return not (
            (self.created_after and written <= self.created_after)
            or (self.created_before and written >= self.created_before)
        )

    def place(self, size: int, storage: str) -> int:
        """Return where an object goes, as an index into `Chosen`: 0 to copy, 1 too large, 2 archived."""
        if self.archived and storage in ARCHIVED:
            return 2
        return 1 if self.largest is not None and size > self.largest else 0


def _first(pattern: re.Pattern[bytes], body: bytes, default: bytes) -> bytes:
    found = pattern.search(body)
    return found[1] if found else default

"""Counts what a listing shows, from the bytes of its pages: objects and bytes, by storage class, large and archived."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import BaseModel

from seeder.listing.page import Page
from seeder.listing.selection import ARCHIVED, LARGEST_COPY, Chosen
from seeder.listing.stretch import Entry

_OBJECT = re.compile(rb"<(Contents|Version|DeleteMarker)>(.*?)</\1>", re.DOTALL)
_SIZE = re.compile(rb"<Size>(\d+)</Size>")
_CLASS = re.compile(rb"<StorageClass>([^<]*)</StorageClass>")
_STANDARD, _ANY_CLASS = b"<StorageClass>STANDARD<", b"<StorageClass>"
_DEFAULT = "STANDARD"


class Tally(NamedTuple):
    """So many objects of so many bytes in all."""

    objects: int = 0
    bytes: int = 0

    def plus(self, objects: int, size: int) -> Tally:
        """Return this and more of both."""
        return Tally(self.objects + objects, self.bytes + size)


class Census(BaseModel):
    """What was listed so far; delete markers are not counted.

    `objects` and `bytes` are those that a run seeds, the `large` ones (over 5 GiB) among them; `classes` divides the
    same by storage class. `archived` are apart, by storage class. `unsized` objects came on a page without sizes.
    """

    objects: int = 0
    bytes: int = 0
    large: int = 0
    large_bytes: int = 0
    unsized: int = 0
    classes: dict[str, Tally] = {}
    archived: dict[str, Tally] = {}

    @property
    def size(self) -> int | None:
        """The bytes to seed; None where a page did not tell."""
        return None if self.unsized else self.bytes

    def add(self, page: Page, stop: int, chosen: Chosen | None = None) -> None:
        """Count the first `stop` entries of a page, or of them those that `Selection.choose` took."""
        if page.markers or chosen is None or chosen.copy is not None:
            self._add_each(page, _indices(page, stop, chosen))
            return
        # All entries go to be copied: none is large or archived.
        sizes = _SIZE.findall(page.body)
        if len(sizes) != len(page.keys):
            self._add_each(page, list(range(stop)))
            return
        numbers = list(map(int, sizes[:stop]))
        if page.body.count(_STANDARD) != page.body.count(_ANY_CLASS):
            self._count(numbers, _classes(page)[:stop])
            return
        total = sum(numbers)
        self.objects += stop
        self.bytes += total
        self._class(_DEFAULT, stop, total)

    def add_entries(self, entries: Iterable[Entry]) -> None:
        """Count single objects."""
        told = [(entry.size, entry.storage_class) for entry in entries]
        self._count([size for size, _ in told], [name for _, name in told])

    def _add_each(self, page: Page, indices: list[int]) -> None:
        sizes, classes = _sizes(page), _classes(page)
        if not sizes:
            self.objects += len(indices)
            self.unsized += len(indices)
            self._class(_DEFAULT, len(indices), 0)
            return
        self._count([sizes[index] for index in indices], [classes[index] for index in indices])

    def _count(self, sizes: list[int], classes: list[str]) -> None:
        for name in set(classes):
            found = [size for size, of in zip(sizes, classes, strict=True) if of == name]
            if name in ARCHIVED:
                self.archived[name] = self.archived.get(name, Tally()).plus(len(found), sum(found))
                continue
            large = [size for size in found if size > LARGEST_COPY]
            self.objects += len(found)
            self.bytes += sum(found)
            self.large += len(large)
            self.large_bytes += sum(large)
            self._class(name, len(found), sum(found))

    def _class(self, name: str, objects: int, size: int) -> None:
        if objects:
            self.classes[name] = self.classes.get(name, Tally()).plus(objects, size)


def _indices(page: Page, stop: int, chosen: Chosen | None) -> list[int]:
    """Return the entries to count, whether they are to be copied, large or archived; no delete markers."""
    taken = list(range(stop))
    if chosen is not None and chosen.copy is not None:
        taken = sorted([*chosen.copy, *chosen.large, *chosen.archived])
    return [index for index in taken if not (page.markers and page.markers[index])]


def _sizes(page: Page) -> list[int]:
    """Return the size of each entry, 0 for a delete marker; empty when the page's bytes do not show them."""
    sizes = _SIZE.findall(page.body)
    if len(sizes) == len(page.keys):
        return list(map(int, sizes))
    found = [_SIZE.search(entry) for entry in _entries(page)]
    return [int(match[1]) if match else 0 for match in found]


def _classes(page: Page) -> list[str]:
    """Return the storage class of each entry. Where none is told it is STANDARD."""
    classes = _CLASS.findall(page.body)
    if len(classes) == len(page.keys):
        return [name.decode() for name in classes]
    found = [_CLASS.search(entry) for entry in _entries(page)]
    return [match[1].decode() if match else _DEFAULT for match in found] or [_DEFAULT] * len(page.keys)


def _entries(page: Page) -> list[bytes]:
    entries = [match[2] for match in _OBJECT.finditer(page.body)]
    return entries if len(entries) == len(page.keys) else []

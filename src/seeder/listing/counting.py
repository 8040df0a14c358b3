"""Counts what a listing shows, from the bytes of its pages: objects and bytes, by storage class and by prefix."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from pydantic import BaseModel

from seeder.listing.first_parts import Stride, first_part, strides, strides_of
from seeder.listing.page import Page, understood
from seeder.listing.selection import ARCHIVED, LARGEST_COPY, Chosen
from seeder.listing.stretch import Entry

_OBJECT = re.compile(rb"<(Contents|Version|DeleteMarker)>(.*?)</\1>", re.DOTALL)
_SIZE = re.compile(rb"<Size>(\d+)</Size>")
_CLASS = re.compile(rb"<StorageClass>([^<]*)</StorageClass>")
_STANDARD, _ANY_CLASS = b"<StorageClass>STANDARD<", b"<StorageClass>"
_DEFAULT = "STANDARD"
# Prefixes told apart by one call; what comes when so many are there is counted with the others.
MOST_COUNTED = 10_000


class Bound(NamedTuple):
    """The most prefixes that are kept, and the most bytes that they take in JSON."""

    prefixes: int
    bytes: int


# A census travels in the state of an execution (256 KiB in all) while its walk goes on, and stands in the run's record.
WHILE_LISTED = Bound(200, 12 * 1024)
IN_A_RECORD = Bound(40, 8 * 1024)


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
    same by storage class, and `prefixes` by the first part of their keys: up to and with the first `/`, the empty text
    for keys that have none, cut to 128 characters (one without `/` at its end was cut). Each prefix there has all its
    objects; those of all others are `other_prefixes`, so that the sums are `objects` and `bytes`.
    `archived` are apart, by storage class. `unsized` objects came without their sizes.
    """

    objects: int = 0
    bytes: int = 0
    large: int = 0
    large_bytes: int = 0
    unsized: int = 0
    classes: dict[str, Tally] = {}
    archived: dict[str, Tally] = {}
    prefixes: dict[str, Tally] = {}
    other_prefixes: Tally = Tally()

    @property
    def size(self) -> int | None:
        """The bytes to seed; None where a page did not tell."""
        return None if self.unsized else self.bytes

    def add(self, page: Page, stop: int, chosen: Chosen | None = None) -> None:
        """Count the first `stop` entries of a page, or of them those that `Selection.choose` took."""
        if page.markers or chosen is None or chosen.copy is not None:
            self._add_each(page, stop, _indices(page, stop, chosen))
            return
        # All entries go to be copied: none is large or archived.
        sizes = _SIZE.findall(page.body)
        if len(sizes) != len(page.keys):
            self._add_each(page, stop, list(range(stop)))
            return
        with understood():
            numbers = list(map(int, sizes[:stop]))
        standard = page.body.count(_STANDARD)
        if standard != len(page.keys) and standard != page.body.count(_ANY_CLASS):
            self._count(strides(page, stop), numbers, _classes(page)[:stop])
            return
        total = sum(numbers)
        self.objects += stop
        self.bytes += total
        self._class(_DEFAULT, stop, total)
        self._divide(strides(page, stop), numbers)

    def add_objects(self, told: Iterable[tuple[str, int, str]], sized: bool = True) -> None:
        """Count single objects: key, size, and storage class of each; without `sized` their sizes are not known."""
        columns = list(zip(*told, strict=True))
        if columns:
            keys, sizes, classes = columns
            before = self.objects
            self._count(strides_of(map(first_part, keys)), list(sizes), list(classes))
            self.unsized += 0 if sized else self.objects - before

    def add_entries(self, entries: Iterable[Entry]) -> None:
        """Count single objects of a listing."""
        self.add_objects((entry.key, entry.size, entry.storage_class) for entry in entries)

    def kept(self, bound: Bound) -> Census:
        """Return this with no more than some prefixes: the largest, by their share of the objects or of the bytes.

        Once one was left out none is added, for it might be that one: what is there has all its objects.
        """
        kept: dict[str, Tally] = {}
        others, room = self.other_prefixes, bound.bytes
        for name, tally in self._largest_first():
            room -= len(json.dumps({name: tally}))
            if len(kept) < bound.prefixes and room >= 0:
                kept[name] = tally
            else:
                others = others.plus(*tally)
        return self.model_copy(update={"prefixes": kept, "other_prefixes": others}, deep=True)

    def _largest_first(self) -> list[tuple[str, Tally]]:
        def rank(item: tuple[str, Tally]) -> tuple[int, str]:
            name, (objects, size) = item
            return -max(objects * max(self.bytes, 1), size * max(self.objects, 1)), name

        return sorted(self.prefixes.items(), key=rank)

    def _add_each(self, page: Page, stop: int, indices: list[int]) -> None:
        sizes, classes = _sizes(page), _classes(page)
        parts = [part for part, keys in strides(page, stop) for _ in range(keys)]
        found = strides_of([parts[index] for index in indices])
        if not sizes:
            self.objects += len(indices)
            self.unsized += len(indices)
            self._class(_DEFAULT, len(indices), 0)
            self._divide(found, [0] * len(indices))
            return
        self._count(found, [sizes[index] for index in indices], [classes[index] for index in indices])

    def _count(self, found: list[Stride], sizes: list[int], classes: list[str]) -> None:
        names = set(classes)
        for name in names:
            of_class = [size for size, of in zip(sizes, classes, strict=True) if of == name]
            if name in ARCHIVED:
                self.archived[name] = self.archived.get(name, Tally()).plus(len(of_class), sum(of_class))
                continue
            large = [size for size in of_class if size > LARGEST_COPY]
            self.objects += len(of_class)
            self.bytes += sum(of_class)
            self.large += len(large)
            self.large_bytes += sum(large)
            self._class(name, len(of_class), sum(of_class))
        if not names & ARCHIVED:
            self._divide(found, sizes)
            return
        parts = [part for part, keys in found for _ in range(keys)]
        awake = [index for index, name in enumerate(classes) if name not in ARCHIVED]
        self._divide(strides_of([parts[index] for index in awake]), [sizes[index] for index in awake])

    def _class(self, name: str, objects: int, size: int) -> None:
        if objects:
            self.classes[name] = self.classes.get(name, Tally()).plus(objects, size)

    def _divide(self, found: list[Stride], sizes: list[int]) -> None:
        """Count objects by prefix; here no more is done than must be, for it may be done for each key."""
        prefixes, (objects, size) = self.prefixes, self.other_prefixes
        upto = list(accumulate(sizes, initial=0)) if len(found) > 1 else [0]
        at = 0
        for part, count in found:
            total = upto[at + count] - upto[at] if len(found) > 1 else sum(sizes)
            known = prefixes.get(part)
            if known:
                prefixes[part] = Tally(known[0] + count, known[1] + total)
            elif objects or len(prefixes) >= MOST_COUNTED:
                objects, size = objects + count, size + total
            else:
                prefixes[part] = Tally(count, total)
            at += count
        self.other_prefixes = Tally(objects, size)


def _indices(page: Page, stop: int, chosen: Chosen | None) -> list[int]:
    """Return the entries to count, whether they are to be copied, large or archived; no delete markers."""
    taken = list(range(stop))
    if chosen is not None and chosen.copy is not None:
        taken = sorted([*chosen.copy, *chosen.large, *chosen.archived])
    return [index for index in taken if not (page.markers and page.markers[index])]


def _sizes(page: Page) -> list[int]:
    """Return the size of each entry, 0 for a delete marker; empty when the page's bytes do not show them."""
    sizes = _SIZE.findall(page.body)
    with understood():
        if told := _told(page, sizes, b"0"):
            return list(map(int, told))
        found = [_SIZE.search(entry) for entry in _entries(page)]
        return [int(match[1]) if match else 0 for match in found]


def _classes(page: Page) -> list[str]:
    """Return the storage class of each entry. Where none is told it is STANDARD."""
    classes = _CLASS.findall(page.body)
    if told := _told(page, classes, _DEFAULT.encode()):
        return [name.decode() for name in told]
    found = [_CLASS.search(entry) for entry in _entries(page)]
    return [match[1].decode() if match else _DEFAULT for match in found] or [_DEFAULT] * len(page.keys)


def _told(page: Page, values: list[bytes], of_marker: bytes) -> list[bytes]:
    """Return what stands once in each entry but delete markers, by entry; empty where it does not."""
    if len(values) == len(page.keys):
        return values
    if not page.markers or len(values) != page.markers.count(False):
        return []
    each = iter(values)
    return [of_marker if is_marker else next(each) for is_marker in page.markers]


def _entries(page: Page) -> list[bytes]:
    entries = [match[2] for match in _OBJECT.finditer(page.body)]
    return entries if len(entries) == len(page.keys) else []

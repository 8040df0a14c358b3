"""What a run had to seed: objects and bytes, by storage class and by the first part of their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seeder.page.markup import Child, key, tag
from seeder.page.plots import Part, bar
from seeder.page.tables import Cell, Column, Row, table
from seeder.page.words import listed, mapping, number, size, whole
from seeder.page.work import Shown, shown

if TYPE_CHECKING:
    from seeder.record import Record


class _Tally(NamedTuple):
    name: Child
    objects: int
    bytes: int
    kind: str = ""


def by_class(record: Record) -> Shown | None:
    """Return objects and bytes by storage class, archived ones apart; None where they are not known."""
    census = mapping(record.census)
    found = [_tally(name, told) for name, told in _sorted(census.get("classes"))]
    found += [
        _tally([name, tag("span", " archived, apart", class_="small quiet")], told, "spare")
        for name, told in _sorted(census.get("archived"))
    ]
    unsized = whole(census.get("unsized"))
    note = f"; the sizes of {number(unsized)} objects are not known" if unsized else ""
    caption = f"Objects and bytes that were listed to be seeded, by storage class{note}"
    return _plot("classes", "By storage class", caption, "Storage class", found)


def by_prefix(record: Record) -> Shown | None:
    """Return objects and bytes by the keys' first part, the largest first; None where they are not known."""
    census = mapping(record.census)
    found = [_tally(_prefix(name), told) for name, told in _sorted(census.get("prefixes"))]
    others = _tally("All others", census.get("other_prefixes"), "wait")
    found += [others] if others.objects or others.bytes else []
    caption = "Objects and bytes that were listed to be seeded, by the first part of their keys"
    return _plot("prefixes", "By prefix", caption, "Keys that begin with", found)


def _plot(name: str, title: str, caption: str, what: str, found: list[_Tally]) -> Shown | None:
    if not found:
        return None
    most_objects, most_bytes = max(item.objects for item in found), max(item.bytes for item in found)
    rows: list[Row] = [
        [
            item.name,
            bar([Part(item.objects, item.kind)], most_objects),
            Cell(number(item.objects)),
            bar([Part(item.bytes, item.kind)], most_bytes),
            Cell(size(item.bytes)),
        ]
        for item in found
    ]
    columns = [Column(what), Column("Objects, drawn", "bar"), Column("Objects", "number")]
    columns += [Column("Bytes, drawn", "bar"), Column("Bytes", "number")]
    return shown(name, title, table(caption, columns, rows, stacks=True))


def _prefix(name: str) -> Child:
    """Return the first part of keys; one that has no / at its end was cut."""
    if not name:
        return "no / in the key"
    return [key(name), None if name.endswith("/") else "…"]


def _sorted(tallies: object) -> list[tuple[str, object]]:
    """Return the tallies by name, that with the most bytes first."""
    return sorted(mapping(tallies).items(), key=lambda item: (-_tally("", item[1]).bytes, str(item[0])))


def _tally(name: Child, told: object, kind: str = "") -> _Tally:
    counts = [whole(count) for count in listed(told)[:2]]
    objects, size_in_bytes = (*counts, 0, 0)[:2]
    return _Tally(name, objects, size_in_bytes, kind)

"""Rows in columns that fit a terminal: names are cut in their middles, and what matters least is left out first."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

GAP = 2
CUT = "…"


class Column(NamedTuple):
    """A column. It may be cut down to `least` cells, if that is not 0; that of the lowest `rank` is left out last.

    One that is `spare` is left out before another is cut.
    """

    title: str
    least: int = 0
    right: bool = False
    rank: int = 0
    spare: bool = False


def terminal_width() -> int | None:
    """Return how many cells a line of standard output has; None where it is a pipe or a file, and any will do."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def shown(text: str) -> str:
    """Return a text on one line: what moves a cursor, or is not seen, as an escape such as \\n or \\u202e."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def cut(text: str, cells: int) -> str:
    """Return a text that takes so many cells of a terminal at most, with … for its middle if it is longer."""
    if cell_len(text) <= cells:
        return text
    if cells < 1:
        return ""
    tail = (cells - 1) // 2
    return _head(text, cells - 1 - tail) + CUT + _head(text[::-1], tail)[::-1]


def start_of(text: str, cells: int) -> str:
    """Return a text that takes so many cells at most, with … for its end if it is longer."""
    return text if cell_len(text) <= cells else _head(text, max(cells - 1, 0)) + CUT


def lay_out(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[list[str]]:
    """Return the titles and the rows as padded cells that, joined by two spaces, fit `width`; None is any width.

    Columns that find no room are left out, those of the highest rank first; all rows have the same ones.
    """
    table = [[column.title for column in columns], *([shown(cell) for cell in row] for row in rows)]
    kept = list(range(len(columns)))
    natural = [max(cell_len(row[at]) for row in table) for at in kept]
    least = [min(cells, columns[at].least or cells) for at, cells in enumerate(natural)]
    if width is not None:
        kept = _fitting(columns, natural, width, [at for at in kept if columns[at].spare], kept)
        kept = _fitting(columns, least, width, kept, kept)
    widths = _shrunk([natural[at] for at in kept], [least[at] for at in kept], width)
    return [
        [_padded(row[at], cells, columns[at].right) for at, cells in zip(kept, widths, strict=True)]
        for row in table
    ]


def _fitting(
    columns: Sequence[Column], cells: list[int], width: int, spare: list[int], kept: list[int]
) -> list[int]:
    """Return the columns that fit, without as many of the `spare` ones as it takes; the last of all stays."""
    kept, left = list(kept), sorted(spare, key=lambda at: (columns[at].rank, at))
    while left and len(kept) > 1 and sum(cells[at] for at in kept) + GAP * (len(kept) - 1) > width:
        kept.remove(left.pop())
    return kept


def _shrunk(natural: list[int], least: list[int], width: int | None) -> list[int]:
    """Return widths that fit, taken from the widest of those that may be cut."""
    widths = list(natural)
    over = 0 if width is None else sum(widths) + GAP * (len(widths) - 1) - width
    for _ in range(max(over, 0)):
        can = [at for at, cells in enumerate(widths) if cells > least[at]]
        if not can:
            break
        widths[max(can, key=lambda at: (widths[at], at))] -= 1
    return widths


def _padded(text: str, cells: int, right: bool) -> str:
    text = cut(text, cells)
    space = " " * (cells - cell_len(text))
    return space + text if right else text + space


def _head(text: str, cells: int) -> str:
    """Return as much of the start of a text as takes so many cells at most."""
    taken = 0
    for at, character in enumerate(text):
        taken += cell_len(character)
        if taken > cells:
            return text[:at]
    return text

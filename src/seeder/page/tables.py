"""Tables that are read by machine, by ear, on a phone and on paper.

On a narrow screen a table that `stacks` shows each row as a small card, its cells named by their columns; the roles
are told again there, for some browsers forget them where a table is laid out as something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from seeder.page.markup import Child, Markup, tag

Kind = Literal["text", "word", "number", "bar"]


class Column(NamedTuple):
    """A column: its name, and what its cells hold; words are short texts. The name of bars is heard only."""

    name: str
    kind: Kind = "text"


class Cell(NamedTuple):
    """A cell, and what it is sorted by where the table can be sorted."""

    content: Child
    value: str | int = ""


Row: TypeAlias = "Sequence[Cell | Child]"


def table(
    caption: Child,
    columns: Sequence[Column],
    rows: Iterable[Row],
    *,
    foot: Row | None = None,
    stacks: bool = False,
    sorts: bool = False,
) -> Markup:
    """Return a table whose first cell of each row is the row's name. `caption` says what the table shows."""
    heads = [
        tag("th", _name(column), scope="col", class_=_class(column), role=_role(stacks, "columnheader"))
        for column in columns
    ]
    head = tag("thead", tag("tr", heads, role=_role(stacks, "row")), role=_role(stacks, "rowgroup"))
    body = tag("tbody", [_row(columns, row, stacks) for row in rows], role=_role(stacks, "rowgroup"))
    end = tag("tfoot", _row(columns, foot, stacks), role=_role(stacks, "rowgroup")) if foot else None
    return tag(
        "table",
        tag("caption", caption),
        head,
        body,
        end,
        class_="stacks" if stacks else None,
        role=_role(stacks, "table"),
        data_sorts=sorts,
    )


def _row(columns: Sequence[Column], row: Row, stacks: bool) -> Markup:
    cells = [
        _cell(column, cell if isinstance(cell, Cell) else Cell(cell), number == 0, stacks)
        for number, (column, cell) in enumerate(zip(columns, row, strict=True))
    ]
    return tag("tr", cells, role=_role(stacks, "row"))


def _cell(column: Column, cell: Cell, is_first: bool, stacks: bool) -> Markup:
    return tag(
        "th" if is_first else "td",
        cell.content,
        scope="row" if is_first else None,
        class_=_class(column),
        role=_role(stacks, "rowheader" if is_first else "cell"),
        data_name=column.name if stacks and not is_first else None,
        data_value=None if cell.value == "" else cell.value,
    )


def _name(column: Column) -> Child:
    return tag("span", column.name, class_="unseen") if column.kind == "bar" else column.name


def _class(column: Column) -> str | None:
    return None if column.kind == "text" else column.kind


def _role(stacks: bool, name: str) -> str | None:
    return name if stacks else None

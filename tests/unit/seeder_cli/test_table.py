from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from seeder_cli.table import Column, cut, lay_out, shown, start_of

COLUMNS = (
    Column("NAME", least=6),
    Column("STATE"),
    Column("COUNT", right=True, rank=1),
    Column("RUN", least=4, rank=2),
)
CELLS = st.lists(st.tuples(*[st.text(max_size=30)] * len(COLUMNS)), max_size=5)


@pytest.mark.parametrize(
    ("text", "cells", "fits"),
    [
        ("abcdefgh", 8, "abcdefgh"),
        ("abcdefgh", 7, "abc…fgh"),
        ("abcdefgh", 4, "ab…h"),
        ("abcdefgh", 1, "…"),
        ("abcdefgh", 0, ""),
        ("漢字漢字", 5, "漢…字"),
    ],
)
def test_a_name_is_cut_in_its_middle(text: str, cells: int, fits: str) -> None:
    assert cut(text, cells) == fits


def test_a_sentence_is_cut_at_its_end() -> None:
    assert start_of("one two three", 8) == "one two…"
    assert start_of("one two", 7) == "one two"


@given(st.text(), st.integers(0, 40))
def test_what_is_cut_fits(text: str, cells: int) -> None:
    assert cell_len(cut(shown(text), cells)) <= cells
    assert cell_len(start_of(shown(text), max(cells, 1))) <= max(cells, 1)


def test_what_moves_a_cursor_or_is_not_seen_is_shown_as_an_escape() -> None:
    assert shown("a\nb\x1b[31m\u202eé😀\u2028") == "a\\nb\\x1b[31m\\u202eé😀\\u2028"


@given(CELLS, st.one_of(st.none(), st.integers(30, 120)))
def test_rows_fit_whatever_they_hold_and_have_the_same_columns(
    rows: list[list[str]], width: int | None
) -> None:
    laid = lay_out(COLUMNS, rows, width)
    assert len({len(row) for row in laid}) == 1
    widths = {cell_len("  ".join(row)) for row in laid}
    assert len(widths) == 1
    assert width is None or len(laid[0]) == 1 or max(widths) <= width
    assert not any("\n" in cell for row in laid for cell in row)


def test_nothing_is_cut_where_any_width_will_do() -> None:
    laid = lay_out(COLUMNS, [("n" * 200, "s", "1", "r" * 200)], None)
    assert laid[1][0] == "n" * 200


def test_the_widest_column_gives_way_first_and_none_below_its_least() -> None:
    laid = lay_out(COLUMNS, [("n" * 20, "Failed", "7", "r" * 10)], 36)
    assert [len(cell) for cell in laid[1]] == [10, 6, 5, 9]
    assert laid[1][2] == "    7"


def test_what_matters_least_is_left_out_where_there_is_no_room() -> None:
    rows = [("n" * 20, "Failed", "7", "r" * 10)]
    assert [cell.strip() for cell in lay_out(COLUMNS, rows, 26)[0]] == ["NAME", "STATE", "COUNT"]
    assert [cell.strip() for cell in lay_out(COLUMNS, rows, 15)[0]] == ["NAME", "STATE"]


def test_a_spare_column_is_left_out_before_another_is_cut() -> None:
    columns = (Column("NAME", least=4), Column("RUN", rank=1, spare=True))
    rows = [("n" * 20, "r" * 20)]
    assert lay_out(columns, rows, 42)[1] == ["n" * 20, "r" * 20]
    assert lay_out(columns, rows, 41)[1] == ["n" * 20]
    assert lay_out(columns, rows, 10)[1] == ["nnnnn…nnnn"]

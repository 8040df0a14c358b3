from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.page.markup import Markup, exact, html_of, key, tag, visible
from tests.keys import TRAPS
from tests.unit.seeder.page.read import read
from tests.unit.seeder.page.samples import MARKUP, any_text

_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|([nrt\\]))")
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}


def original(shown: str) -> str:
    """Undo what `exact` has done."""
    return _ESCAPE.sub(lambda m: _SHORT[m[3]] if m[3] else chr(int(m[1] or m[2], 16)), shown)


@pytest.mark.parametrize("text", [*TRAPS, *MARKUP])
def test_every_awkward_text_is_shown_so_that_it_can_be_told(text: str) -> None:
    assert original(exact(text)) == text
    assert original(visible(text)) == text


@given(any_text)
def test_no_two_texts_look_the_same(text: str) -> None:
    assert original(exact(text)) == text


@given(any_text)
def test_what_is_shown_can_be_seen(text: str) -> None:
    shown = exact(text)
    assert shown.isprintable()
    assert shown == shown.strip()
    assert "  " not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("logs/2024/ü😀.csv", "logs/2024/ü😀.csv"),
        ("a\nb\r\t", r"a\nb\r\t"),
        (r"a\nb", r"a\\nb"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\U000e0041", r"\U000e0041"),
        ("\ufe0fa\u3164", r"\ufe0fa\u3164"),
        ("a\u00a0b", r"a\u00a0b"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_can_not_be_seen_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" a  b ", r"\u0020a \u0020b\u0020"),
        ("a b", "a b"),
        ("e\u0301", r"e\u0301"),
        ("\u00e9", "\u00e9"),
        ("\u212b", r"\u212b"),
        ("\u0e01\u0e34", "\u0e01\u0e34"),
    ],
)
def test_a_key_shows_its_spaces_and_how_its_accents_are_made(text: str, shown: str) -> None:
    assert exact(text) == shown


@given(any_text, any_text)
def test_a_text_stays_text_in_an_element_and_in_its_attribute(text: str, value: str) -> None:
    page = read(html_of(tag("p", text, title=value)))
    (element,) = page.all()
    assert element.text == visible(text)
    assert element.attributes == {"title": visible(value)}


def test_children_stand_one_after_the_other_and_what_is_none_is_left_out() -> None:
    made = tag("p", "a", ["b", [Markup("<br>"), 3]], None, class_="x", aria_label="y", hidden=True, id=None)
    assert made.html == '<p class="x" aria-label="y" hidden>ab<br>3</p>'


def test_a_key_is_read_from_left_to_right_whatever_it_holds() -> None:
    assert key("\u05d0/b").html == '<code dir="ltr">\u05d0/b</code>'


@given(st.text())
def test_elements_without_an_end_have_none(text: str) -> None:
    assert tag("meta", content=text).html.count("<") == 1

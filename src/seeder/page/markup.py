"""HTML made of elements, in which whatever is text stays text.

Every string that goes into an element or an attribute is escaped here, and what can't be seen in it is written out:
control characters, those that turn the direction of writing, spaces that are none, and the backslash itself. So no
name of a user's becomes markup, and no two of them look the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

# What `str.isprintable` lets pass though nothing of it is seen: fillers and variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SPACES = re.compile(r"^ +| +$|(?<= ) +")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}
_BASIC_PLANE = 0xFFFF
_VOID = frozenset({"br", "input", "link", "meta"})


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML, made by this module alone: it is never escaped again."""

    html: str


Child: TypeAlias = "Markup | str | int | Iterable[Child] | None"
Attribute: TypeAlias = str | int | bool | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element. `class_` is the attribute class, `aria_label` is aria-label; None and False are left out."""
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{html_of(children)}</{name}>")


def html_of(child: Child) -> str:
    """Return the HTML of a child, or of several one after the other."""
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child.html
    if isinstance(child, str):
        return escape(visible(child))
    if isinstance(child, int):
        return str(child)
    return "".join(map(html_of, child))


def key(text: str) -> Markup:
    """Return a key, bucket or address as code: read from left to right whatever it holds, with every space seen."""
    return tag("code", Markup(escape(exact(text))), dir="ltr")


def visible(text: str) -> str:
    r"""Return a text with what can't be seen in it written out, such as `\n` or `\u202e`, and `\\` for a backslash."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(_escaped(character) if _is_unseen(character) else character for character in text)


def exact(text: str) -> str:
    r"""Return a text as `visible` does, and so that no other text looks the same.

    Spaces where they would not be seen are `\u0020`, accents that are characters of their own as `e\u0301`.
    """
    shown = visible(text)
    if not text.isascii() and unicodedata.normalize("NFC", text) != text:
        shown = "".join(_escaped(each) if _is_decomposed(each) else each for each in shown)
    return _SPACES.sub(lambda spaces: r"\u0020" * len(spaces[0]), shown)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'


def _is_unseen(character: str) -> bool:
    return character == "\\" or not character.isprintable() or _UNSEEN.match(character) is not None


def _is_decomposed(character: str) -> bool:
    return (
        unicodedata.category(character).startswith("M")
        or unicodedata.normalize("NFC", character) != character
    )


def _escaped(character: str) -> str:
    number = ord(character)
    return _SHORT.get(character) or (f"\\u{number:04x}" if number <= _BASIC_PLANE else f"\\U{number:08x}")

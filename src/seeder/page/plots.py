"""Bars and marks, as SVG. A bar stands beside the number it draws, so it is hidden from those who listen.

Lengths are attributes of SVG: a style within an element would need a wider policy than the page has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seeder.page.markup import Markup, tag

# Thousandths of the width. What is more than nothing is drawn, however little it is.
_WIDTH = 1000
_LEAST, _LEAST_OF_STRIP = 8, 2
_MARK_SIZE = 16

_MARKS = {
    "Complete": ("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Z", "m4.8 8.3 2.2 2.2 4.3-4.8"),
    "Failed": ("M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1Z", "M8 4.4v4.4M8 11.5v.1"),
    "Running": ("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Z", "M6.4 5.2 10.8 8l-4.4 2.8Z"),
    "Skipped": ("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Z", "M4.8 8h6.4"),
    "Waiting": ("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Z", "M8 4.4V8l2.6 1.8"),
}
STATES = tuple(_MARKS)


class Part(NamedTuple):
    """A part of a bar: how much, and what kind of thing, which decides its look."""

    amount: float
    kind: str = ""


def bar(parts: Sequence[Part], most: float, kind: str = "bar") -> Markup:
    """Return a bar of parts side by side; `most` fills its width."""
    drawn, at = [], 0.0
    least = _LEAST_OF_STRIP if kind == "strip" else _LEAST
    for part in parts:
        if part.amount <= 0 or most <= 0:
            continue
        width = min(max(part.amount / most * _WIDTH, least), _WIDTH - at)
        drawn.append(tag("rect", class_=part.kind or None, x=f"{at:.0f}", width=f"{width:.0f}", height=8))
        at += width
    return tag(
        "svg", drawn, class_=kind, viewBox=f"0 0 {_WIDTH} 8", preserveAspectRatio="none", aria_hidden="true"
    )


def mark(state: str) -> Markup:
    """Return the mark of a state, to stand before its name; each has a shape of its own. `marks` must be there too."""
    name = state if state in _MARKS else "Waiting"
    use = tag("use", href=f"#mark-{name}")
    return tag("svg", use, class_="mark", viewBox=f"0 0 {_MARK_SIZE} {_MARK_SIZE}", aria_hidden="true")


def marks() -> Markup:
    """Return the shapes of all marks, drawn once for a page."""
    symbols = [
        tag(
            "symbol",
            tag("path", d=outline, class_="outline"),
            tag("path", d=sign, class_="sign"),
            id=f"mark-{name}",
            viewBox=f"0 0 {_MARK_SIZE} {_MARK_SIZE}",
        )
        for name, (outline, sign) in _MARKS.items()
    ]
    return tag("svg", symbols, class_="shapes", aria_hidden="true")


def state_of(state: str) -> Markup:
    """Return a state with its mark."""
    known = state.lower() if state in _MARKS else "waiting"
    return tag("span", mark(state), tag("span", state), class_=f"state {known}")

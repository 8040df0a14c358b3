"""Keys with every trap, and a hypothesis strategy that draws more of them."""

from __future__ import annotations

from hypothesis import strategies as st

TRAPS = [
    " ",
    " a b ",
    "a+b",
    "+",
    "a%b",
    "%",
    "a%2Bb",
    "a%252Bb",
    "a&b",
    "a,b",
    'a"b',
    '""',
    "a'b",
    "a\nb",
    "a\r\nb",
    "a\tb",
    "\x01",
    "a\x7fb",
    "😀/🦊",
    "a//b",
    "//",
    "/leading",
    "trailing/",
    "..",
    "../a",
    "a/./b",
    "a/../b",
    "#?",
    "<a>",
    "a\u2028b",
    "e\u0301",
    "\ufffe",
    "null",
    "\\N",
    "~",
    "x" * 1024,
    "é" * 512,
]

any_key = st.one_of(
    st.sampled_from(TRAPS),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
        lambda key: len(key.encode()) <= 1024
    ),
)

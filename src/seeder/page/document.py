"""The page around what it tells: one file with its style and script in it, and a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from seeder.page.markup import Child, Markup, html_of, tag
from seeder.page.plots import marks

_LANGUAGE = "en"


def document(title: str, header: Child, main: Child, footer: Child, *, script: str = "") -> str:
    """Return a whole HTML document; `script` is the name of a file here, empty for a page without one."""
    style, code = _file("page.css"), _file(script) if script else ""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, code)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#content", class_="skip"),
        marks(),
        tag("header", header),
        tag("main", main, id="content", tabindex="-1"),
        tag("footer", footer),
        tag("script", Markup(code)) if code else None,
    )
    return "<!doctype html>\n" + html_of(tag("html", head, body, lang=_LANGUAGE)) + "\n"


def section(name: str, title: str, *children: Child) -> Markup:
    """Return a section with its heading, by which it is found."""
    heading = tag("h2", title, id=name)
    return tag("section", heading, children, aria_labelledby=name)


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, sent or framed; only this style and this script hold (Content Security Policy Level 3)."""
    allowed = {
        "default-src": "'none'",
        "style-src": _digest(style),
        "script-src": _digest(script) if script else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")

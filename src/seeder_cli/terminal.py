"""What the terminal can show: NO_COLOR, TERM=dumb and pipes want plain text, without a control character."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


def is_plain(stream: TextIO | None = None) -> bool:
    """Tell whether to write text alone: to a pipe or file, a dumb terminal, or where NO_COLOR is set (no-color.org).

    The stream is standard output, if none is given.
    """
    is_dumb = os.environ.get("TERM") == "dumb"
    return is_dumb or bool(os.environ.get("NO_COLOR")) or not (stream or sys.stdout).isatty()


def write_anything() -> None:
    """Write what an encoding lacks, such as → in ASCII, as an escape, and do not fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def printable(text: str, kept: str = "") -> str:
    """Return a text with all that would move the cursor, or break its line, as escapes; `kept` stays as it is."""
    return "".join(each if each.isprintable() or each in kept else ascii(each)[1:-1] for each in text)

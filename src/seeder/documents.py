"""Documents that others wrote: read whatever they hold, and told of in a few words where they are not understood."""

from __future__ import annotations

import json
import reprlib
from typing import Any

from pydantic import ValidationError

MOST_SHOWN = 100
_LONGEST_NUMBER = 10**40


class _Short(reprlib.Repr):
    """`repr`, but as little of it as a sentence takes, however large or deep the value is."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist = 3, 4, 4
        self.maxstring = self.maxother = MOST_SHOWN

    def repr_int(self, value: int, level: int) -> str:
        if abs(value) < _LONGEST_NUMBER:
            return repr(value)
        return f"a number of {value.bit_length()} bits"


_short = _Short()


def shown(value: Any) -> str:
    """Return a value as Python writes it, cut where it is long or deep."""
    text = _short.repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def parsed(body: str | bytes) -> Any:
    """Return what JSON says. Raises ValueError for all else, and for what is nested too deep to be read."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("JSON that is nested too deep") from error


def problem_of(error: ValidationError) -> str:
    """Return the first thing that a model refused: where it stands, its value, and what is wrong."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(shown(part)[1:-1] if isinstance(part, str) else str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{place or 'it'} is missing"
    return f"{place or 'it'} is {shown(first['input'])}: {first['msg']}"

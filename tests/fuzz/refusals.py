"""What every refusal owes to its reader, whatever was refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from seeder.errors import MOST_CHARACTERS, InvalidRequest, SeederError, aws_errors

MEBIBYTE = 1024 * 1024


@contextmanager
def refusals() -> Iterator[list[SeederError]]:
    """Let only this library's errors end the block, as a function would; yield what did, and look at its text."""
    met: list[SeederError] = []
    try:
        with aws_errors():
            yield met
    except SeederError as error:
        met.append(error)
        require_sentence(error)


def require_sentence(error: SeederError) -> None:
    """Require one line of bounded length that any terminal can show, which names a field and what to do."""
    text = str(error)
    assert text.strip()
    assert len(text) <= MOST_CHARACTERS
    assert text.isprintable(), ascii(text)
    text.encode()
    if isinstance(error, InvalidRequest):
        assert error.field
        assert text.startswith(f"{error.field}: "), text
        assert "; " in text or " should " in text, text


def peak_of(call: Callable[[], Any]) -> int:
    """Return the bytes that a call held at its peak beyond what was held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()

"""Whether the cause of a failure is one that a person can act on: it says what, and what to do."""

from __future__ import annotations

import re

MOST_CHARACTERS = 1000
_TRACES = re.compile(r"Traceback|stackTrace|RequestId|errorMessage|File \"|<[\w.]+ object at|\n|\{'")
_REQUEST = re.compile(r"RequestId: \S+ Error: ")
_OWN_FAULT = "this is a fault of seeder's own"
_TO_DO = re.compile(
    r"\b(run (?:the pair )?again|seed (?:them|it|the pair) again|start (?:it|the fleet) again|mend|deploy|allow|"
    r"restore|check|read|raise|wait for|choose|change|leave|add|give|confirm|look at|report it|nothing is left to do)\b"
)


def check_cause(error: str, cause: str) -> None:
    """Raise AssertionError for a cause that is no sentence, or leaves whoever reads it with nothing to do."""
    assert re.fullmatch(r"[A-Z][A-Za-z.]+", error), f"no name of an error: {error!r}"
    # A state machine alone can't take this out of what Lambda says.
    cause = _REQUEST.sub("", cause)
    told = f"{error}: {cause!r}"
    assert 20 <= len(cause) <= MOST_CHARACTERS, f"too short or too long: {told}"
    assert not _TRACES.search(cause), f"a trace, not a sentence: {told}"
    assert _OWN_FAULT not in cause, f"not a cause of AWS's or of a person's: {told}"
    assert " " in cause.strip(), f"a bare code: {told}"
    assert _TO_DO.search(cause), f"nothing to do: {told}"

"""What to do about a failed task, from the error code, status and message of its row in a completion report.

A code that is not in the table is judged by its HTTP status, except for replicate tasks: those end with status 500
whatever the reason (as real reports show), so the status says nothing of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from seeder.advice_table import TABLE, Kind

__all__ = ["NO_VERSION", "OTHERS", "Advice", "Kind", "depends_on_message", "explain"]

_FIRST_SERVER_ERROR = 500
_ALIASES = {"403": "AccessDenied", "404": "NoSuchKey", "405": "MethodNotAllowed", "412": "PreconditionFailed"}


class Advice(NamedTuple):
    """What kind of failure it is, and in a sentence what to do."""

    kind: Kind
    text: str


NO_VERSION = Advice(
    "person",
    r"The manifest had an empty version here, which the report shows as \N: write `null` where an object has none, "
    "then run again.",
)
OTHERS = Advice(
    "person", "There were more codes than are told here: the file of failures has a row for each object."
)
_SERVER = Advice("retryable", "S3 failed on its side with a code not known here: the next round tries again.")
_UNKNOWN = Advice(
    "person", 'The code is not known here: read the message, and "Error responses" in the S3 API reference.'
)


def explain(code: str, http_status: int, message: str, operation: str) -> Advice:
    """Return what to do about a task that failed with this code, status and message.

    `operation` is the job's: `copy`, `replicate`, `restore` or another.
    """
    for rule in TABLE.get(_ALIASES.get(code, code), ()):
        found = re.search(rule.says, message)
        if found and rule.of in ("", operation):
            return Advice(rule.kind, rule.text.format_map(found.groupdict()))
    if http_status >= _FIRST_SERVER_ERROR and operation != "replicate" and not code.startswith("KMS."):
        return _SERVER
    return _UNKNOWN


def depends_on_message(code: str) -> bool:
    """Tell whether tasks with this code need different things, as their messages say."""
    return any(rule.says for rule in TABLE.get(_ALIASES.get(code, code), ()))

"""A task (one row of a manifest) and its outcome (one row of a completion report)."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Task(NamedTuple):
    """One object to work on.

    `key` is encoded as in the manifest; `version_id` is None without a version column.
    """

    bucket: str
    key: str
    version_id: str | None = None


class Outcome(NamedTuple):
    """How a task ended: the report's TaskStatus, HTTPStatusCode, ErrorCode and ResultMessage."""

    succeeded: bool
    status: int = 200
    code: str = ""
    message: str = "Successful"


def failed(status: int, code: str, message: str) -> Outcome:
    """Return a failed outcome."""
    return Outcome(False, status, code, message)


def decode_key(key: str, plus_is_space: bool = True) -> str | None:
    """Return the object key that a manifest's field stands for, decoded once, or None if it does not decode."""
    if "%" not in key and "+" not in key:
        return key
    if _BAD_ESCAPE.search(key):
        return None
    try:
        return unquote_to_bytes(key.replace("+", " ") if plus_is_space else key).decode("utf-8")
    except UnicodeDecodeError:
        return None

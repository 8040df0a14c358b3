"""What a registry holds in S3, as JSON: its format and revision, the ids of the last writes, and the body."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from seeder.documents import parsed
from seeder.errors import InvalidRequest

FORMAT = 1
MOST_TRANSACTIONS = 128


class Document(NamedTuple):
    """One revision. `transactions` are the ids of the writes that led to it, the last one last, at most 128.

    Revision 0 has none: nothing was written yet.
    """

    revision: int
    transactions: tuple[str, ...]
    body: dict[str, Any]

    def next(self, body: dict[str, Any], transaction: str) -> Document:
        """Return the document that follows this one."""
        recent = (*self.transactions, transaction)[-MOST_TRANSACTIONS:]
        return Document(self.revision + 1, recent, body)

    def reaches(self, revision: int) -> bool:
        """Whether the transactions tell what was written right after the revision, if that led to this one."""
        return self.revision - revision <= len(self.transactions)


def encode(document: Document) -> bytes:
    """Return the document as JSON. Raises InvalidRequest for a body that JSON can't hold."""
    members = {
        "format": FORMAT,
        "revision": document.revision,
        "transactions": document.transactions,
        "body": document.body,
    }
    if not isinstance(document.body, dict):
        raise InvalidRequest("body", f"it is a {type(document.body).__name__}; give a dict")
    try:
        return json.dumps(members, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise InvalidRequest("body", f"{error}; give what JSON can hold") from error


def decode(url: str, data: bytes) -> Document:
    """Return the document that stands at `url`. Raises InvalidRequest where that is none, or one of a newer format."""
    try:
        members = parsed(data)
        number = members["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(url) from error
    if type(number) is int and number > FORMAT:
        raise InvalidRequest(
            "registry", f"{url} has format {number}, and this version reads up to {FORMAT}; upgrade s3-seeder"
        )
    match members:
        case {"format": 1, "revision": int(revision), "transactions": list(recent), "body": dict(body)}:
            # A flag is a number to Python, and 1.0 is 1.
            if type(number) is type(revision) is int and revision > 0 and all(map(_is_text, recent)):
                return Document(revision, tuple(recent), body)
    raise _unreadable(url)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _unreadable(url: str) -> InvalidRequest:
    return InvalidRequest("registry", f"{url} is not one; restore its last good version, or name another key")

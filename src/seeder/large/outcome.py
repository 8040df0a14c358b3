"""How the copy of an object ended, in the words of an S3 Batch Operations report.

Contract: S3 User Guide, "Invoke AWS Lambda function" (result codes and strings).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from botocore import exceptions as boto
from botocore.exceptions import ClientError

from seeder.errors import SeederError, ServiceUnavailable, Throttled, code_of, translate
from seeder.large.notes import Later

ResultCode = Literal["Succeeded", "TemporaryFailure", "PermanentFailure"]
MOST_CHARACTERS = 1000
# A HEAD has no body, and so no code.
_BARE = {
    "400": "BadRequest",
    "403": "AccessDenied",
    "404": "NoSuchKey",
    "405": "MethodNotAllowed",
    "412": "PreconditionFailed",
}
# Refusals that pass: another call at the same upload, credentials being renewed, a write at the same moment.
_PASSING = frozenset(
    {
        "ConditionalRequestConflict",
        "ExpiredToken",
        "InvalidPart",
        "NoSuchUpload",
        "OperationAborted",
        "RequestTimeTooSkewed",
    }
)
CONNECTION_ERRORS = (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError)


class Outcome(NamedTuple):
    """A task's result: `text` begins with the error's code and a colon where it failed."""

    code: ResultCode
    text: str


def succeeded(text: str) -> Outcome:
    """Return the outcome of a copy that stands."""
    return Outcome("Succeeded", text)


def failed(error: Exception) -> Outcome:
    """Return the outcome of an error: temporary where trying again may help."""
    code, text = _told(error)
    passing = isinstance(error, (Later, *CONNECTION_ERRORS)) or (
        isinstance(error, ClientError)
        and (code in _PASSING or isinstance(translate(error), (Throttled, ServiceUnavailable)))
    )
    line = " ".join(f"{code}: {text}".split())
    return Outcome("TemporaryFailure" if passing else "PermanentFailure", line[:MOST_CHARACTERS])


def _told(error: Exception) -> tuple[str, str]:
    if isinstance(error, ClientError):
        code = code_of(error) or "Unknown"
        message = error.response.get("Error", {}).get("Message", "")
        return _BARE.get(code, code), f"{error.operation_name}: {message}"
    if isinstance(error, Later):
        return error.code, str(error)
    if isinstance(error, CONNECTION_ERRORS):
        return "ServiceUnavailable", str(error)
    return type(error).__name__, str(error)


# What a copy may end with; anything else is a fault of this library, and is not hidden in a report.
FAILURES = (SeederError, ClientError, *CONNECTION_ERRORS)

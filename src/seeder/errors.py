"""The errors of this library, and what AWS's errors become.

SeederError
├── InvalidRequest       the input, or the buckets it names, can't be seeded as asked
├── PairBusy             another run is seeding the same pair
├── AccessDenied         a permission is missing
├── NotYetVisible        something just written can't be read yet; try again
├── Throttled            AWS asks to slow down; try again later
├── ServiceUnavailable   AWS failed on its side; try again
│   └── Undecided        no answer told whether a write was done; read what stands there
├── UnexpectedAnswer     AWS refused or answered what this library does not understand
└── Conflict             what stands there is not what the call went by
    ├── AlreadyExists    what must be written once stands there already, with other content
    ├── Lost             another write came first
    └── Gone             what was to be replaced or deleted is not there
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions as boto
from botocore.exceptions import ClientError
from pydantic import ValidationError

from seeder.documents import problem_of

MOST_CHARACTERS = 700
"""Of the text of an error, whatever was refused."""
_FIELD_CHARACTERS = 80


class SeederError(Exception):
    """Base of all errors raised on purpose. Its text is one line that any terminal can show, of bounded length."""

    def __init__(self, text: str = "") -> None:
        super().__init__(one_line(text))


class InvalidRequest(SeederError):
    """Bad input: `field: what is wrong with the value; what to do`, the latter two as `problem`."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = one_line(field, _FIELD_CHARACTERS) or "(no name)"
        self.problem = one_line(problem, MOST_CHARACTERS - len(self.field) - 2)
        super().__init__(f"{self.field}: {self.problem}")


class PairBusy(SeederError):
    """Another run is seeding the same pair of buckets; the text names it."""


class AccessDenied(SeederError):
    """A permission is missing; the text names the call and the resource."""


class NotYetVisible(SeederError):
    """Something that was just written can't be read yet."""


class Throttled(SeederError):
    """AWS asks to slow down."""


class ServiceUnavailable(SeederError):
    """AWS failed on its side, or did not answer."""


class Undecided(ServiceUnavailable):
    """No answer told whether a write was done, and what stands there does not tell either."""


class UnexpectedAnswer(SeederError):
    """AWS refused for a reason this library does not know, or its answer does not add up."""


class Conflict(SeederError):
    """What stands there is not what the call went by, such as a record of another run where one is written once."""


class AlreadyExists(Conflict):
    """An object that is written once stands there already, with other content."""


class Lost(Conflict):
    """Another write came first: what is there is not what was read (412)."""


class Gone(Conflict):
    """The object that was to be replaced or deleted is not there (404)."""


_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden"})
_FIRST_SERVER_ERROR = 500


def one_line(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text with escapes for what would move a cursor, and without its middle where it is too long.

    Its end is kept, for that says what to do.
    """
    escaped = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in _cut(text, most))
    return _cut(escaped, most)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    tail = (most - 3) // 2
    return f"{text[: most - 3 - tail]} … {text[len(text) - tail :]}"


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turn what boto3 raises within the block, and a document that is refused, into this library's errors.

    Also a decorator.
    """
    try:
        yield
    except ClientError as error:
        raise translate(error) from error
    except (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError) as error:
        raise ServiceUnavailable(str(error)) from error
    except (boto.InvalidRegionError, boto.ParamValidationError) as error:
        raise UnexpectedAnswer(f"no request can be made of what was told: {error}") from error
    except ValidationError as error:
        raise UnexpectedAnswer(
            f"a {error.title} that this release does not understand: {problem_of(error)}; what another release began "
            "or wrote, only that can go on with"
        ) from error


def translate(error: ClientError) -> SeederError:
    """Return this library's error for boto3's."""
    code, status = code_of(error), _status_of(error)
    if code in _THROTTLED:
        return Throttled(str(error))
    if code in _DENIED:
        return AccessDenied(f"{error}; the role of this function needs that permission")
    if status >= _FIRST_SERVER_ERROR or code in {"InternalServiceException", "RequestTimeout"}:
        return ServiceUnavailable(str(error))
    return UnexpectedAnswer(str(error))


def code_of(error: ClientError) -> str:
    """Return the error code of an AWS answer; HEAD requests have the status alone, such as '404'."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _status_of(error: ClientError) -> int:
    metadata: Any = error.response.get("ResponseMetadata", {})
    return int(metadata.get("HTTPStatusCode", 0))

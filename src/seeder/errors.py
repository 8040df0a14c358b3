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


class SeederError(Exception):
    """Base of all errors raised on purpose."""


class InvalidRequest(SeederError):
    """Bad input: `field: what is wrong with the value; what to do`."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


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


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turn what boto3 raises within the block into this library's errors; also a decorator."""
    try:
        yield
    except ClientError as error:
        raise translate(error) from error
    except (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError) as error:
        raise ServiceUnavailable(str(error)) from error


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

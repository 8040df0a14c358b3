"""Calls to other services, tried again when they answer 5xx, SlowDown, a conflict or nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError, HTTPClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcloud.batch_operations.settings import Settings

_CODES = frozenset(("SlowDown", "RequestTimeout", "ConditionalRequestConflict", "TooManyRequestsException"))

Answer = TypeVar("Answer")


def patiently(call: Callable[[], Answer], settings: Settings) -> Answer:
    """Return what `call` returns, trying `task_attempts` times. Raises what the last attempt raised."""
    for attempt in range(1, settings.task_attempts):
        try:
            return call()
        except (ClientError, HTTPClientError) as error:
            if not retryable(error):
                raise
            settings.clock.sleep(settings.retry_seconds * 2 ** (attempt - 1))
    return call()


def retryable(error: Exception) -> bool:
    """Return whether the same call may succeed later."""
    if not isinstance(error, ClientError):
        return isinstance(error, HTTPClientError)
    answer: Any = error.response
    return answer["Error"]["Code"] in _CODES or answer["ResponseMetadata"]["HTTPStatusCode"] >= 500

"""Asking S3 again when it asks to slow down, after botocore has given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from seeder.errors import ServiceUnavailable, Throttled, translate
from seeder.listing.wire import Wire

ATTEMPTS = 8
BACKOFF_SECONDS = 0.2


def fetch_patiently(
    wire: Wire, parameters: dict[str, Any], is_stopped: Callable[[], bool], sleep: Callable[[float], None]
) -> bytes:
    """Fetch an answer; where S3 asks to slow down even after botocore's retries, wait, longer each time.

    Raises Throttled, ServiceUnavailable, ClientError.
    """
    for attempt in range(ATTEMPTS):
        try:
            return wire.fetch(**parameters)
        except ClientError as error:
            known = translate(error)
            if not isinstance(known, Throttled | ServiceUnavailable):
                raise
            if attempt + 1 == ATTEMPTS or is_stopped():
                raise known from error
            sleep(BACKOFF_SECONDS * 2**attempt)
    raise AssertionError("unreachable")

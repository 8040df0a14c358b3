"""Seeds S3 replicas: lists, builds manifests, creates jobs, reads reports. Knows no Lambda and no Step Functions.

What it promises to its users is `__all__` here, of `seeder.listing`, `seeder.lake`, `seeder.lake.policies` and
`seeder.lake.idempotency`: docs/api.md has it whole. All else may change with any release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder.lazily import lazily

if TYPE_CHECKING:
    from seeder.errors import (
        AccessDenied,
        AlreadyExists,
        Conflict,
        Gone,
        InvalidRequest,
        Lost,
        NotYetVisible,
        PairBusy,
        SeederError,
        ServiceUnavailable,
        Throttled,
        Undecided,
        UnexpectedAnswer,
    )
    from seeder.record import Record
    from seeder.request import Request, parse_request

__all__ = [
    "AccessDenied",
    "AlreadyExists",
    "Conflict",
    "Gone",
    "InvalidRequest",
    "Lost",
    "NotYetVisible",
    "PairBusy",
    "Record",
    "Request",
    "SeederError",
    "ServiceUnavailable",
    "Throttled",
    "Undecided",
    "UnexpectedAnswer",
    "parse_request",
]

if not TYPE_CHECKING:  # to a type checker a name that is not there is an error
    __getattr__ = lazily(
        __name__,
        {
            "errors": [
                "AccessDenied",
                "AlreadyExists",
                "Conflict",
                "Gone",
                "InvalidRequest",
                "Lost",
                "NotYetVisible",
                "PairBusy",
                "SeederError",
                "ServiceUnavailable",
                "Throttled",
                "Undecided",
                "UnexpectedAnswer",
            ],
            "record": ["Record"],
            "request": ["Request", "parse_request"],
        },
    )

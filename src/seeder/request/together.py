"""What the fields of a request must be to each other: no filter that nothing passes, nothing that would be ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder.errors import InvalidRequest

if TYPE_CHECKING:
    from seeder.request import Request

RULE_OPTIONS = (
    "replicate_delete_markers",
    "replica_storage_class",
    "replica_kms_key",
    "replication_time_control",
    "replica_owner",
)
"""What can be asked of the rule that `enable_replication` adds; each means nothing without it."""


def check(request: Request) -> None:
    """Raise InvalidRequest for the first field that does not fit the others."""
    if request.source == request.destination:
        raise InvalidRequest(
            "destination", f"'{request.destination}' is also the source; give another bucket"
        )
    _check_order(request)
    _check_rule(request)
    if request.resync and request.inventory:
        raise InvalidRequest(
            "resync", "true lists both buckets, and inventory says to list none; give one of the two"
        )


def _check_order(request: Request) -> None:
    selection = request.selection()
    after, before = selection.created_after, selection.created_before
    if after and before and after >= before:
        raise InvalidRequest(
            "created_before", f"'{request.created_before}' is not after created_after; give a later time"
        )
    least, most = request.size_at_least, request.size_at_most
    if least is not None and most is not None and least > most:
        raise InvalidRequest("size_at_most", f"{most} is less than size_at_least, {least}; give more")


def _check_rule(request: Request) -> None:
    if request.enable_replication:
        if request.operation == "copy":
            raise InvalidRequest(
                "operation",
                "'copy' would not use the rule that enable_replication adds; leave one of the two out",
            )
        return
    for name in RULE_OPTIONS:
        value = getattr(request, name)
        if value != type(request).model_fields[name].default:
            raise InvalidRequest(
                name,
                f"{value!r} is for the rule that enable_replication adds, and that is false; set it to true, or leave "
                f"{name} out",
            )

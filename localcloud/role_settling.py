"""Roles that settle late: what IAM was told of a role takes some time to be known everywhere.

Contract: IAM User Guide, "Changes that I make are not always immediately visible". Only the services that ask here
see it; IAM's own answers are up to date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.iam.models import IAMBackend, iam_backends

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from localcloud.clock import Clock
    from localcloud.patching import Patches

_CHANGES = ("create_role", "put_role_policy", "delete_role_policy", "update_assume_role_policy")


def install(patches: Patches, clock: Clock) -> None:
    """Note when roles are made and changed, until the patches are undone."""
    for name in _CHANGES:
        patches.replace(IAMBackend, name, _noting(getattr(IAMBackend, name), clock))


def seconds_since_change(arn: str, now: datetime) -> float:
    """Return how long ago a role was made or changed; infinity for one that is unknown, or older than the cloud."""
    _, partition, _, _, account, _ = arn.split(":", 5)
    roles = list(iam_backends[account][partition].get_roles())
    changed = next((getattr(role, "changed_at", None) for role in roles if role.arn == arn), None)
    return (now - changed).total_seconds() if changed else float("inf")


def _noting(change: Callable[..., Any], clock: Clock) -> Callable[..., Any]:
    def noted(backend: Any, role_name: str, *args: Any, **kwargs: Any) -> Any:
        answer = change(backend, role_name, *args, **kwargs)
        backend.get_role(role_name).changed_at = clock.now()
        return answer

    return noted

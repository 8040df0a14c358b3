"""What roles were seen to do: each kind of access once, with some of the resources it touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.iam import Context
    from localcloud.iam_roles import Role

EXAMPLES = 16
"""Resources kept for accesses that differ in nothing else."""

GROUPS = 20_000
"""Kinds of access kept at most."""


@dataclass(frozen=True)
class Recorded:
    """One access, as IAM was asked about it.

    `role` is the role's ARN and `kind` the service principal for which it was assumed (`sts.amazonaws.com` where
    a caller did by AssumeRole). `context` has the condition keys that were present.
    """

    role: str
    kind: str
    action: str
    resource: str
    allowed: bool
    context: dict[str, str | list[str]] = field(hash=False)


class Recorder:
    """Accesses without repetition: role, action, outcome and condition keys of the request make a kind."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str, bool, frozenset[str]], dict[str, Recorded]] = {}

    def note(
        self, role: str, kind: str, action: str, resource: str, allowed: bool, own: Context, general: Context
    ) -> None:
        """Keep an access if it is new. `own` has the condition keys of the request, `general` those of all."""
        keys = frozenset(key for key, value in own.items() if value is not None)
        group = (role, kind, action, allowed, keys)
        examples = self._groups.get(group)
        if examples is None:
            if len(self._groups) >= GROUPS:
                return
            examples = self._groups.setdefault(group, {})
        if resource in examples or len(examples) >= EXAMPLES:
            return
        present = {
            key: value if isinstance(value, str) else list(value)
            for key, value in {**general, **own}.items()
            if value is not None
        }
        examples[resource] = Recorded(role, kind, action, resource, allowed, present)

    def observe(self, role: Role, action: str, resource: str, context: Context, allowed: bool) -> None:
        """Keep what a service asked about the role that it takes on (see `localcloud.iam_roles.observe`)."""
        kind = ",".join(role.trust.services())
        self.note(role.arn, kind, action, resource, allowed, context, {})

    def all(self) -> list[Recorded]:
        """Return what was kept, in the order of its first sight."""
        return [each for examples in list(self._groups.values()) for each in list(examples.values())]

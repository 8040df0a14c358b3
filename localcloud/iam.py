"""Who may do what: IAM policy documents in, a decision out.

Pure: it reads no backend and keeps no state. It follows "Policy evaluation logic" and "IAM JSON policy
elements" of the IAM User Guide for requests within one account, and for resource policies. What it cannot
evaluate it refuses with `UnsupportedPolicy`: unknown elements when a document is read, unknown conditions
where an answer depends on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from localcloud.iam_conditions import UnsupportedPolicy, holds, like

__all__ = ["Access", "Decision", "Policy", "Principal", "UnsupportedPolicy", "allowed", "evaluate"]

Context = Mapping[str, "str | Sequence[str] | None"]


class Decision(Enum):
    """What a set of policies says of a request."""

    ALLOW = "allow"
    DENY = "explicit deny"
    SILENT = "implicit deny"


@dataclass(frozen=True)
class Principal:
    """Who asks: an IAM ARN (of a role or user), or an AWS service such as `lambda.amazonaws.com`.

    A principal that is `alone` is not meant where a policy names its account.
    """

    arn: str = ""
    service: str = ""
    alone: bool = False

    @property
    def account(self) -> str:
        """Return the account id of an IAM ARN, "" of a service."""
        return self.arn.split(":")[4] if self.arn else ""


@dataclass(frozen=True)
class Access:
    """One request: an action on a resource by a principal.

    `context` maps condition keys to their values; None says the key is legitimately absent from this request.
    A key that is not in the mapping at all is one the caller knows nothing of: a condition on it raises
    UnsupportedPolicy.
    """

    action: str
    resource: str
    principal: Principal = field(default_factory=Principal)
    context: Context = field(default_factory=dict)


class Policy:
    """One policy document, read once and asked often. Raises UnsupportedPolicy for unknown elements."""

    def __init__(self, document: Mapping[str, Any], name: str = "policy") -> None:
        self.name = name
        self._statements = [
            _Statement(statement, f"{name}, statement {statement.get('Sid', number)}")
            for number, statement in enumerate(_list(document.get("Statement")), 1)
        ]

    def decide(self, access: Access) -> Decision:
        """Return what this document alone says. Raises UnsupportedPolicy."""
        verdict = Decision.SILENT
        for statement in self._statements:
            if not statement.applies(access):
                continue
            if statement.effect == "Deny":
                return Decision.DENY
            verdict = Decision.ALLOW
        return verdict

    def condition_keys(self, action: str, resource: str) -> set[str]:
        """Return the condition keys on which the answer for an action on a resource may depend."""
        return {
            key
            for statement in self._statements
            if statement.concerns(action, resource)
            for key in statement.condition_keys()
        }


class _Statement:
    _KNOWN = frozenset(
        ("Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition")
    )

    def __init__(self, statement: Mapping[str, Any], name: str) -> None:
        self.name = name
        self.effect = statement.get("Effect")
        unknown = set(statement) - self._KNOWN
        if unknown or self.effect not in ("Allow", "Deny"):
            what = ", ".join(sorted(unknown)) or f"Effect {self.effect!r}"
            raise UnsupportedPolicy(f"{name}: {what} is not evaluated by the local cloud")
        self._principal = statement.get("Principal")
        self._actions = _list(statement.get("Action", statement.get("NotAction")))
        self._not_action = "NotAction" in statement
        self._resources = _list(statement.get("Resource", statement.get("NotResource")))
        self._not_resource = "NotResource" in statement
        self._condition = statement.get("Condition") or {}

    def concerns(self, action: str, resource: str) -> bool:
        return self._names_action(action) and self._names_resource(resource)

    def condition_keys(self) -> set[str]:
        return {key for keys in self._condition.values() for key in keys}

    def applies(self, access: Access) -> bool:
        return (
            self.concerns(access.action, access.resource)
            and (self._principal is None or _names(self._principal, access.principal))
            and holds(self._condition, access.context, self.name)
        )

    def _names_action(self, action: str) -> bool:
        return any(like(pattern.lower(), action.lower()) for pattern in self._actions) != self._not_action

    def _names_resource(self, resource: str) -> bool:
        if not self._resources:
            return True
        return any(like(pattern, resource) for pattern in self._resources) != self._not_resource


def evaluate(policies: Iterable[Policy], access: Access) -> Decision:
    """Return what several policies of one kind say together: any Deny wins, else any Allow.

    Raises UnsupportedPolicy.
    """
    verdict = Decision.SILENT
    for policy in policies:
        said = policy.decide(access)
        if said is Decision.DENY:
            return said
        if said is Decision.ALLOW:
            verdict = said
    return verdict


def allowed(
    access: Access,
    identity: Iterable[Policy],
    boundary: Policy | None = None,
    resource: Policy | None = None,
    resource_account: str | None = None,
) -> bool:
    """Return whether a role or user may do this.

    In its own account an identity policy suffices, or a resource policy that names the principal; a resource
    of another account (`resource_account`) needs both. A permissions boundary must allow as well. Raises
    UnsupportedPolicy.
    """
    by_identity = evaluate(identity, access)
    by_resource = resource.decide(access) if resource else Decision.SILENT
    by_boundary = boundary.decide(access) if boundary else Decision.ALLOW
    if Decision.DENY in (by_identity, by_resource, by_boundary):
        return False
    identity_allows = by_identity is Decision.ALLOW and by_boundary is Decision.ALLOW
    if resource_account is not None and resource_account != access.principal.account:
        return identity_allows and by_resource is Decision.ALLOW
    return identity_allows or by_resource is Decision.ALLOW


def _names(element: Any, principal: Principal) -> bool:
    if element == "*":
        return True
    if not isinstance(element, Mapping):
        return False
    if principal.service and any(value == principal.service for value in _list(element.get("Service"))):
        return True
    own = {principal.arn, "*"}
    if not principal.alone:
        own |= {principal.account, f"arn:aws:iam::{principal.account}:root"}
    return bool(principal.arn) and any(value in own for value in _list(element.get("AWS")))


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]

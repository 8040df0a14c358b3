"""Who may do what: IAM policy documents in, a decision out.

Pure: it reads no backend and keeps no state. It follows "Policy evaluation logic" and "IAM JSON policy
elements" of the IAM User Guide for requests within one account, and for resource policies. What it cannot
evaluate it refuses with `UnsupportedPolicy`: unknown elements when a document is read, unknown conditions
where an answer depends on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from localcloud.iam_conditions import UnsupportedPolicy, holds, like

__all__ = ["Access", "Decision", "Policy", "Principal", "UnsupportedPolicy", "allowed", "evaluate", "refusal"]

Context = Mapping[str, "str | Sequence[str] | None"]

# A role that no policy names: what it may do, everyone may.
_NOBODY = "arn:aws:iam::000000000000:role/nobody"


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
    A key ending in "/" stands for its family: all of `aws:RequestTag/…` that are not named are absent too.
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
        self._by_action: dict[str, list[_Statement]] = {}

    def decide(self, access: Access) -> Decision:
        """Return what this document alone says. Raises UnsupportedPolicy."""
        verdict = Decision.SILENT
        for statement in self._naming(access.action):
            if not statement.applies(access):
                continue
            if statement.effect == "Deny":
                return Decision.DENY
            verdict = Decision.ALLOW
        return verdict

    def _naming(self, action: str) -> list[_Statement]:
        found = self._by_action.get(action)
        if found is None:
            found = [each for each in self._statements if each.names_action(action)]
            self._by_action[action] = found
        return found

    def services(self) -> list[str]:
        """Return the service principals that its statements name, sorted."""
        return sorted({name for statement in self._statements for name in statement.services()})

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

    def services(self) -> list[str]:
        named = self._principal
        return _list(named.get("Service")) if isinstance(named, Mapping) else []

    def concerns(self, action: str, resource: str) -> bool:
        return self.names_action(action) and self._names_resource(resource)

    def condition_keys(self) -> set[str]:
        return {key for keys in self._condition.values() for key in keys}

    def applies(self, access: Access) -> bool:
        """Tell whether it decides, given that it names the action."""
        return (
            self._names_resource(access.resource)
            and (self._principal is None or _names(self._principal, access.principal))
            and holds(self._condition, access.context, self.name)
        )

    def names_action(self, action: str) -> bool:
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
    """Return whether a role or user may do this; see `refusal`. Raises UnsupportedPolicy."""
    return not refusal(access, identity, boundary, resource, resource_account)


def refusal(
    access: Access,
    identity: Iterable[Policy],
    boundary: Policy | None = None,
    resource: Policy | None = None,
    resource_account: str | None = None,
) -> str:
    """Return why a role or user may not do this, in the words of AWS's error messages; "" where they may.

    In its own account an identity policy suffices, or a resource policy that names the principal, or everyone;
    one that names the account leaves it to identity policies. A resource of another account (`resource_account`)
    needs both. A permissions boundary must allow as well, except where a resource policy names a user or everyone
    (IAM User Guide, "How AWS enforcement code logic evaluates requests"). Raises UnsupportedPolicy. The words are
    those of "Troubleshoot access denied error messages".
    """
    by_identity = evaluate(identity, access)
    by_resource = resource.decide(access) if resource else Decision.SILENT
    by_boundary = boundary.decide(access) if boundary else Decision.ALLOW
    if by_identity is Decision.DENY:
        return "with an explicit deny in an identity-based policy"
    if by_resource is Decision.DENY:
        return "with an explicit deny in a resource-based policy"
    if by_boundary is Decision.DENY:
        return "with an explicit deny in a permissions boundary"
    elsewhere = resource_account is not None and resource_account != access.principal.account
    if resource is not None and not elsewhere and _grants(resource, access, by_boundary):
        return ""
    if by_identity is Decision.SILENT:
        return f"because no identity-based policy allows the {access.action} action"
    if by_boundary is Decision.SILENT:
        return f"because no permissions boundary allows the {access.action} action"
    if elsewhere and by_resource is Decision.SILENT:
        return f"because no resource-based policy allows the {access.action} action"
    return ""


def _grants(resource: Policy, access: Access, by_boundary: Decision) -> bool:
    """Return whether a resource policy of the principal's own account needs no identity policy beside it."""
    named = replace(access.principal, alone=True)
    if by_boundary is not Decision.ALLOW and ":role/" in named.arn:
        named = replace(named, arn=_NOBODY)
    return resource.decide(replace(access, principal=named)) is Decision.ALLOW


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

"""What a bucket's policy refuses a role, though the role's own policies allow it.

IAM's simulation does not look at resource policies for roles (API reference, SimulatePrincipalPolicy: "for IAM users
only"), so the statements are read here. What a condition asks of a request that S3 makes by itself is known only in
part: the rest counts as "may".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seeder_cli.checks.documents import (
    Principal,
    holds,
    like,
    listed,
    names_action,
    names_principal,
    statements,
)


@dataclass(frozen=True)
class Need:
    """A call that a role makes: an action on a bucket's ARN, or on all objects whose ARNs begin so."""

    action: str
    arn: str
    all_below: bool = False


@dataclass(frozen=True)
class Denial:
    """A statement that refuses a need, surely or under conditions that can't be known here."""

    sid: str
    need: Need
    is_sure: bool


def denials(policy: Mapping[str, Any], role_arn: str, needs: Iterable[Need]) -> list[Denial]:
    """Return the Deny statements that hit a role, one for each statement, the sure ones first."""
    wanted = list(needs)
    found = [
        denial
        for number, statement in enumerate(statements(policy), 1)
        if statement["Effect"] == "Deny"
        for denial in _hits(statement, number, role_arn, wanted)
    ]
    return sorted(found, key=lambda denial: not denial.is_sure)


def allows(policy: Mapping[str, Any], role_arn: str, needs: Iterable[Need]) -> list[Need]:
    """Return the needs that no Allow statement of the policy grants a role, as another account's bucket must."""
    principal = Principal(role_arn)
    return [
        need
        for need in needs
        if not any(
            statement["Effect"] == "Allow"
            and names_action(statement, need.action)
            and names_principal(statement, principal)
            and _touches(statement, need)
            and holds(statement.get("Condition", {}), _request(role_arn)) is not False
            for statement in statements(policy)
        )
    ]


def _hits(
    statement: Mapping[str, Any], number: int, role_arn: str, needs: Iterable[Need]
) -> Iterator[Denial]:
    truth = holds(statement.get("Condition", {}), _request(role_arn))
    if truth is False or not names_principal(statement, Principal(role_arn)):
        return
    for need in needs:
        if names_action(statement, need.action) and _touches(statement, need):
            yield Denial(statement.get("Sid") or f"number {number}", need, truth is True)
            return


def _request(role_arn: str) -> dict[str, str | None]:
    """What is known of every request that S3 makes as a role: TLS, and none of a caller's network or conditions."""
    return {
        "aws:principalaccount": role_arn.split(":")[4],
        "aws:principalarn": role_arn,
        "aws:principaltype": "AssumedRole",
        "aws:securetransport": "true",
        "aws:sourcevpc": None,
        "aws:sourcevpce": None,
        "s3:if-match": None,
        "s3:if-none-match": None,
        "s3:tlsversion": "1.2",
    }


def _touches(statement: Mapping[str, Any], need: Need) -> bool:
    """Tell whether a statement is about the need's resource, or some of its objects."""
    if "NotResource" in statement:
        return not any(_spans(item, need) for item in listed(statement["NotResource"]))
    return any(_meets(item, need) for item in listed(statement.get("Resource")))


def _spans(pattern: str, need: Need) -> bool:
    """Tell whether a pattern surely has all of the need's resource."""
    if "*" not in pattern and "?" not in pattern:
        return not need.all_below and pattern == need.arn
    head = _head(pattern)
    return pattern == f"{head}*" and need.arn.startswith(head)


def _meets(pattern: str, need: Need) -> bool:
    """Tell whether a pattern may have some of the need's resource, by what stands before its first wildcard."""
    head = _head(pattern)
    if head == pattern:
        return pattern.startswith(need.arn) if need.all_below else pattern == need.arn
    if need.arn.startswith(head):
        return need.all_below or like(pattern, need.arn)
    return need.all_below and head.startswith(need.arn)


def _head(pattern: str) -> str:
    return pattern.split("*")[0].split("?")[0]

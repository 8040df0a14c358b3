"""What a policy document says of one principal, as far as that can be known from outside.

Contracts: IAM User Guide, "IAM JSON policy elements reference" and "Condition operators". A condition on what is not
known has the truth value None: neither true nor false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Known = Mapping[str, str | None]
"""Condition keys in lower case and their values; None: absent from the request. A key not in it: not known."""

Truth = bool | None


@dataclass(frozen=True)
class Principal:
    """Who asks: the ARN of a role, or an AWS service such as "s3.amazonaws.com"."""

    arn: str = ""
    service: str = ""

    @property
    def names(self) -> frozenset[str]:
        """How a policy may name it under "AWS"."""
        if not self.arn:
            return frozenset()
        _, partition, _, _, account, _ = self.arn.split(":", 5)
        return frozenset({"*", self.arn, account, f"arn:{partition}:iam::{account}:root"})


def statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a document; a single one need not be in a list."""
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def listed(value: Any) -> list[Any]:
    """Return an element that may be one value, several, or none, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def like(pattern: str, value: str) -> bool:
    """Tell whether a value fits a pattern with * and ?."""
    return _glob(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def names_action(statement: Mapping[str, Any], action: str) -> bool:
    """Tell whether a statement is about an action."""
    key = "NotAction" if "NotAction" in statement else "Action"
    found = any(like(item.lower(), action.lower()) for item in listed(statement.get(key)))
    return found != (key == "NotAction")


def names_principal(statement: Mapping[str, Any], principal: Principal) -> bool:
    """Tell whether a statement is about a principal."""
    key = "NotPrincipal" if "NotPrincipal" in statement else "Principal"
    return _is_among(statement.get(key), principal) != (key == "NotPrincipal")


def _is_among(element: Any, principal: Principal) -> bool:
    if element == "*":
        return True
    given = element or {}
    return bool(principal.names & set(listed(given.get("AWS")))) or (
        bool(principal.service) and principal.service in listed(given.get("Service"))
    )


def holds(condition: Mapping[str, Any], known: Known) -> Truth:
    """Return whether a Condition holds: all its operators on all their keys."""
    truths = [
        _holds(operator, key.lower(), [_text(item) for item in listed(wanted)], known)
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    ]
    if False in truths:
        return False
    return None if None in truths else True


def _holds(operator: str, key: str, wanted: list[str], known: Known) -> Truth:
    if key not in known:
        return None
    found = known[key]
    if operator == "Null":
        return (found is None) == (wanted[0] == "true")
    name = operator.removesuffix("IfExists")
    kind, negated = name.replace("Not", "", 1), "Not" in name
    same = _OPERATORS.get(kind)
    if same is None or any("${" in item for item in wanted):
        return None
    if found is None:
        return negated or name != operator
    return any(same(item, found) for item in wanted) != negated


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda wanted, found: compare(float(found), float(wanted))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": lambda wanted, found: wanted.lower() == found.lower(),
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
    "NumericEquals": _numeric(lambda found, wanted: found == wanted),
    "NumericLessThan": _numeric(lambda found, wanted: found < wanted),
    "NumericLessThanEquals": _numeric(lambda found, wanted: found <= wanted),
    "NumericGreaterThan": _numeric(lambda found, wanted: found > wanted),
    "NumericGreaterThanEquals": _numeric(lambda found, wanted: found >= wanted),
}


def trusts(document: Mapping[str, Any], service: str, known: Known) -> Truth:
    """Tell whether a trust policy lets an AWS service take the role on. A Deny counts as an Allow does: first."""
    principal, verdict = Principal(service=service), False
    maybe = False
    for statement in statements(document):
        if not names_action(statement, "sts:AssumeRole") or not names_principal(statement, principal):
            continue
        truth = holds(statement.get("Condition", {}), known)
        if statement["Effect"] == "Deny" and truth is not False:
            return False if truth else None
        verdict = verdict or truth is True
        maybe = maybe or truth is None
    return verdict or (None if maybe else False)

"""The Condition element of IAM policies, for the operators that sane policies use.

Contract: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class UnsupportedPolicy(ValueError):  # it is the policy that is unsupported
    """A policy whose answer depends on something that the local cloud does not evaluate."""


def holds(
    condition: Mapping[str, Any], context: Mapping[str, str | Sequence[str] | None], where: str
) -> bool:
    """Return whether every operator and key of a Condition holds. Raises UnsupportedPolicy with `where`."""
    if not condition:
        return True
    values = {name.lower(): value for name, value in context.items()}
    return all(
        _holds(operator, key, wanted, values, where)
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, key: str, wanted: Any, context: Mapping[str, Any], where: str) -> bool:
    if key.lower() not in context:
        raise UnsupportedPolicy(f"{where}: condition key {key} is not evaluated by the local cloud")
    found = context[key.lower()]
    wanted = [_text(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
    if operator == "Null":
        return bool((found is None) == (wanted[0] == "true"))
    quantifier, name, if_exists = _parse(operator, where)
    negated, same = _OPERATORS[name]
    if found is None:
        return if_exists or negated or quantifier == "ForAllValues"
    actual = [found] if isinstance(found, str) else list(found)

    def fits(value: str) -> bool:
        return any(same(pattern, value) for pattern in wanted) != negated

    if quantifier == "ForAllValues":
        return all(map(fits, actual))
    return any(map(fits, actual))


def _parse(operator: str, where: str) -> tuple[str, str, bool]:
    quantifier, _, rest = operator.rpartition(":")
    name = rest.removesuffix("IfExists")
    if name not in _OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise UnsupportedPolicy(f"{where}: condition operator {operator} is not evaluated by the local cloud")
    return quantifier, name, rest != name


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """Return whether a pattern of a policy (`*` any characters, `?` any one) covers the whole value."""
    return _glob(pattern).fullmatch(value) is not None


def _arn_like(pattern: str, value: str) -> bool:
    parts, actual = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(actual) and all(map(like, parts, actual))


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda pattern, value: compare(float(value), float(pattern))


_OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (False, _equal),
    "StringNotEquals": (True, _equal),
    "StringEqualsIgnoreCase": (False, _equal_ignoring_case),
    "StringNotEqualsIgnoreCase": (True, _equal_ignoring_case),
    "StringLike": (False, like),
    "StringNotLike": (True, like),
    "ArnEquals": (False, _arn_like),
    "ArnLike": (False, _arn_like),
    "ArnNotEquals": (True, _arn_like),
    "ArnNotLike": (True, _arn_like),
    "Bool": (False, _equal_ignoring_case),
    "NumericEquals": (False, _number(lambda left, right: left == right)),
    "NumericNotEquals": (True, _number(lambda left, right: left == right)),
    "NumericLessThan": (False, _number(lambda left, right: left < right)),
    "NumericLessThanEquals": (False, _number(lambda left, right: left <= right)),
    "NumericGreaterThan": (False, _number(lambda left, right: left > right)),
    "NumericGreaterThanEquals": (False, _number(lambda left, right: left >= right)),
}

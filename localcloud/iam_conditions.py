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
    return all(
        _holds(operator, key, wanted, context, where)
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, key: str, wanted: Any, context: Mapping[str, Any], where: str) -> bool:
    found = _value(key, context, where)
    wanted = [_text(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
    if operator == "Null":
        return bool((found is None) == (wanted[0] == "true"))
    quantifier, base, if_exists = _parse(operator, where)
    negated, same = _OPERATORS[base]
    if found is None:
        return if_exists or quantifier == "ForAllValues" or (negated and not quantifier)
    actual = [found] if isinstance(found, str) else list(found)

    def fits(value: str) -> bool:
        return any(same(pattern, value) for pattern in wanted) != negated

    if quantifier == "ForAllValues":
        return all(map(fits, actual))
    return any(map(fits, actual))


def _value(key: str, context: Mapping[str, Any], where: str) -> Any:
    """Return the value of a key, whose case does not matter, or of its family; most are spelled as in the context."""
    if key in context:
        return context[key]
    values = {name.lower(): value for name, value in context.items()}
    name = key.lower()
    if name not in values and f"{name.partition('/')[0]}/" not in values:
        raise UnsupportedPolicy(f"{where}: condition key {key} is not evaluated by the local cloud")
    return values.get(name)


def _parse(operator: str, where: str) -> tuple[str, str, bool]:
    quantifier, _, rest = operator.rpartition(":")
    name = rest.removesuffix("IfExists")
    if name not in _OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise UnsupportedPolicy(f"{where}: condition operator {operator} is not evaluated by the local cloud")
    return quantifier, name, rest != name


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_PIECES = re.compile(r"\$\{([*?$])\}|(\*)|(\?)|([^*?$]+|\$)")


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    pieces = (
        ".*" if any_ else "." if one else re.escape(escaped or text)
        for escaped, any_, one, text in _PIECES.findall(pattern)
    )
    return re.compile("".join(pieces), re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """Return whether a pattern of a policy (`*` any characters, `?` any one) covers the whole value.

    `${*}`, `${?}` and `${$}` are those characters themselves (IAM User Guide, "IAM policy elements: Variables and
    tags"); other variables are not evaluated, and cover nothing but their own text.
    """
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

"""The constraints of a template's parameters, which moto does not look at.

Contract: CloudFormation User Guide, "CloudFormation template Parameters syntax".
"""

from __future__ import annotations

import re
from typing import Any


def refused_parameters(declared: dict[str, Any], given: dict[str, str]) -> list[str]:
    """Return a line for each value that a template's Parameters section refuses, in CloudFormation's words.

    `declared` is that section, `given` the values a deployment names; what it leaves out has its default.
    """
    lines = [f"Parameters: [{name}] do not exist in the template" for name in given if name not in declared]
    for name, parameter in declared.items():
        if name not in given and "Default" not in parameter:
            lines.append(f"Parameters: [{name}] must have values")
            continue
        reason = _refusal(parameter, str(given.get(name, parameter.get("Default"))))
        if reason:
            said = parameter.get("ConstraintDescription", reason)
            lines.append(f"Parameter {name} failed to satisfy constraint: {said}")
    return lines


def _refusal(parameter: dict[str, Any], value: str) -> str:
    allowed = [str(item) for item in parameter.get("AllowedValues", [])]
    pattern = parameter.get("AllowedPattern")
    if allowed and value not in allowed:
        return f"must be one of {', '.join(allowed)}"
    if pattern is not None and not re.fullmatch(pattern, value):
        return f"must match pattern {pattern}"
    if parameter["Type"] == "Number":
        return _outside(parameter, value, "Value")
    return _outside(parameter, str(len(value)), "Length")


def _outside(parameter: dict[str, Any], number: str, what: str) -> str:
    try:
        measured = float(number)
    except ValueError:
        return "must be a number"
    low, high = parameter.get(f"Min{what}"), parameter.get(f"Max{what}")
    if low is not None and measured < float(low):
        return f"must not be below {low} ({what.lower()})"
    if high is not None and measured > float(high):
        return f"must not be above {high} ({what.lower()})"
    return ""

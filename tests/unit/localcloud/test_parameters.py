from __future__ import annotations

from typing import Any

import pytest

from localcloud.cloudformation import refused_parameters

DECLARED: dict[str, Any] = {
    "Name": {"Type": "String", "MinLength": 2, "MaxLength": 4, "Default": "ab"},
    "Word": {
        "Type": "String",
        "AllowedPattern": "^[a-z]*$",
        "ConstraintDescription": "must be letters",
        "Default": "",
    },
    "Bare": {"Type": "String", "AllowedPattern": "[a-z]+", "Default": "a"},
    "Choice": {"Type": "Number", "AllowedValues": [1, 3], "Default": 1},
    "Count": {"Type": "Number", "MinValue": 1, "MaxValue": 40, "Default": 4},
}


def test_defaults_and_values_within_the_constraints_are_taken() -> None:
    assert refused_parameters(DECLARED, {}) == []
    given = {"Name": "abcd", "Word": "word", "Choice": "3", "Count": "40"}
    assert refused_parameters(DECLARED, given) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Name", "a", "must not be below 2 (length)"),
        ("Name", "abcde", "must not be above 4 (length)"),
        ("Word", "w0rd", "must be letters"),
        ("Bare", "ab1", "must match pattern [a-z]+"),
        ("Choice", "2", "must be one of 1, 3"),
        ("Count", "41", "must not be above 40 (value)"),
        ("Count", "0", "must not be below 1 (value)"),
        ("Count", "many", "must be a number"),
    ],
)
def test_a_value_outside_its_constraint_is_refused(name: str, value: str, said: str) -> None:
    lines = refused_parameters(DECLARED, {name: value})
    assert lines == [f"Parameter {name} failed to satisfy constraint: {said}"]


def test_a_default_is_held_to_the_constraints_too() -> None:
    assert refused_parameters({"A": {"Type": "String", "AllowedPattern": "x", "Default": "y"}}, {}) != []


def test_unknown_and_missing_parameters_are_refused() -> None:
    lines = refused_parameters({"A": {"Type": "String"}}, {"B": "x"})
    assert lines == ["Parameters: [B] do not exist in the template", "Parameters: [A] must have values"]

"""What the deployed definitions use of the Amazon States Language; all else is refused.

Contract: Amazon States Language specification (states-language.net), "Paths", "Intrinsic Functions", "Choice State".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

Document = dict[str, Any]

_PATH = re.compile(r"\$\$?(\.\w+)*")
_CALL = re.compile(r"States\.(\w+)\((.*)\)", re.DOTALL)
_ARGUMENT = re.compile(r"'((?:[^'\\]|\\.)*)'|(\$[\w.$]*)", re.DOTALL)


class StateFailed(Exception):
    """What a state ended in: an error's name and cause, as Step Functions catches them."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


def at(data: Any, path: str) -> Any:
    """Return what a reference path, such as `$.work.next`, names. Raises KeyError where nothing stands there."""
    assert _PATH.fullmatch(path), path
    for name in path.lstrip("$").split(".")[1:]:
        data = data[name]
    return data


def value(expression: str, data: Any, context: Document) -> Any:
    """Return what a path or an intrinsic function gives."""
    if call := _CALL.fullmatch(expression.strip()):
        found = _ARGUMENT.finditer(call[2])
        given = [value(one[2], data, context) if one[2] else one[1] for one in found]
        return _INTRINSICS[call[1]](*given)
    return at(context, expression[1:]) if expression.startswith("$$") else at(data, expression)


def _format(text: str, *given: Any) -> str:
    parts = text.split("{}")
    assert len(parts) == len(given) + 1, text
    return parts[0] + "".join(f"{one}{part}" for one, part in zip(given, parts[1:], strict=True))


_INTRINSICS: dict[str, Callable[..., Any]] = {
    "Format": _format,
    "JsonToString": json.dumps,
    "StringToJson": json.loads,
}


def filled(template: Any, data: Any, context: Document) -> Any:
    """Return a payload template with its paths followed."""
    if isinstance(template, list):
        return [filled(item, data, context) for item in template]
    if not isinstance(template, dict):
        return template
    return {
        name.removesuffix(".$"): value(given, data, context)
        if name.endswith(".$")
        else filled(given, data, context)
        for name, given in template.items()
    }


def put(data: Any, path: str | None, result: Any) -> Any:
    """Return a state's output: its input with the result at `path`; None is to forget the result."""
    if path == "$":
        return result
    if path is None:
        return data
    assert re.fullmatch(r"\$\.\w+", path), path
    return {**data, path[2:]: result}


_MISSING = object()
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "StringEquals": lambda found, wanted: bool(found == wanted),
    "StringMatches": lambda found, wanted: isinstance(found, str) and fnmatchcase(found, wanted),
    "BooleanEquals": lambda found, wanted: found is wanted,
    "NumericEquals": lambda found, wanted: bool(found == wanted),
    "NumericGreaterThan": lambda found, wanted: bool(found > wanted),
    "IsPresent": lambda found, wanted: (found is not _MISSING) is wanted,
}


def chosen(state: Document, data: Any) -> str:
    """Return the name of the state that a Choice leads to."""
    for choice in state["Choices"]:
        (name,) = set(choice) - {"Comment", "Variable", "Next"}
        if _TESTS[name](_found(data, choice["Variable"], name), choice[name]):
            return str(choice["Next"])
    return str(state["Default"])


def _found(data: Any, path: str, name: str) -> Any:
    try:
        return at(data, path)
    except (KeyError, TypeError):
        if name != "IsPresent":
            raise
        return _MISSING


def catcher(state: Document, failure: StateFailed) -> Document | None:
    """Return the catcher of a state that takes a failure."""
    for one in state.get("Catch", ()):
        if one["ErrorEquals"] == ["States.ALL"] or failure.error in one["ErrorEquals"]:
            return dict(one)
    return None


class Retries:
    """How often each retrier of a state has been used."""

    def __init__(self, state: Document) -> None:
        self._retriers = state.get("Retry", [])
        self._used = [0] * len(self._retriers)

    def wait(self, failure: StateFailed) -> float:
        """Return the seconds to wait before the next try. Raises the failure where there is none."""
        for place, one in enumerate(self._retriers):
            if failure.error not in one["ErrorEquals"] and one["ErrorEquals"] != ["States.ALL"]:
                continue
            if self._used[place] == one["MaxAttempts"]:
                break
            seconds = one["IntervalSeconds"] * one["BackoffRate"] ** self._used[place]
            self._used[place] += 1
            return float(min(seconds, one.get("MaxDelaySeconds", seconds)))
        raise failure

"""Reference paths and templates of the Amazon States Language, as far as this application's machine uses them.

Contract: Step Functions developer guide, "Manipulate parameters in Step Functions workflows", "Intrinsic functions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

PATH = re.compile(r"\$\$?(?:\.[A-Za-z_]\w*)*")
_CALL = re.compile(rf"States\.(\w+)\(({PATH.pattern})\)")


def _to_string(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_INTRINSICS: dict[str, Callable[[Any], Any]] = {"JsonToString": _to_string, "StringToJson": json.loads}


class NotThere(Exception):
    """A path names what the document does not hold."""


def is_path(text: object) -> bool:
    """Tell whether a value is a path that `read` takes: `$`, `$.a.b`, or `$$.a.b` of the context."""
    return isinstance(text, str) and PATH.fullmatch(text) is not None


def is_expression(text: object) -> bool:
    """Tell whether a value is a path, or a known intrinsic function of one."""
    call = _CALL.fullmatch(text) if isinstance(text, str) else None
    return is_path(text) or (call is not None and call[1] in _INTRINSICS)


def read(path: str, document: Any, context: Any) -> Any:
    """Return what a path names. Raises NotThere."""
    root, *names = path.split(".")
    held = context if root == "$$" else document
    for name in names:
        if not isinstance(held, dict) or name not in held:
            raise NotThere(f"The JSONPath '{path}' could not be found in the input '{_to_string(document)}'")
        held = held[name]
    return held


def put(path: str | None, document: Any, value: Any) -> Any:
    """Return the document with a value where a ResultPath says; `$` replaces it, None changes nothing."""
    if path is None:
        return document
    names = path.split(".")[1:]
    if not names:
        return value
    first, rest = names[0], ".".join(["$", *names[1:]])
    held = document if isinstance(document, dict) else {}
    return {**held, first: put(rest, held.get(first), value)}


def fill(template: Any, document: Any, context: Any) -> Any:
    """Return a template of Parameters or ResultSelector with its `.$` members replaced. Raises NotThere."""
    if isinstance(template, list):
        return [fill(item, document, context) for item in template]
    if not isinstance(template, dict):
        return template
    filled = {}
    for name, member in template.items():
        if name.endswith(".$"):
            filled[name[:-2]] = _evaluate(member, document, context)
        else:
            filled[name] = fill(member, document, context)
    return filled


def _evaluate(expression: str, document: Any, context: Any) -> Any:
    call = _CALL.fullmatch(expression)
    if call is None:
        return read(expression, document, context)
    return _INTRINSICS[call[1]](read(call[2], document, context))

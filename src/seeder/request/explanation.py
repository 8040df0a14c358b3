"""What a user is told of an input document that a model refuses: one field, its value, and what to do."""

from __future__ import annotations

import difflib

from pydantic import BaseModel, ValidationError

from seeder.errors import InvalidRequest


def explain(error: ValidationError, model: type[BaseModel], example: str) -> InvalidRequest:
    """Return the first problem of a document that `model` refused; `example` is a document that it takes."""
    problems = error.errors()
    # An unknown field often explains a missing one, so it is told first.
    problem = next((item for item in problems if item["type"] == "extra_forbidden"), problems[0])
    field = ".".join(str(part) for part in problem["loc"])
    value = problem["input"]
    if problem["type"] == "extra_forbidden":
        known = sorted(model.model_fields)
        close = difflib.get_close_matches(field, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known fields: {', '.join(known)}"
        return InvalidRequest(field, f"unknown field (value {value!r}); {hint}")
    if problem["type"] == "missing":
        return InvalidRequest(field, f"missing; give at least {example}")
    if problem["type"] == "value_error":
        return InvalidRequest(field, problem["msg"].removeprefix("Value error, "))
    return InvalidRequest(field, f"{value!r} won't do: {problem['msg']}")

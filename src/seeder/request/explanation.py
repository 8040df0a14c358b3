"""What a user is told of an input document that a model refuses: one field, its value, and what to do."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, ValidationError

from seeder.documents import shown
from seeder.errors import InvalidRequest

_LONGEST_NAME = 100


def explain(error: ValidationError, model: type[BaseModel], example: str) -> InvalidRequest:
    """Return the first problem of a document that `model` refused; `example` is a document that it takes."""
    problems = error.errors()
    # An unknown field often explains a missing one, so it is told first.
    problem = next((item for item in problems if item["type"] == "extra_forbidden"), problems[0])
    field = ".".join(str(part) for part in problem["loc"])
    value = shown(problem["input"])
    if problem["type"] == "extra_forbidden":
        import difflib  # here, because a request that is right has no use for it

        known = sorted(_model_at(model, problem["loc"][:-1]).model_fields)
        close = difflib.get_close_matches(str(problem["loc"][-1])[:_LONGEST_NAME], known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known fields: {', '.join(known)}"
        return InvalidRequest(field, f"unknown field (value {value}); {hint}")
    if problem["type"] == "missing":
        return InvalidRequest(field, f"missing; give at least {example}")
    if problem["type"] == "value_error":
        return InvalidRequest(field, problem["msg"].removeprefix("Value error, "))
    return InvalidRequest(field, f"{value} won't do: {problem['msg']}")


def _model_at(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the model of the member at a path, which a model within this one is, or an optional one."""
    for name in path:
        told = model.model_fields[str(name)].annotation
        found = [
            each for each in (told, *get_args(told)) if isinstance(each, type) and issubclass(each, BaseModel)
        ]
        model = found[0] if found else model
    return model

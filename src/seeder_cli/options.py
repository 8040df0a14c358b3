"""The options of a command that takes a request, one for each field, made from the schema.

Whether values fit is for `seeder.request.parse_request` to say, to which a command hands what it got.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from seeder.request import schema
from seeder.request.schema import Field, Kind

Result = TypeVar("Result")

# Of what is given by repetition, each time one.
_SINGULAR = {"storage_classes": "storage-class", "tags": "tag"}
_TYPES: dict[Kind, click.ParamType[Any]] = {"text": click.STRING, "integer": click.INT, "number": click.FLOAT}


def request_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add an option for each field of a request that a person may give, but for the two buckets.

    The command gets one argument for them all, `fields`: those that were given, by name, as a request has them.
    """
    offered = [field for field in schema.fields().values() if not (field.required or field.internal)]

    @wraps(command)
    def with_fields(*args: Any, **values: Any) -> Result:
        taken = {field.name: values.pop(field.name) for field in offered}
        fields = {name: _given(value) for name, value in taken.items() if value not in (None, ())}
        return command(*args, fields=fields, **values)

    decorated: Callable[..., Result] = with_fields
    for field in reversed(offered):
        decorated = _option(field)(decorated)
    return decorated


def option_name(field: Field) -> str:
    """Return how a field is called on the command line, such as --storage-class."""
    return f"--{_SINGULAR.get(field.name, field.name.replace('_', '-'))}"


def _option(field: Field) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    name, told = option_name(field), _help(field)
    if field.kind == "flag":
        return click.option(f"{name}/--no-{name[2:]}", field.name, default=None, help=told)
    if field.kind == "map":
        return click.option(
            name,
            field.name,
            multiple=True,
            metavar="KEY=VALUE",
            callback=_pairs,
            help=f"{told} Can be repeated.",
        )
    several = field.kind == "list"
    return click.option(
        name,
        field.name,
        type=click.Choice(field.choices) if field.choices else _TYPES[field.kind],
        multiple=several,
        default=None,
        help=f"{told} Can be repeated." if several else told,
    )


def _help(field: Field) -> str:
    return field.description + (f"  [default: {_shown(field.default)}]" if field.default else "")


def _shown(default: Any) -> str:
    return default if isinstance(default, str) else json.dumps(default)


def _pairs(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str] | None:
    """Return what was given as KEY=VALUE; None where nothing was. A value may hold more of "="."""
    pairs: dict[str, str] = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or key in pairs:
            problem = "is given twice" if equals else "has no '='"
            raise click.BadParameter(f"'{text}' {problem}; give each KEY=VALUE once", param=option)
        pairs[key] = value
    return pairs or None


def _given(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value

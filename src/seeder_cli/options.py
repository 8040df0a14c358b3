"""The options of a command that takes a request, one for each field, made from the schema, and its help.

Whether values fit is for `seeder.request.parse_request` to say, to which a command hands what it got.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

import click

from seeder.request import schema
from seeder.request.schema import Field, Kind

Result = TypeVar("Result")

# Of what is given by repetition, each time one.
_SINGULAR = {"storage_classes": "storage-class", "tags": "tag"}
# Shown with their text in the short help; all others are named there.
COMMON = ("prefix", "operation", "resync", "enable_replication", "restore", "overlap", "max_cost_usd")
_METAVARS = {
    "created_after": "TIME",
    "created_before": "TIME",
    "destination_account": "ACCOUNT",
    "inventory": "ADDRESS",
    "job_role_arn": "ARN",
    "max_cost_usd": "USD",
    "operation": "HOW",
    "priority": "N",
    "replica_kms_key": "ARN",
    "replica_storage_class": "CLASS",
    "replication_role_arn": "ARN",
    "restore_days": "N",
    "rounds": "N",
    "size_at_least": "BYTES",
    "size_at_most": "BYTES",
    "storage_classes": "CLASS",
    "tags": "KEY=VALUE",
}
_TITLE_WIDTH = 18
_WHOLE = "seeder_cli.options.whole"
_TYPES: dict[Kind, click.ParamType[Any]] = {"text": click.STRING, "integer": click.INT, "number": click.FLOAT}


class FieldOption(click.Option):
    """The option of a field of a request."""

    def __init__(self, *given: Any, field: Field, **options: Any) -> None:
        super().__init__(*given, **options)
        self.field = field

    def get_help_spec(self, ctx: click.Context) -> str:
        """Return how the option is given; of a flag that is off by default, not how it is turned off."""
        spec = super().get_help_spec(ctx)
        return self.opts[0] if self.field.kind == "flag" and not self.field.default else spec

    def in_short(self, ctx: click.Context) -> tuple[str, str]:
        """Return how the option is given, and its text up to where that goes into details."""
        text = re.split("[;:] ", self.field.description)[0].removesuffix(".")
        if self.field.choices and self.field.name in _METAVARS:
            text += f": {', '.join(self.field.choices)}"
        return self.get_help_spec(ctx), f"{text}."


class RequestCommand(click.Command):
    """A command of so many options that its help has only the common ones in full; --help-all has all, by group."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options: short, or whole where that was asked for."""
        own = [one for one in self.get_params(ctx) if not isinstance(one, (FieldOption, click.Argument))]
        fields = {param.field.name: param for param in self.params if isinstance(param, FieldOption)}
        groups = [
            (group.title, [fields[name] for name in group.fields if name in fields])
            for group in schema.GROUPS
        ]
        if ctx.meta.get(_WHOLE):
            for title, options in groups:
                _section(formatter, title, _records(ctx, options))
            _section(formatter, "Options", _records(ctx, own))
            return
        common = [fields[name].in_short(ctx) for name in COMMON]
        _section(formatter, "Options", [*common, *_records(ctx, own)])
        with formatter.section("More options, told of by --help-all"):
            for title, options in groups:
                _write_names(formatter, title, options)


def whole_help(command: click.Command, ctx: click.Context) -> str:
    """Return a command's help with every option's text."""
    ctx.meta[_WHOLE] = True
    return command.get_help(ctx)


def _records(ctx: click.Context, options: Sequence[click.Parameter]) -> list[tuple[str, str]]:
    return [record for option in options if (record := option.get_help_record(ctx))]


def _section(formatter: click.HelpFormatter, title: str, records: Sequence[tuple[str, str]]) -> None:
    with formatter.section(title):
        formatter.write_dl(records)


def _write_names(formatter: click.HelpFormatter, title: str, options: list[FieldOption]) -> None:
    """Write a group's options by name; a name is not broken at its hyphens, as click would."""
    names = ", ".join(option.opts[0] for option in options if option.field.name not in COMMON)
    for line in textwrap.wrap(names, formatter.width - _TITLE_WIDTH - 2, break_on_hyphens=False):
        formatter.write(f"  {title:<{_TITLE_WIDTH}}{line}\n")
        title = ""


def _help_all(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        click.echo(whole_help(ctx.command, ctx))
        ctx.exit()


def request_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add an option for each field of a request that a person may give, but for the two buckets.

    The command gets one argument for them all, `fields`: those that were given, by name, as a request has them. Its
    class is RequestCommand.
    """
    offered = [field for field in schema.fields().values() if not (field.required or field.internal)]

    @wraps(command)
    def with_fields(*args: Any, **values: Any) -> Result:
        taken = {field.name: values.pop(field.name) for field in offered}
        fields = {name: _given(value) for name, value in taken.items() if value not in (None, ())}
        return command(*args, fields=fields, **values)

    decorated: Callable[..., Result] = click.option(
        "--help-all",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_help_all,
        help="Show this help with all options, by group.",
    )(with_fields)
    for field in reversed(offered):
        decorated = _option(field)(decorated)
    return decorated


def option_name(field: Field) -> str:
    """Return how a field is called on the command line, such as --storage-class."""
    return f"--{_SINGULAR.get(field.name, field.name.replace('_', '-'))}"


def _option(field: Field) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    name, given = option_name(field), _declared(field)
    declared = f"{name}/--no-{name[2:]}" if field.kind == "flag" else name

    def add(command: Callable[..., Result]) -> Callable[..., Result]:
        made = click.option(
            declared, field.name, cls=FieldOption, field=field, default=None, help=_help(field), **given
        )
        return made(command)

    return add


def _declared(field: Field) -> dict[str, Any]:
    """Return what click is told of a field's option, beside its name and help."""
    several = field.kind in ("list", "map")
    given: dict[str, Any] = {"multiple": several, "metavar": _METAVARS.get(field.name)}
    if field.kind == "map":
        given["callback"] = _pairs
    elif field.kind != "flag":
        given["type"] = click.Choice(field.choices) if field.choices else _TYPES[field.kind]
    return given


def _help(field: Field) -> str:
    parts = [field.description]
    if field.name in _METAVARS and any(choice not in field.description for choice in field.choices):
        parts.append(f"One of {', '.join(field.choices)}.")
    if field.kind in ("list", "map"):
        parts.append("Can be repeated.")
    return " ".join(parts) + (f"  [default: {_shown(field.default)}]" if field.default else "")


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

from __future__ import annotations

import re
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from seeder.request import parse_request, schema
from seeder_cli.options import COMMON, RequestCommand, option_name, request_options
from tests.requests import PAIR, wholes

FIELDS = schema.fields()


@click.command(cls=RequestCommand)
@click.argument("source")
@click.argument("destination")
@request_options
@click.option("--wait", is_flag=True)
def run(source: str, destination: str, wait: bool, fields: dict[str, Any]) -> dict[str, Any]:
    return {"source": source, "destination": destination, **fields}


def asked(*words: str) -> dict[str, Any]:
    """Return the request that a call of the command makes."""
    made: dict[str, Any] = run.main(["my-bucket", "my-replica", *words], standalone_mode=False)
    return made


def words(fields: dict[str, Any]) -> list[str]:
    """Return how fields are put on the command line."""
    found = []
    for name, value in fields.items():
        option = option_name(FIELDS[name])
        if isinstance(value, bool):
            found.append(option if value else f"--no-{option[2:]}")
        elif isinstance(value, dict):
            found += [f"{option}={key}={text}" for key, text in value.items()]
        else:
            found += [f"{option}={item}" for item in (value if isinstance(value, list) else [value])]
    return found


@settings(deadline=None)
@given(wholes)
def test_what_the_options_say_is_what_the_same_document_says(document: dict[str, Any]) -> None:
    fields = {name: value for name, value in document.items() if name not in PAIR}
    assert asked(*words(fields)) == document
    assert parse_request(asked(*words(fields))) == parse_request(document)


def test_what_is_not_given_is_not_asked() -> None:
    assert asked() == PAIR
    assert asked("--wait") == PAIR


def test_a_flag_can_be_given_either_way() -> None:
    assert asked("--no-replicate-delete-markers") == PAIR | {"replicate_delete_markers": False}
    assert asked("--confirm", "--no-resync") == PAIR | {"confirm": True, "resync": False}


def test_lists_and_tags_are_given_by_repetition() -> None:
    given = [
        "--storage-class",
        "STANDARD",
        "--tag",
        "team=finance",
        "--storage-class",
        "GLACIER_IR",
        "--tag",
        "a=b=c",
    ]
    assert asked(*given) == PAIR | {
        "storage_classes": ["STANDARD", "GLACIER_IR"],
        "tags": {"team": "finance", "a": "b=c"},
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--tag", "finance"], "'finance' has no '='; give each KEY=VALUE once"),
        (["--tag", "a=b", "--tag", "a=c"], "'a=c' is given twice; give each KEY=VALUE once"),
        (["--operation", "move"], "'move' is not one of 'auto', 'replicate', 'copy'"),
        (["--rounds", "many"], "'many' is not a valid integer"),
        (["--trigger", "schedule"], "No such option"),
        (["--rule-id", "r"], "No such option"),
    ],
)
def test_a_wrong_option_is_named(given: list[str], told: str) -> None:
    result = CliRunner().invoke(run, ["my-bucket", "my-replica", *given])
    assert result.exit_code == 2
    assert told in result.output


def told(*words: str) -> str:
    """Return what a call prints, on a wide screen, with single spaces."""
    return " ".join(CliRunner().invoke(run, [*words], terminal_width=200).output.split())


def test_the_whole_help_describes_every_option_its_choices_and_its_default() -> None:
    whole = told("--help-all")
    for field in FIELDS.values():
        offered = not (field.internal or field.required)
        assert (f"{option_name(field)} " in whole) is offered, field.name
        assert not offered or field.description in whole, field.name
        assert not offered or all(choice in whole for choice in field.choices), field.name
    assert "[default: 7]" in whole
    assert "[default: auto]" in whole
    assert [whole.index(f"{group.title}: --") for group in schema.GROUPS if group.title] == sorted(
        whole.index(f"{group.title}: --") for group in schema.GROUPS
    )


def test_the_short_help_names_every_option_and_describes_the_common_ones() -> None:
    short = told("--help")
    names = {word.strip(",") for word in short.split()}
    for field in FIELDS.values():
        offered = not (field.internal or field.required)
        assert (option_name(field) in names) is offered, field.name
        told_of = re.split("[;:.] ", field.description.removesuffix("."))[0] in short
        assert told_of is (field.name in COMMON), field.name
    assert "How objects get there: auto, replicate, copy." in short


def test_no_name_of_an_option_is_broken_by_the_short_help() -> None:
    shown = CliRunner().invoke(run, ["--help"], terminal_width=80).output
    words = {word.strip(",:") for word in shown.split() if word.startswith("--")}
    known = {name for param in run.params for name in (*param.opts, *param.secondary_opts)}
    assert words - known == {"--help"}


def test_a_flag_is_shown_as_it_is_turned_on_and_off_where_it_is_on_by_default() -> None:
    whole = told("--help-all")
    assert "--no-resync" not in whole
    assert "--replicate-delete-markers / --no-replicate-delete-markers" in whole

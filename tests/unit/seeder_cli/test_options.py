from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from seeder.request import parse_request, schema
from seeder_cli.options import option_name, request_options
from tests.requests import PAIR, wholes

FIELDS = schema.fields()


@click.command()
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


def test_the_help_describes_every_option_and_its_default() -> None:
    told = " ".join(CliRunner().invoke(run, ["--help"], terminal_width=200).output.split())
    for field in FIELDS.values():
        offered = not (field.internal or field.required)
        assert (f"{option_name(field)} " in told) is offered, field.name
        assert not offered or field.description in told, field.name
    assert "[default: 7]" in told
    assert "[default: auto]" in told

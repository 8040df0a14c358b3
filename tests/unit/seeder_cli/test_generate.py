from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from seeder.request import parse_request
from seeder_cli import generate
from tests.requests import PAIR
from tests.unit.seeder_cli.test_options import asked

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text("utf-8")
MADE = generate.made(README)


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_is_up_to_date(name: str) -> None:
    path = ROOT / name
    assert path.is_file(), "run: make docs"
    assert path.read_text("utf-8") == MADE[name], "run: make docs"


def test_the_sample_with_all_fields_is_a_request() -> None:
    sample = json.loads((ROOT / "events/manual-all-options.json").read_text("utf-8"))
    small = json.loads((ROOT / "events/manual.json").read_text("utf-8"))
    assert parse_request(sample) == parse_request(small)


@pytest.mark.parametrize(("title", "given"), generate.EXAMPLES)
def test_each_example_is_a_request_in_json_and_on_the_command_line(title: str, given: dict[str, Any]) -> None:
    assert title.endswith(":")
    request = parse_request(PAIR | given)
    name, command, source, destination, *options = shlex.split(
        generate.command_line(given).replace("\\\n", "")
    )
    assert [name, command, source, destination] == ["seeder", "run", *PAIR.values()]
    assert parse_request(asked(*options)) == request


def test_only_the_table_of_the_readme_is_made() -> None:
    text = f"before\n{generate.BEGIN}\nold\n{generate.END}\nafter\n"
    made = generate.with_table(text)
    assert made.startswith(f"before\n{generate.BEGIN}\n| | fields | |\n")
    assert made.endswith(f"|\n{generate.END}\nafter\n")
    assert generate.with_table(made) == made


def test_a_readme_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="has no lines"):
        generate.with_table("nothing")

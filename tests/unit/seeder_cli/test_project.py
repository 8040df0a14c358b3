"""What an installation brings: all that the template names, so that it can be deployed without a checkout."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from seeder_cli import project
from seeder_cli.errors import CommandError

ROOT = Path(__file__).parents[3]
PLACES = ("CodeUri", "ContentUri", "DefinitionUri")


def named(item: Any) -> set[str]:
    """Return the files and folders that a template names."""
    if isinstance(item, dict):
        own = {value for name, value in item.items() if name in PLACES}
        return own.union(*(named(value) for value in item.values()))
    return set().union(*(named(value) for value in item)) if isinstance(item, list) else set()


def test_the_wheel_brings_something_of_every_place_that_the_template_names() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    brought = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    places = named(yaml_parse((ROOT / "template.yaml").read_text("utf-8")))
    assert len(places) > 10
    for place in places:
        assert any(place.startswith(f"{each}/") or each.startswith(f"{place}/") for each in brought), place


def test_in_a_checkout_its_own_template_is_taken() -> None:
    assert project.template_path() == ROOT / "template.yaml"


def test_an_installation_takes_what_it_brought_and_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages/seeder_cli"
    monkeypatch.setattr(project, "__file__", str(package / "project.py"))
    with pytest.raises(CommandError, match=r"template\.yaml, functions/ and statemachine/ are not installed"):
        project.application_folder()
    (package / "application/functions").mkdir(parents=True)
    (package / "application/template.yaml").touch()
    assert project.template_path() == package / "application/template.yaml"

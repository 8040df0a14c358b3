"""What is deployed elsewhere: the functions of the template and the state machine, read from their files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FUNCTION = "AWS::Serverless::Function"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_LONGEST_SECONDS = 900


@dataclass(frozen=True)
class Function:
    """A function of the template: where its code is, how many seconds a call has, and which variables it is given."""

    name: str
    folder: Path
    timeout: int
    variables: frozenset[str]


@dataclass(frozen=True)
class Application:
    """The definition of `seed`, whose tasks call functions by their names in the template, and these."""

    definition: dict[str, Any]
    functions: dict[str, Function]


def load(folder: Path) -> Application:
    """Return the application of a folder with template.yaml, functions/ and statemachine/."""
    from samtranslator.yaml_helper import yaml_parse

    template = yaml_parse((folder / "template.yaml").read_text("utf-8"))
    common = template["Globals"]["Function"]
    functions = {
        name: _function(name, folder, common, resource["Properties"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == _FUNCTION
    }
    machine = template["Resources"]["Seed"]["Properties"]
    names = {name: _named(value) for name, value in machine["DefinitionSubstitutions"].items()}
    text = (folder / machine["DefinitionUri"]).read_text("utf-8")
    definition = yaml_parse(_PLACEHOLDER.sub(lambda found: names[found[1]], text))
    return Application(definition, functions)


def _function(name: str, folder: Path, common: dict[str, Any], own: dict[str, Any]) -> Function:
    given = [item.get("Environment", {}).get("Variables", {}) for item in (common, own)]
    timeout = own.get("Timeout", common.get("Timeout", _LONGEST_SECONDS))
    return Function(name, folder / own["CodeUri"], timeout, frozenset().union(*given))


def _named(value: Any) -> str:
    """Return the resource that `!Ref X` or `!GetAtt X.Arn` names."""
    (named,) = value.values()
    return str(named[0] if isinstance(named, list) else named).partition(".")[0]

"""What the library promises: every public name is there, says what it does and which errors it raises."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as boto

from seeder import errors
from seeder_cli.api_page import MODULES, members, names, signature

ROOT = Path(__file__).parents[3]
FACES = MODULES[:3]
NAMES = [(module, name) for module in MODULES for name in import_module(module).__all__]
# They compute, or give what was read before; what they are given is checked by its type.
RAISES_NOTHING = {
    "Difference.add",
    "Entry.document",
    "Entry.is_same_file",
    "Lake.close",
    "Page.cut",
    "Page.decode",
    "Page.rows",
    "Request.selection",
    "Wire.close",
    "Wire.count",
    "bucket_arn",
    "lifecycle_rule",
}
# What is said once for a class: "All methods raise …".
_OF_ALL_METHODS = re.compile(r"All methods raise ")
_RAISES = re.compile(r"\b[Rr]aises?\b(.*)", re.DOTALL)
_ERROR = re.compile(r"\b(?:[A-Z][a-z]+){1,4}\b")


def functions() -> Iterator[tuple[str, Any, str]]:
    """Yield the name, the function and its holder's docstring for each public function and method."""
    for module in map(import_module, MODULES):
        for name in names(module):
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield name, value, ""
                continue
            for each, member in members(value):
                function = getattr(member, "__func__", member)
                if inspect.isfunction(function):
                    yield f"{name}.{each}", function, inspect.getdoc(value) or ""


@pytest.mark.parametrize("name", FACES)
def test_a_face_names_the_same_to_python_and_to_a_type_checker(name: str) -> None:
    module = import_module(name)
    (only_typed,) = [
        item
        for item in ast.parse(inspect.getsource(module)).body
        if ast.unparse(item).startswith("if TYPE_CHECKING")
    ]
    assert isinstance(only_typed, ast.If)
    typed = {
        alias.name: node.module
        for node in only_typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(typed) == sorted(module.__all__)
    for each, home in typed.items():
        assert getattr(module, each) is getattr(import_module(str(home)), each)


@pytest.mark.parametrize("name", FACES)
def test_a_face_has_no_other_names_and_yields_to_its_modules(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"module '{name}' has no attribute 'Lak'"):
        import_module(name).Lak  # noqa: B018 - asking is what is tested
    star: dict[str, Any] = {}
    exec(f"from {name} import *", star)  # noqa: S102 - as its user does
    assert set(star) - {"__builtins__"} == set(import_module(name).__all__)


def test_the_faces_cost_no_start() -> None:
    code = f"import sys, {', '.join(FACES)}; print(*sorted(name for name in sys.modules if name.startswith('seeder')))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["seeder", "seeder.lake", "seeder.lazily", "seeder.listing"]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_public_name_says_what_it_is_and_has_a_whole_signature(module: str, name: str) -> None:
    value = getattr(import_module(module), name)
    assert inspect.getdoc(value)
    parts = [(name, value), *(members(value) if isinstance(value, type) else ())]
    assert all(":" in signature(each, part) or "()" in signature(each, part) for each, part in parts)


@pytest.mark.parametrize(
    ("name", "function", "of_holder"), [pytest.param(*one, id=one[0]) for one in functions()]
)
def test_every_function_names_the_errors_it_raises(name: str, function: Any, of_holder: str) -> None:
    told = _RAISES.search(inspect.getdoc(function) or "")
    assert told or _OF_ALL_METHODS.search(of_holder) or name in RAISES_NOTHING, "say what it raises"
    assert not (told and name in RAISES_NOTHING)
    known = {*vars(errors), *vars(boto), "Registry", "Unordered", "Lake"}
    for word in _ERROR.findall(told[1]) if told else ():
        assert word in known or word in re.findall(
            r"\w+", inspect.getsource(import_module(function.__module__))
        ), word


def test_the_release_is_in_the_changelog() -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")

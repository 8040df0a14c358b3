"""docs/api.md: what the library promises to its users, from its `__all__`, signatures and docstrings."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from seeder import errors
from seeder.listing.lazy import lazy

MODULES = ("seeder", "seeder.listing", "seeder.lake", "seeder.lake.policies", "seeder.lake.idempotency")

_WIDTH = 100
_INTRODUCTION = """\
# The library

<!-- Made by `make docs` from the docstrings. -->

What is here stays as it is within a release of the same minor version; a change is told in
[CHANGELOG.md](../CHANGELOG.md). What is not here may change at any time. All of it is typed. Nothing reads the
environment or makes clients of its own but `S3PersistenceLayer` where it is given none.

```python
import boto3

from seeder.lake import Lake
from seeder.listing import Wire, compare

s3 = boto3.client("s3")
found = compare(Wire(s3, "my-bucket"), Wire(s3, "my-replica"))
print(found.is_equal, found.missing, found.missing_example)

with Lake(s3, "my-lake") as lake:
    lake.add_file("sales", {"day": "2026-01-01"}, "part-1.csv", b"id\\n1\\n", records=1)
```

The fields of a `Request` are those of [docs/request.md](request.md). A `Record` is what stands at
`runs/<run id>/run.json` in the state bucket: `Record.model_validate_json` reads it.
"""


def page() -> Iterator[str]:
    """Yield the parts of docs/api.md."""
    yield _INTRODUCTION
    for name in MODULES:
        module = import_module(name)
        yield f"## {name}\n\n{_prose(module)}\n"
        yield from _errors(module)
        for each in names(module):
            yield from _entry(each, getattr(module, each))


def names(module: ModuleType) -> list[str]:
    """Return the public names of a module but the errors of `seeder`, which stand together."""
    return [name for name in module.__all__ if not _is_own_error(module, name)]


def members(holder: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that a class defines itself, in their order, as they are in the class."""
    for name, value in vars(holder).items():
        function = _function(value)
        # A function of another name is the default of a field.
        if function is not None and function.__name__ == name and not name.startswith("_"):
            yield name, value


def signature(name: str, value: Any) -> str:
    """Return how a function or class is called, in the words of its source: no default is evaluated."""
    node = ast.parse(textwrap.dedent(inspect.getsource(_function(value) or value))).body[0]
    if isinstance(node, ast.ClassDef):
        makers = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
        return _call(name, _arguments(makers[0]) if makers else _fields(node))
    if not isinstance(node, ast.FunctionDef) or node.returns is None:
        raise TypeError(f"{name} is neither a class nor a function with types")
    returned = ast.unparse(node.returns)
    if isinstance(value, property | lazy):
        return f"{name}: {returned}"
    return f"{_call(name, _arguments(node))} -> {returned}"


def _errors(module: ModuleType) -> Iterator[str]:
    own = [name for name in vars(errors) if name in module.__all__]
    if own:
        yield f"```\n{inspect.getdoc(errors)}\n```\n"
        yield "\n".join(f"- **`{name}`**: {_on_one_line(getattr(module, name))}" for name in own) + "\n"


def _entry(name: str, value: Any) -> Iterator[str]:
    yield f"### {name}\n\n```python\n{signature(name, value)}\n```\n\n{_prose(value)}\n"
    if isinstance(value, type):
        for each, member in members(value):
            yield f"```python\n{name}.{signature(each, member)}\n```\n\n{_prose(_function(member))}\n"


def _call(name: str, arguments: list[str]) -> str:
    """Return a call on one line, or on one for each argument where that is too long."""
    short = f"{name}({', '.join(arguments)})"
    return (
        short if len(short) <= _WIDTH else "\n".join([f"{name}(", *(f"    {one}," for one in arguments), ")"])
    )


def _arguments(node: ast.FunctionDef) -> list[str]:
    """Return the arguments of a function as they are written, without the one of its holder."""
    given = node.args
    defaults: list[ast.expr | None] = [None] * (len(given.args) - len(given.defaults))
    shown = [
        _argument(each, default)
        for each, default in zip(given.args, [*defaults, *given.defaults], strict=True)
        if each.arg not in {"self", "cls"}
    ]
    shown += ["*"] if given.kwonlyargs else []
    shown += [_argument(*each) for each in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return shown + ([f"**{ast.unparse(given.kwarg)}"] if given.kwarg else [])


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    told = ast.unparse(argument)
    return f"{told} = {ast.unparse(default)}" if default else told


def _fields(node: ast.ClassDef) -> list[str]:
    """Return the fields of a class; of a pydantic one that says more of them, names and types."""
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    return [ast.unparse(field).partition(" = Field(")[0] for field in fields]


def _function(value: Any) -> Any:
    """Return the function that is behind a member of a class, None where none is."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, classmethod | staticmethod):
        return value.__func__
    if isinstance(value, lazy):
        return value.compute
    return value if inspect.isfunction(value) else None


def _is_own_error(module: ModuleType, name: str) -> bool:
    return getattr(module, name) is getattr(errors, name, None)


def _prose(value: Any) -> str:
    return (inspect.getdoc(value) or "").replace("Example:\n", "Example:\n\n")


def _on_one_line(value: Any) -> str:
    return " ".join(_prose(value).split())

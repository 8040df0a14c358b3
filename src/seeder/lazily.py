"""A package's face that costs no start: its names are imported from their modules when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module


def lazily(package: str, modules: Mapping[str, Collection[str]]) -> Callable[[str], object]:
    """Return the `__getattr__` of a package (PEP 562); `modules` are its modules, each with the names taken from it.

    It raises AttributeError for any other name, upon which Python looks for a submodule.
    """
    homes = {name: f"{package}.{module}" for module, names in modules.items() for name in names}

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        value: object = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return find

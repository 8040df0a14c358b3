"""Replacements inside moto, made and undone together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Patches:
    """Attributes replaced for as long as the local cloud runs."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, replacement: Any) -> Any:
        """Set `owner.name`; return what stood there. Raises AttributeError where moto has no such name."""
        original = owner.__dict__[name] if name in getattr(owner, "__dict__", {}) else getattr(owner, name)
        setattr(owner, name, replacement)
        self._undo.append(lambda: setattr(owner, name, original))
        return original

    def add(self, owner: Any, name: str, addition: Any) -> None:
        """Set `owner.name`, which moto lacks. Raises AttributeError where it has one by now."""
        if hasattr(owner, name):
            raise AttributeError(f"{owner.__name__} has {name} by itself now")
        setattr(owner, name, addition)
        self._undo.append(lambda: delattr(owner, name))

    def undo(self) -> None:
        """Put back everything, last first."""
        while self._undo:
            self._undo.pop()()

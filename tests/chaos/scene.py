"""A scene: the buckets, what starts the runs, and what befalls them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localcloud.faults import Fault
from tests.chaos.kinds import JOB_FAULTS, PASSING
from tests.chaos.strikes import Strike


@dataclass(frozen=True)
class Item:
    """A key of the source: its versions, oldest first, and what is special about it."""

    key: str
    versions: int = 1
    deleted: bool = False
    storage_class: str = "STANDARD"
    tagged: bool = False
    large: bool = False
    there: bool = False
    """Whether the destination has it already, by the hand of somebody."""


@dataclass(frozen=True)
class Scene:
    """All that is drawn. `request` are fields for every run beside its buckets; `overlaps` those of runs at once."""

    seed: int
    trigger: str
    operation: str
    items: list[Item]
    request: dict[str, Any]
    strikes: list[Strike]
    kinds: list[str]
    through_step_functions: bool = False
    has_rule: bool = False
    overlaps: list[str] = field(default_factory=list)

    def has(self, kind: str) -> bool:
        """Whether a kind was drawn."""
        return kind in self.kinds

    @property
    def faults(self) -> list[Fault]:
        """What befalls jobs and their tasks."""
        return [JOB_FAULTS[kind] for kind in self.kinds if kind in JOB_FAULTS]

    @property
    def has_archived(self) -> bool:
        """Whether the source holds what no run attempts."""
        return any(item.storage_class == "GLACIER" for item in self.items)

    @property
    def must_succeed(self) -> bool:
        """Whether nothing was drawn that a run may fail for."""
        return set(self.kinds) <= PASSING and not self.has_archived and "fail" not in self.overlaps

    @property
    def source_changes(self) -> bool:
        """Whether others write to a source meanwhile."""
        return bool({"somebody writes at a call", "others write to the source"} & {*self.kinds})

"""Markdown: a table for each group of contenders, and one of what was to be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.contest import Row


@dataclass(frozen=True)
class Goal:
    """Something to reach: `reached` must be at least (or, `is_limit`, at most) `bound`; None when not measured."""

    what: str
    reached: float | None
    bound: float
    is_limit: bool = False
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it is reached."""
        if self.reached is None:
            return False
        return self.reached <= self.bound if self.is_limit else self.reached >= self.bound


def contenders(title: str, rows: Sequence[Row], base: Row | None) -> str:
    """Return a group's table; speeds are also given as multiples of `base`, boto3."""
    head = (
        "client",
        "keys",
        "runs",
        "wall s",
        "CPU s",
        "keys/s",
        "x boto3",
        "LIST / 1,000 keys",
        "peak MB",
        "server load",
    )
    cells = [_cells(row, base) for row in rows if row.runs]
    notes = [f"- {row.contender.name}: skipped, {row.problem}" for row in rows if not row.runs]
    notes += [
        f"- {row.contender.name}: a run failed, {row.problem}" for row in rows if row.runs and row.problem
    ]
    return "\n".join([f"### {title}", "", *_table(head, cells), *([""] if notes else []), *notes, ""])


def goals(reached: Sequence[Goal]) -> str:
    """Return the table of goals."""
    cells = [(goal.what, _bound(goal), _reached(goal), _verdict(goal)) for goal in reached]
    return "\n".join(["### To reach", "", *_table(("goal", "bound", "reached", "met"), cells), ""])


def grid(title: str, head: Sequence[str], cells: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """Return any other table."""
    return "\n".join([f"### {title}", "", *_table(head, cells), *([""] if notes else []), *notes, ""])


def _cells(row: Row, base: Row | None) -> list[str]:
    return [
        row.contender.name,
        f"{row.contender.keys:,}",
        str(len(row.runs)),
        f"{row.seconds:.2f}",
        f"{row.cpu:.2f}",
        f"{row.speed:,.0f}",
        f"{row.speed / base.speed:.1f}" if base and base.runs else "",
        f"{row.calls_per_thousand:.3f}",
        f"{row.peak:.0f}",
        f"{row.server_load:.2f}",
    ]


def _table(head: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    rules = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(line)} |" for line in (head, rules, *cells)]


def _bound(goal: Goal) -> str:
    return f"{'≤' if goal.is_limit else '≥'} {_number(goal.bound)}{goal.unit}"


def _reached(goal: Goal) -> str:
    return "" if goal.reached is None else f"{_number(goal.reached)}{goal.unit}"


def _verdict(goal: Goal) -> str:
    return "not measured" if goal.reached is None else "yes" if goal.is_met else "no"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"

"""How often each kind of fault was drawn and struck, and how the runs of each trigger ended."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.kinds import KINDS, TRIGGERS

PROPERTY = "chaos"


@dataclass
class Tally:
    """Counts of scenes: by kind of fault, and by trigger and outcome."""

    scenes: int = 0
    drawn: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def text(self) -> str:
        """Return this as one line, for a report of pytest's to carry."""
        return json.dumps(vars(self))

    def add(self, document: dict[str, Any]) -> None:
        """Add what another tally's text holds."""
        self.scenes += document["scenes"]
        self.seconds += document["seconds"]
        for name in ("drawn", "struck", "outcomes"):
            getattr(self, name).update(document[name])


def gathered(reports: Iterable[Any]) -> Tally | None:
    """Return the sum of what the reports of tests carry, None where none does."""
    texts = [
        text
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name == PROPERTY and report.when == "call"
    ]
    if not texts:
        return None
    tally = Tally()
    for text in texts:
        tally.add(json.loads(text))
    return tally


def lines(tally: Tally) -> list[str]:
    """Return the summary, in lines for a terminal."""
    found = [
        f"{tally.scenes} scenes in {tally.seconds:.0f} s of this process; kinds of faults: drawn (struck)"
    ]
    found += _columns([f"{kind} {tally.drawn[kind]} ({tally.struck[kind]})" for kind in KINDS])
    found.append("outcomes of runs, by trigger")
    for trigger in (*TRIGGERS, "through Step Functions"):
        each = {
            name.partition(": ")[2]: count
            for name, count in sorted(tally.outcomes.items())
            if name.startswith(f"{trigger}: ")
        }
        found.append(f"  {trigger}: " + ", ".join(f"{name} {count}" for name, count in each.items()))
    return found


def _columns(texts: list[str], wide: int = 64) -> list[str]:
    pairs = [texts[place : place + 2] for place in range(0, len(texts), 2)]
    return ["  " + "".join(text.ljust(wide) for text in pair).rstrip() for pair in pairs]

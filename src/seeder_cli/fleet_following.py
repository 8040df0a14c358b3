"""Follows a fleet: how many of its pairs have ended, how many failed, how many are being seeded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seeder_cli.display import Display
from seeder_cli.follow import POLL_SECONDS, looks

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_BEGIN = frozenset({"Seed", "StartRun"})
_END = frozenset({"Repeated", "SeedComplete", "SeedFailed", "SeedSkipped", "Started"})


@dataclass
class Tally:
    """How far a fleet is, by the states of its pairs; `pairs` is None until they are resolved."""

    pairs: int | None = None
    begun: int = 0
    ended: int = 0
    failed: int = 0

    def take(self, event: Any) -> None:
        """Count an event of the execution's history."""
        if entered := event.get("stateEnteredEventDetails"):
            self.begun += entered["name"] in _BEGIN
            self.ended += entered["name"] in _END
            self.failed += entered["name"] == "SeedFailed"
        elif (left := event.get("stateExitedEventDetails")) and left["name"] == "ResolvePairs":
            self.pairs = json.loads(left["output"])["count"]

    def show(self, display: Display) -> None:
        """Show how far it is."""
        if self.pairs is None:
            display.progress("Resolving the pairs")
        elif self.ended == self.pairs:
            display.progress("Summing up")
        else:
            aside = f"{self.failed} failed, {self.begun - self.ended} running"
            display.progress("Seeding pairs", self.ended, self.pairs, aside=aside)


def follow_fleet(
    states: SFNClient,
    execution_arn: str,
    display: Display,
    come_back: str,
    sleep: Callable[[float], None] = time.sleep,
    poll: float = POLL_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Show how a fleet goes on, until its execution ends; return that as DescribeExecution has it.

    The rest is as for `follow`.
    """
    tally = Tally()
    for look in looks(states, execution_arn, come_back, sleep, poll, clock):
        for event in look.events:
            tally.take(event)
        tally.show(display)
    return look.execution

"""Several writers on one store, one call at a time, in an order and with fates that a test draws."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.unit.seeder.lake.store import DEATHS, Client, Fate, Store

LIVING = [fate for fate in Fate if fate not in {*DEATHS, Fate.DENIED}]


class Turn(NamedTuple):
    """Whose call is made next (of those that wait for one), its fate, and whether a late one arrives before."""

    who: int
    fate: Fate
    lands: bool


def turns(fates: Sequence[Fate], most: int = 40) -> st.SearchStrategy[list[Turn]]:
    return st.lists(st.builds(Turn, st.integers(0, 5), st.sampled_from(fates), st.booleans()), max_size=most)


class _Writer:
    def __init__(
        self, number: int, store: Store, run: Callable[[Any], None], parked: SimpleQueue[int]
    ) -> None:
        self.number, self._run, self._parked = number, run, parked
        self.go: SimpleQueue[Fate] = SimpleQueue()
        self.has_ended = False
        self.error: BaseException | None = None
        self._client = Client(store, self._await)
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _await(self, _: str) -> Fate:
        self._parked.put(self.number)
        return self.go.get(timeout=10)

    def _work(self) -> None:
        try:
            self._run(self._client)
        except BaseException as error:
            self.error = error
        self.has_ended = True
        self._parked.put(self.number)


def take_turns(store: Store, drawn: Sequence[Turn], runs: Sequence[Callable[[Any], None]]) -> None:
    """Run all writers to their end, then let what is still under way arrive. Raises what a writer raised.

    When the turns are used up each writer has one in a row, all of them good.
    """
    parked: SimpleQueue[int] = SimpleQueue()
    writers = [_Writer(number, store, run, parked) for number, run in enumerate(runs)]
    for writer in writers:
        writer.thread.start()
        parked.get(timeout=10)
    waiting = [writer for writer in writers if not writer.has_ended]
    left = iter(drawn)
    while waiting:
        turn = next(left, Turn(0, Fate.GOOD, False))
        if turn.lands:
            store.land()
        writer = waiting.pop(turn.who % len(waiting))
        writer.go.put(turn.fate)
        parked.get(timeout=10)
        if not writer.has_ended:
            waiting.append(writer)
    while store.in_flight:
        store.land()
    for writer in writers:
        writer.thread.join(10)
        if writer.error is not None:
            raise writer.error

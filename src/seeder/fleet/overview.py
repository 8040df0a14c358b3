"""The fleet at a glance: a row for each pair, of what is registered and of runs that go on or left no record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from seeder.fleet.pairs import Known
from seeder.request import Trigger

State = Literal["Failed", "Skipped", "Running", "Waiting", "Complete"]
STATES: tuple[str, ...] = get_args(State)
SORTS = ("age", "state", "objects", "failed", "source")

_Identity = tuple[str, str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class PairRow:
    """A pair and its last run. `scope` is its prefix and tags in words, "" for all keys.

    `state` is one of `STATES`; one that is Waiting has been asked for and has not begun. `total`, `succeeded` and
    `failed` count the objects that the run had to seed, 0 while it goes on. `replica` is as in a record. `ended_at` is
    ISO 8601: when it ended, or began if it has not ended, or was asked for if it waits.
    """

    source: str
    destination: str
    scope: str
    run_id: str
    trigger: str
    state: str
    total: int
    succeeded: int
    failed: int
    replica: str
    ended_at: str
    cause: str


class Sighting(NamedTuple):
    """A run that the registry can't know: one that goes on or waits, or Failed and left no record.

    `request` is the document it was started with, not checked; `at` as `PairRow.ended_at`.
    """

    run_id: str
    request: Mapping[str, Any]
    state: State
    at: str
    cause: str = ""


class Totals(NamedTuple):
    """What all rows come to. `objects` is the sum of their totals, `oldest` the pair proven the longest ago."""

    pairs: int
    by_state: Mapping[str, int]
    objects: int
    oldest: PairRow | None

    @property
    def complete(self) -> int:
        """How many replicas are proven."""
        return self.by_state.get("Complete", 0)

    @property
    def going(self) -> int:
        """How many pairs have a run that goes on, or is to begin."""
        return self.by_state.get("Running", 0) + self.by_state.get("Waiting", 0)

    @property
    def unproven(self) -> int:
        """How many pairs ended without proof, and have no run that goes on."""
        return self.by_state.get("Failed", 0) + self.by_state.get("Skipped", 0)


def overview(known: Iterable[Known], seen: Iterable[Sighting] = ()) -> list[PairRow]:
    """Return one row for each pair, by source, destination and scope.

    A run that goes on stands before one that waits, both before what is known of the past, of which the newer counts;
    of two that go on, the one that began first, for it has the pair.
    """
    rows = {_identity(item.request): _of_known(item) for item in known}
    for sighting in sorted(seen, key=lambda item: item.at, reverse=True):
        if not (sighting.request.get("source") and sighting.request.get("destination")):
            continue
        identity = _identity(sighting.request)
        before = rows.get(identity)
        if before is None or _supersedes(sighting, before):
            rows[identity] = _of_sighting(sighting)
    return [row for _, row in sorted(rows.items())]


def ordered(rows: Iterable[PairRow], by: str) -> list[PairRow]:
    """Return rows in one of the orders of `SORTS`: what needs a look first, the oldest first, the most first."""
    keys: dict[str, Any] = {
        "age": lambda row: row.ended_at,
        "state": lambda row: STATES.index(row.state),
        "objects": lambda row: -row.total,
        "failed": lambda row: -row.failed,
        "source": lambda row: row.source,
    }
    return sorted(rows, key=lambda row: (keys[by](row), row.source, row.destination, row.scope))


def totals(rows: Iterable[PairRow]) -> Totals:
    """Return what rows come to."""
    rows = list(rows)
    proven = [row for row in rows if row.state == "Complete"]
    return Totals(
        pairs=len(rows),
        by_state=Counter(row.state for row in rows),
        objects=sum(row.total for row in rows),
        oldest=min(proven, key=lambda row: row.ended_at, default=None),
    )


def scope_of(request: Mapping[str, Any]) -> str:
    """Return the prefix and the tags of a request in words; "" for all keys."""
    _, _, prefix, tags = _identity(request)
    return ", ".join([f"prefix {prefix}"] * bool(prefix) + [f"tag {key}={value}" for key, value in tags])


def _supersedes(sighting: Sighting, row: PairRow) -> bool:
    ranks = {"Running": 2, "Waiting": 1}
    mine, other = ranks.get(sighting.state, 0), ranks.get(row.state, 0)
    if mine or other:
        return mine >= other
    return sighting.at > row.ended_at


def _identity(request: Mapping[str, Any]) -> _Identity:
    """Return what tells pairs apart, as the registry of pairs does."""
    tags = request.get("tags")
    pairs = tags.items() if isinstance(tags, dict) else ()
    return (
        str(request.get("source", "")),
        str(request.get("destination", "")),
        str(request.get("prefix", "")),
        tuple(sorted((str(key), str(value)) for key, value in pairs)),
    )


def _of_known(known: Known) -> PairRow:
    last = known.last_run
    return PairRow(
        source=str(known.request["source"]),
        destination=str(known.request["destination"]),
        scope=scope_of(known.request),
        run_id=last.run_id,
        trigger=_trigger(last.run_id),
        state=last.state,
        # A re-sync that lacked nothing has seeded nothing, and proven what it found equal.
        total=last.total or last.equal,
        succeeded=last.succeeded,
        failed=last.failed,
        replica=last.replica,
        ended_at=last.ended_at,
        cause=last.cause,
    )


def _of_sighting(sighting: Sighting) -> PairRow:
    return PairRow(
        source=str(sighting.request["source"]),
        destination=str(sighting.request["destination"]),
        scope=scope_of(sighting.request),
        run_id=sighting.run_id,
        trigger=str(sighting.request.get("trigger", "manual")),
        state=sighting.state,
        total=0,
        succeeded=0,
        failed=0,
        replica="",
        ended_at=sighting.at,
        cause=sighting.cause,
    )


def _trigger(run_id: str) -> str:
    """What asked for a run, by its name."""
    return next((name for name in get_args(Trigger) if run_id.startswith(f"{name}-")), "manual")

"""The fleet in words: a table of its pairs, and one line that says whether all is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from seeder.fleet.overview import STATES, PairRow, Totals
from seeder.page.words import ago
from seeder_cli.table import Column, lay_out, shown, start_of

COLORS = {"Complete": "green", "Failed": "red", "Skipped": "yellow", "Running": "cyan", "Waiting": "cyan"}
DIM = "dim"
# What ends as what, for scripts: all is proven; a pair failed; no pair failed, but not all are proven.
PROVEN, FAILED, NOT_PROVEN = 0, 1, 3
_STATE = "STATE"
_COLUMNS = (
    Column("SOURCE", least=12),
    Column("DESTINATION", least=12, rank=1),
    Column("SCOPE", least=8, rank=5),
    Column(_STATE),
    Column("OBJECTS", right=True, rank=3),
    Column("FAILED", right=True, rank=2),
    Column("REPLICA", rank=4),
    Column("AGE", rank=1),
    Column("RUN", rank=6, spare=True),
)
_CAUSE = Column("CAUSE", rank=7)
_INDENT = "  "


class Piece(NamedTuple):
    """A part of a line and its colour: one of `COLORS`, `DIM` or ""."""

    text: str
    color: str = ""


Line = list[Piece]


def table(rows: Sequence[PairRow], now: datetime, width: int | None) -> list[Line]:
    """Return the titles and a line for each pair, that fit `width`.

    Why a pair failed stands on a line of its own below it; with any width (None), as for grep, in its row.
    """
    if not rows:
        return []
    told = [(row, _cells(row, now)) for row in rows]
    columns = [
        column for column in _COLUMNS if column.title != "SCOPE" or any(cells["SCOPE"] for _, cells in told)
    ]
    if width is None:
        columns.append(_CAUSE)
    titles, *laid = lay_out(columns, [[cells[each.title] for each in columns] for _, cells in told], width)
    at = next((at for at, title in enumerate(titles) if title.strip() == _STATE), -1)
    lines = [[Piece("  ".join(titles).rstrip(), DIM)]]
    for (row, cells), texts in zip(told, laid, strict=True):
        pieces = [Piece(text, COLORS[row.state] if number == at else "") for number, text in enumerate(texts)]
        lines.append(_joined(pieces))
        if width is not None and cells["CAUSE"]:
            cause = shown(cells["CAUSE"])
            lines.append([Piece(_INDENT + start_of(cause, width - len(_INDENT)), DIM)])
    return lines


def answer(found: Totals, now: datetime) -> str:
    """Return whether all is there, in one line, with the counts."""
    if not found.pairs:
        return "No pairs yet: `seeder run SRC DST` seeds one, `seeder adopt` shows the rules that are there."
    names = sorted(found.by_state, key=lambda state: -STATES.index(state))
    counts = ", ".join(f"{found.by_state[name]:,} {name.lower()}" for name in names)
    told = [f"{found.pairs:,} {'pair' if found.pairs == 1 else 'pairs'}, {counts}"]
    told.append(f"{found.objects:,} objects in their last runs")
    if found.oldest:
        pair = f"{found.oldest.source} → {found.oldest.destination}"
        told.append(
            f"the oldest proof is of {ago(found.oldest.ended_at, now) or 'unknown time'} ago ({pair})"
        )
    return f"{_verdict(found)}: {'; '.join(told)}"


def status_of(found: Totals) -> int:
    """Return the exit status that rows come to."""
    if found.by_state.get("Failed"):
        return FAILED
    return PROVEN if found.pairs and found.complete == found.pairs else NOT_PROVEN


def changes(before: Iterable[PairRow], after: Iterable[PairRow], now: datetime) -> list[str]:
    """Return a line for each pair that is new, or in another state or run than before."""
    known = {(row.source, row.destination, row.scope): row for row in before}
    lines = []
    for row in after:
        old = known.get((row.source, row.destination, row.scope))
        if old and (old.run_id, old.state) == (row.run_id, row.state):
            continue
        cells = _cells(row, now)
        scope = f" ({row.scope})" if row.scope else ""
        told = [row.state]
        if row.state not in ("Running", "Waiting"):
            told.append(f"{cells['OBJECTS']} objects, {cells['FAILED']} failed")
            told += [f"replica {row.replica}"] if row.replica else []
        told += [cells["CAUSE"]] if cells["CAUSE"] else []
        line = f"{now:%H:%M:%S} {row.source} → {row.destination}{scope}: {'; '.join(told)}"
        lines.append(shown(line))
    return lines


def _verdict(found: Totals) -> str:
    if found.unproven:
        return "Not all there"
    return "Not yet all there" if found.going else "All there"


def _cells(row: PairRow, now: datetime) -> dict[str, str]:
    goes_on = row.state in ("Running", "Waiting")
    return {
        "SOURCE": row.source,
        "DESTINATION": row.destination,
        "SCOPE": row.scope,
        _STATE: row.state,
        "OBJECTS": "" if goes_on else f"{row.total:,}",
        "FAILED": "" if goes_on else f"{row.failed:,}",
        "REPLICA": row.replica,
        "AGE": ago(row.ended_at, now),
        "RUN": row.run_id,
        "CAUSE": "" if row.state == "Complete" else row.cause,
    }


def _joined(pieces: list[Piece]) -> Line:
    """Return pieces with two spaces between them, none at the end."""
    while len(pieces) > 1 and not pieces[-1].text.strip():
        pieces = pieces[:-1]
    spaced = [Piece(piece.text + "  ", piece.color) for piece in pieces[:-1]]
    return [*spaced, pieces[-1]._replace(text=pieces[-1].text.rstrip())]

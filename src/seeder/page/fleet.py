"""The page of all pairs: whether all is there, what needs a look, and each pair in a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from seeder.page.document import document, section
from seeder.page.markup import Child, Markup, key, tag
from seeder.page.plots import Part, bar, state_of
from seeder.page.run import REPLICA
from seeder.page.tables import Cell, Column, Row, table
from seeder.page.words import NONE, ago, moment, number, took, whole

if TYPE_CHECKING:
    from seeder.fleet.overview import PairRow

# What needs a look comes first.
_ORDER = ("Failed", "Skipped", "Running", "Waiting", "Complete")
_UNDER_WAY = ("Running", "Waiting")
_SCRIPT = "fleet.js"
# The page of a run tells all; here are many.
_MOST_CHARACTERS = 300


def render_fleet(rows: Sequence[PairRow], now: datetime, *, name: str = "", links: bool = False) -> str:
    """Return the page of all pairs as they are `now` (with its zone), the failed first.

    `name` is what they belong to, such as a stack. With `links` each run leads to `runs/<run id>/report.html` beside
    this page. Without script the page is the same, but can't be sorted or filtered.
    """
    ordered = sorted(rows, key=lambda row: (_rank(row.state), row.source, row.destination, row.scope))
    header = [
        tag("p", "Seeding of ", key(name) if name else "all pairs", class_="eyebrow"),
        tag("h1", answer(ordered)),
        _figures(ordered),
    ]
    footer = tag("p", "As of ", tag("time", f"{moment(now.isoformat())}", datetime=now.isoformat()), ".")
    main = section("pairs", "Pairs", _tools(), _table(ordered, now, links)) if ordered else None
    return document(answer(ordered), header, main, footer, script=_SCRIPT)


def answer(rows: Sequence[PairRow]) -> str:
    """Return whether all is there, in a sentence."""
    count = len(rows)
    if not count:
        return "No pair has been seeded yet."
    proven = sum(row.state == "Complete" for row in rows)
    bad = sum(row.state in ("Failed", "Skipped") for row in rows)
    if proven == count:
        return "The replica is proven." if count == 1 else f"All {number(count)} replicas are proven."
    if bad:
        return f"{number(bad)} of {number(count)} pairs {'needs' if bad == 1 else 'need'} a look."
    return f"{number(proven)} of {number(count)} replicas are proven, the others are under way."


def _figures(rows: Sequence[PairRow]) -> Markup:
    by_state = [(state, sum(row.state == state for row in rows)) for state in _ORDER]
    told = [("Pairs", len(rows), False)]
    told += [(state, count, state == "Failed") for state, count in reversed(by_state) if count]
    lost = sum(whole(row.failed) for row in rows)
    told += [("Objects", sum(whole(row.total) for row in rows), False), ("Objects failed", lost, lost > 0)]
    return tag(
        "dl",
        [
            tag("div", tag("dt", name), tag("dd", number(count)), class_="alarm" if is_alarm else None)
            for name, count, is_alarm in told
        ],
        class_="figures",
    )


def _tools() -> Markup:
    """Return the filter; the script shows it."""
    return tag(
        "div",
        tag("label", "Show only", for_="search"),
        tag("input", id="search", type="search", placeholder="bucket, state, cause …", autocomplete="off"),
        tag("output", id="said", for_="search", class_="quiet"),
        class_="tools",
        role="search",
        hidden=True,
    )


def _table(rows: Sequence[PairRow], now: datetime, links: bool) -> Markup:
    most_objects = max(whole(row.total) for row in rows)
    most_lost = max(whole(row.failed) for row in rows)
    columns = [
        Column("Pair"),
        Column("State"),
        Column("Objects", "number"),
        Column("Failed", "number"),
        Column("Replica", "word"),
        Column("Last run", "number"),
    ]
    caption = "Each pair and its last run: ended, or begun, so long ago"
    told = [_row(row, most_objects, most_lost, now, links) for row in rows]
    return table(caption, columns, told, stacks=True, sorts=True)


def _row(row: PairRow, most_objects: int, most_lost: int, now: datetime, links: bool) -> Row:
    total, lost, done = whole(row.total), whole(row.failed), whole(row.succeeded)
    cause = _cut(row.cause)
    named = [
        tag("p", key(row.source)),
        tag("p", tag("span", "→ ", class_="arrow"), key(row.destination)),
        tag("p", key(_cut(row.scope)), class_="small") if row.scope else None,
    ]
    state = [tag("p", state_of(row.state)), tag("p", cause, class_="small quiet") if cause else None]
    is_known = row.state not in _UNDER_WAY
    objects = [tag("span", number(total)), bar([Part(done), Part(lost, "lost")], most_objects)]
    failed = [tag("span", number(lost)), bar([Part(lost, "lost")], most_lost) if lost else None]
    replica = REPLICA.get(row.replica, row.replica) if row.state in ("Complete", "Failed") else NONE
    return [
        Cell(named),
        Cell(state, _rank(row.state)),
        Cell(objects if is_known else tag("span", NONE), total),
        Cell(failed if is_known else tag("span", NONE), lost),
        Cell(tag("span", replica)),
        Cell(_when(row, now, links), _seconds(row.ended_at, now)),
    ]


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"


def _when(row: PairRow, now: datetime, links: bool) -> Child:
    age = ago(row.ended_at, now)
    at = tag(
        "time", age or row.ended_at or NONE, datetime=row.ended_at or None, title=moment(row.ended_at) or None
    )
    if links and row.run_id and row.state in ("Complete", "Failed", "Skipped"):
        return tag("a", at, href=f"runs/{quote(row.run_id, safe='', errors='replace')}/report.html")
    return at


def _seconds(then: str, now: datetime) -> int:
    """Return how many seconds ago a time was; where it is not known, more than any."""
    seconds = took(then, now.isoformat())
    return 10**12 if seconds is None else int(seconds)


def _rank(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)

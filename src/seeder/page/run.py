"""The page of a run, from its record: what became of it, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder.page import contents, costs, places, work
from seeder.page.document import document
from seeder.page.markup import Child, Markup, key, tag
from seeder.page.plots import state_of
from seeder.page.words import moment, number, span, took, whole

if TYPE_CHECKING:
    from seeder.record import Record

REPLICA = {
    "equal": "equal",
    "extra": "complete, with more",
    "archived": "lacks archived objects",
    "differs": "differs",
    "": "not compared",
}
"""What the comparison of both buckets found, in words."""


def render_run(record: Record, state_bucket: str = "") -> str:
    """Return the page of a run that has ended. `state_bucket` is where its files stand, "" where that is not known.

    The same record gives the same page. What the record does not tell is left out.
    """
    sections = [
        part
        for part in (
            work.failures(record),
            work.comparison(record),
            work.stages(record),
            work.jobs(record),
            contents.by_class(record),
            contents.by_prefix(record),
            costs.lines(record),
            places.request(record),
            places.files(record, state_bucket),
        )
        if part
    ]
    links = [tag("li", tag("a", title, href=f"#{name}")) for name, title, _ in sections]
    header = [_head(record), tag("nav", tag("ul", links), aria_label="Sections") if links else None]
    return document(
        f"{record.state}: {record.source} → {record.destination}",
        header,
        [part for _, _, part in sections],
        _footer(record),
    )


def _head(record: Record) -> list[Child]:
    told = tag("p", verdict(record))
    return [
        tag("p", "Run ", key(record.run_id), class_="eyebrow"),
        tag("h1", pair(record.source, record.destination)),
        tag("div", state_of(record.state), told, class_="verdict"),
        _figures(record),
        _next(record),
    ]


def pair(source: str, destination: str) -> list[Child]:
    """Return the two buckets of a pair."""
    arrow = tag("span", " → ", class_="arrow")
    return [key(source or "?"), arrow, key(destination or "?")]


def verdict(record: Record) -> str:
    """Return what became of a run, in a sentence."""
    if record.cause:
        return record.cause
    if record.error:
        return f"The run ended in an error: {record.error}."
    equal, extra = (whole(record.verification.get(name)) for name in ("equal", "extra"))
    if record.replica == "extra":
        return f"All is in the replica: {number(equal)} objects are equal. It holds {number(extra)} more of its own."
    if record.replica == "equal":
        return f"The replica is proven: {number(equal)} objects were compared, and all are equal."
    return "The replica was not compared."


def _figures(record: Record) -> Markup:
    seconds = took(record.started_at, record.ended_at)
    figures = [
        ("Objects to seed", number(record.total), False),
        ("Success", number(record.succeeded), False),
        ("Failed", number(record.failed), record.failed > 0),
        ("Replica", REPLICA.get(record.replica, record.replica), record.replica in ("differs", "archived")),
        ("Took", "" if seconds is None else span(seconds), False),
        ("Cost, USD", record.actual_usd, False),
        ("Estimated, USD", "" if record.actual_usd else record.estimated_usd, False),
    ]
    told = [
        tag("div", tag("dt", name), tag("dd", value), class_="alarm" if is_alarm else None)
        for name, value, is_alarm in figures
        if value
    ]
    return tag("dl", told, class_="figures")


def _next(record: Record) -> Child:
    """Return the command that an operator would use now."""
    if record.state != "Failed":
        return None
    if record.failures:
        told = "Every key that failed: "
        return tag("p", told, key(f"seeder failures {record.run_id} --keys"), class_="next small quiet")
    told = "Once its cause is mended: "
    return tag("p", told, key(f"seeder retry {record.run_id}"), class_="next small quiet")


def _footer(record: Record) -> list[Child]:
    times = [("Started", record.started_at), ("Ended", record.ended_at)]
    told = [tag("span", f"{name} ", tag("time", moment(at), datetime=at), ". ") for name, at in times if at]
    line_feed, backslash = key("\n"), key("\\")
    legend = "What can't be seen in a name is written out: a line feed as "
    return [
        tag("p", told) if told else None,
        tag("p", legend, line_feed, ", a backslash as ", backslash, "."),
    ]

"""What a run has done: its failures, the comparison at its end, its time and its jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seeder.page.document import section
from seeder.page.markup import Child, Markup, key, tag
from seeder.page.plots import Part, bar
from seeder.page.tables import Cell, Column, Row, table
from seeder.page.words import listed, mapping, number, seconds_of, span, text_of, whole

if TYPE_CHECKING:
    from seeder.record import Record
    from seeder.report_tally import Failure


class Shown(NamedTuple):
    """A section: what it is linked by, its heading, and itself."""

    name: str
    title: str
    content: Markup


def shown(name: str, title: str, *children: Child) -> Shown:
    """Return a section under its heading."""
    return Shown(name, title, section(name, title, *children))


# ── failures ──

_KINDS = {
    "retryable": "May pass by itself",
    "permanent": "Can't be seeded as it is",
    "person": "Needs a change by you",
}


def failures(record: Record) -> Shown | None:
    """Return what failed, by code, with what to do about each; None where nothing did."""
    if not record.failures:
        return None
    most = max(whole(failure.count) for failure in record.failures)
    columns = [Column("Code"), Column("Objects", "number"), Column("What to do"), Column("For example")]
    caption = (
        f"{number(record.failed)} objects that failed for good, by the error code of the completion report"
    )
    rows = [_failure(failure, most) for failure in record.failures]
    return shown("failures", "Failures by code", table(caption, columns, rows, stacks=True))


def _failure(failure: Failure, most: int) -> Row:
    count = whole(failure.count)
    todo = [
        tag("p", tag("strong", _KINDS.get(failure.kind, failure.kind)), ". ", failure.advice),
    ]
    example = [tag("p", key(failure.example_key)), tag("p", failure.message, class_="small quiet")]
    drawn = [tag("span", number(count)), bar([Part(count, "lost")], most)]
    return [key(failure.code), Cell(drawn), Cell(todo), Cell(example)]


# ── the comparison ──

_COMPARED = (
    ("equal", "Equal", "The same in both buckets", ""),
    ("missing", "Missing", "In the source, not in the replica", "lost"),
    ("different", "Different", "In both, with other content", "lost"),
    ("archived", "Archived", "In the source alone, and archived", "spare"),
    ("extra", "Extra", "In the replica alone", "spare"),
    ("during", "Meanwhile", "Written by others while the run went on", "wait"),
)


def comparison(record: Record) -> Shown | None:
    """Return what both buckets hold, as compared at the run's end; None where they were not."""
    found = mapping(record.verification)
    counts = {name: whole(found.get(name)) for name, *_ in _COMPARED}
    if not record.replica and not any(counts.values()):
        return None
    most, examples = max(counts.values()), mapping(found.get("examples"))
    rows: list[Row] = []
    for member, name, meaning, kind in _COMPARED:
        example = text_of(examples.get(member))
        told = [tag("p", name), tag("p", meaning, class_="small quiet")]
        if example:
            told.append(tag("p", key(example), class_="small"))
        rows.append([told, bar([Part(counts[member], kind)], most), Cell(number(counts[member]))])
    columns = [Column("Found"), Column("Drawn", "bar"), Column("Objects", "number")]
    caption = "Objects of both buckets, each counted once, with one key for example"
    return shown("comparison", "Source and replica compared", table(caption, columns, rows))


# ── time ──

_STAGES = {
    "ResolveRequest": "Checks the request",
    "ClaimPair": "Takes the pair",
    "AwaitPair": "Waits for another run of the pair",
    "EnsureRoles": "Makes the roles",
    "LetRolesSettle": "Waits for IAM",
    "EnableReplication": "Adds or checks the rule",
    "PaginateKeys": "Lists the source",
    "PlanJobs": "Plans the jobs",
    "PauseBeforeJob": "Waits before a job",
    "CreateJob": "Creates the jobs",
    "AwaitJob": "Waits for S3 Batch Operations",
    "DescribeJob": "Looks at the jobs",
    "ParseReport": "Reads the reports",
    "VerifyReplica": "Compares both buckets",
    "AwaitReplica": "Waits for replication",
    "RecordRun": "Writes the record",
    "RecordFailure": "Writes the record",
}
_WAITS = frozenset({"AwaitPair", "LetRolesSettle", "PauseBeforeJob", "AwaitJob", "AwaitReplica"})
# What took less is not drawn: choices, which take no time.
_LEAST_SECONDS = 0.05


def stages(record: Record) -> Shown | None:
    """Return the seconds of each state in the order of the flow; None where they are not known."""
    spent = {name: seconds_of(seconds) for name, seconds in record.stages.items()}
    drawn = {name: seconds for name, seconds in spent.items() if seconds >= _LEAST_SECONDS}
    if not drawn:
        return None
    total, most = sum(drawn.values()), max(drawn.values())
    waited = sum(seconds for name, seconds in drawn.items() if name in _WAITS)
    strip = bar([Part(seconds, _kind(name)) for name, seconds in drawn.items()], total, "strip")
    legend = [tag("span", _swatch(kind), name) for kind, name in (("", "at work"), ("wait", "waiting"))]
    rows: list[Row] = []
    for name, seconds in drawn.items():
        told = [
            _STAGES.get(name, name),
            tag("span", f" {name}", class_="small quiet") if name in _STAGES else None,
        ]
        rows.append([told, bar([Part(seconds, _kind(name))], most), Cell(span(seconds))])
    columns = [Column("Stage"), Column("Drawn", "bar"), Column("Time", "number")]
    caption = f"{span(total)} in all, of which {span(waited)} waiting, in the order of the flow"
    return shown(
        "time", "Where the time went", strip, tag("p", legend, class_="key"), table(caption, columns, rows)
    )


def _kind(stage: str) -> str:
    return "wait" if stage in _WAITS else ""


def _swatch(kind: str) -> Markup:
    return tag(
        "svg", tag("rect", class_=kind or None, width=8, height=8), viewBox="0 0 8 8", aria_hidden="true"
    )


# ── jobs ──

_OPERATIONS = {
    "copy": "Copy",
    "replicate": "Replicate",
    "large": "Copy in parts",
    "restore": "Begin to restore",
}


def jobs(record: Record) -> Shown | None:
    """Return the jobs of S3 Batch Operations by round; None where there were none."""
    known = [mapping(job) for job in listed(record.jobs)]
    if not known:
        return None
    most = max(whole(job.get("total")) for job in known)
    rows: list[Row] = []
    for job in known:
        done, lost = whole(job.get("succeeded")), whole(job.get("failed"))
        operation = text_of(job.get("operation"))
        name = [
            tag("p", f"{_OPERATIONS.get(operation, operation)}, round {number(job.get('round'))}"),
            tag("p", key(text_of(job.get("id"))), class_="small"),
        ]
        tasks = tag("span", number(job.get("total")))
        rows.append(
            [
                name,
                text_of(job.get("status")),
                text_of(job.get("region")),
                Cell([tasks, bar([Part(done), Part(lost, "lost")], most)]),
                Cell(number(done)),
                Cell(number(lost)),
            ]
        )
    columns = [Column("Job"), Column("Status", "word"), Column("Region", "word"), Column("Tasks", "number")]
    columns += [Column("Success", "number"), Column("Failed", "number")]
    caption = (
        "Jobs of S3 Batch Operations; round 0 is the first attempt, and those after it try again what failed"
    )
    return shown("jobs", "Jobs by round", table(caption, columns, rows, stacks=True))

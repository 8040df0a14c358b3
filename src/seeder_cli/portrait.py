"""A run as a person reads it: what it was asked, what became of it, what it left, and what to do next."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seeder.page.words import listed, mapping, moment, number, size, span, text_of, took, whole
from seeder_cli.columns import columns
from seeder_cli.table import shown

if TYPE_CHECKING:
    from seeder.record import Record

LABEL = 12
_NARROWEST = 40
_OF_ANOTHER_LINE = frozenset({"source", "destination", "prefix", "tags", "trigger", "rule_id"})
_COMPARED = ("equal", "missing", "different", "extra", "archived", "during")
_IN_WORDS = {"during": "written by others meanwhile", "extra": "extra in the replica"}
_MOST_STAGES = 8
# What is copied from the terminal must stay in one piece.
_WHOLE = frozenset({"Jobs", "Files", "Next"})

Fields = Iterator[tuple[str, Sequence[str]]]
"""A label, and the lines that stand beside it."""


def portrait(record: Record, state_bucket: str, width: int | None, has_stack: bool = True) -> Iterator[str]:
    """Yield the lines that tell all of a run that has ended; sentences are wrapped at `width`, None is any width."""
    for label, texts in _fields(record, state_bucket, has_stack):
        yield from field(label, texts, None if label in _WHOLE else width)


def again(record: Record, state_bucket: str, has_stack: bool) -> str:
    """Return the command that seeds what a run left out."""
    if has_stack:
        return f"seeder retry {record.run_id}"
    prefix, tags = record.request.get("prefix"), record.request.get("tags") or {}
    scope = [*(["--prefix", prefix] if prefix else []), *(f"--tag={key}={tags[key]}" for key in sorted(tags))]
    words = ["seeder", "run", record.source, record.destination, *scope, "--resync", "--here"]
    return shlex.join([*words, "--state-bucket", state_bucket])


def field(label: str, texts: Sequence[str], width: int | None) -> Iterator[str]:
    """Yield a label with the lines beside it; nothing where there are none."""
    room = max((width or 0) - LABEL, _NARROWEST)
    wrapped = [
        line
        for text in texts
        for line in (
            [text]
            if width is None
            else textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
        )
    ]
    for number_, line in enumerate(wrapped):
        yield f"{f'{label}:' if number_ == 0 else '':<{LABEL}}{line}".rstrip()


def pair_of(source: str, destination: str, request: Mapping[str, Any]) -> str:
    """Return a pair in words, with its prefix and its tags."""
    from seeder.fleet.overview import scope_of

    scope = scope_of(request)
    return shown(f"{source} → {destination}" + (f" ({scope})" if scope else ""))


def asked_of(request: Mapping[str, Any]) -> str:
    """Return the fields of a request, beside its pair, as `name=value`."""
    fields = {name: value for name, value in request.items() if name not in _OF_ANOTHER_LINE}
    return shown(", ".join(f"{name}={_value(value)}" for name, value in fields.items()))


def _fields(record: Record, state_bucket: str, has_stack: bool) -> Fields:
    request = record.request
    rule = request.get("rule_id")
    yield "Run", [record.run_id]
    yield "Pair", [pair_of(record.source, record.destination, request)]
    yield "State", [f"{record.state}: {record.error}" if record.error else record.state]
    yield "Cause", [shown(record.cause)] if record.cause else []
    yield "Trigger", [f"{request.get('trigger', 'manual')}" + (f", rule {shown(rule)}" if rule else "")]
    yield "Asked", [asked] if (asked := asked_of(request)) else []
    yield "Time", [_time(record)]
    yield "Stages", [stages] if (stages := _stages(record.stages)) else []
    yield "Objects", _objects(record)
    yield "Jobs", list(_jobs(record.jobs))
    yield "Failures", list(_failures(record))
    yield "Replica", [replica] if (replica := _replica(record)) else []
    yield "Cost", list(_cost(record))
    yield "Files", list(_files(record, state_bucket))
    yield "Next", list(_next(record, state_bucket, has_stack))


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _time(record: Record) -> str:
    seconds = took(record.started_at, record.ended_at)
    told = [f"began {moment(record.started_at)}", f"ended {moment(record.ended_at)}"]
    return ", ".join(told + ([f"took {span(seconds)}"] if seconds is not None else []))


def _stages(stages: Mapping[str, float]) -> str:
    """Return the stages that took the longest, in their order."""
    longest = sorted(stages, key=lambda name: -stages[name])[:_MOST_STAGES]
    return ", ".join(f"{name} {span(stages[name])}" for name in stages if name in longest and stages[name])


def _objects(record: Record) -> list[str]:
    counts = [f"{number(record.total)} to seed"]
    if record.state != "Skipped":
        counts += [f"{number(record.succeeded)} succeeded", f"{number(record.failed)} failed"]
    for count, name in (
        (record.large, "over 5 GiB"),
        (record.archived, "archived"),
        (record.restored, "being restored"),
    ):
        counts += [f"{number(count)} {name}"] if count else []
    census = mapping(getattr(record, "census", {}))
    told = [", ".join(counts)]
    for title, tallies in (("by class", census.get("classes")), ("by prefix", census.get("prefixes"))):
        told += [line] if (line := _tallies(title, mapping(tallies))) else []
    return told


def _tallies(title: str, tallies: Mapping[str, Any]) -> str:
    """Return the largest counts of a census, such as "by class: STANDARD 836 (1.5 GiB)"."""
    found = [(name, tally) for name, tally in tallies.items() if len(listed(tally)) == 2]
    largest = sorted(found, key=lambda item: -whole(item[1][0]))
    told = [
        f"{shown(name) or '(no prefix)'} {number(count)} ({size(of)})" for name, (count, of) in largest[:5]
    ]
    more = len(largest) - len(told)
    return f"{title}: {', '.join(told)}" + (f", {more} more" if more > 0 else "") if told else ""


def _jobs(jobs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not jobs:
        return
    rows: list[tuple[str, ...]] = [("ROUND", "OPERATION", "REGION", "STATUS", "TASKS", "FAILED", "ID")]
    for job in jobs:
        counts = ("" if job.get(name) is None else number(job[name]) for name in ("total", "failed"))
        texts = (text_of(job.get(name)) for name in ("operation", "region", "status"))
        rows.append((str(job.get("round", "")), *texts, *counts, text_of(job.get("id"))))
    yield from columns(rows)


def _failures(record: Record) -> Iterator[str]:
    for failure in record.failures:
        yield f"{failure.code} {number(failure.count)}, for example {_key(failure.example_key)}"


def _key(key: str) -> str:
    return f"'{shown(key)}'"


def _replica(record: Record) -> str:
    found = mapping(record.verification)
    counts = [f"{number(found[name])} {_IN_WORDS.get(name, name)}" for name in _COMPARED if found.get(name)]
    told = [record.replica or "not compared", *([", ".join(counts)] if counts else [])]
    examples = mapping(found.get("examples"))
    keys = [
        f"{name} {_key(text_of(key))}" for name, key in examples.items() if name in ("missing", "different")
    ]
    told += [f"for example {', '.join(keys)}"] if keys else []
    return "; ".join(told) if counts or record.replica else ""


def _cost(record: Record) -> Iterator[str]:
    """Tell both sums, and the lines of what it has cost, or else was estimated to."""
    estimated, actual = record.estimated_usd, record.actual_usd
    if not (estimated or actual):
        return
    told = [f"{actual} USD"] if actual else ["actual not known"]
    told += [f"estimated {estimated} USD"] if estimated else []
    yield f"{', '.join(told)}, by list prices"
    bill = mapping(getattr(record, "bill", {}))
    lines = [mapping(line) for line in listed(bill.get("actual")) or listed(bill.get("estimated"))]
    for line in lines:
        quantity = f"{number(line.get('quantity'))} {text_of(line.get('unit'))}"
        yield f"{text_of(line.get('name'))}: {line.get('usd')} USD ({quantity})"


def _files(record: Record, state_bucket: str) -> Iterator[str]:
    folder = f"s3://{state_bucket}/runs/{record.run_id}/"
    yield f"{folder} (record run.json, page report.html, manifests, reports)"
    yield from record.failure_files
    differs = mapping(mapping(record.verification).get("differs"))
    if differs.get("etag"):
        yield f"s3://{differs.get('bucket')}/{differs.get('key')}"
    yield from record.archived_manifests


def _next(record: Record, state_bucket: str, has_stack: bool) -> Iterator[str]:
    place = "" if has_stack else f" --state-bucket {state_bucket}"
    if record.failed:
        yield f"seeder failures {record.run_id}{place}"
    if record.state != "Complete":
        yield again(record, state_bucket, has_stack)
    yield f"seeder report {record.run_id}{place} --html run.html"

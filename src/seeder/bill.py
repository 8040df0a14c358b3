"""What a run will cost, told before its first job, and what it has cost by its own counts."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

from seeder import cost
from seeder.cost import Cost
from seeder.manifest import Progress
from seeder.run import Run
from seeder.usage import LOOKS, Usage, expected
from seeder.verify import Verification
from seeder.work import Work

_SHOWN = Decimal("0.0001")


def foreseen(run: Run, manifest: Progress, home_region: str) -> Cost:
    """Return what a run that has been listed will cost in all."""
    return _priced(run, _expected(run, manifest), home_region)


def estimate(run: Run, manifest: Progress, home_region: str) -> Cost:
    """Return what a run that has been listed will cost in all.

    Raises InvalidRequest where that exceeds the request's `max_cost_usd`, or can't be told.
    """
    told = foreseen(run, manifest, home_region)
    if run.request.max_cost_usd is not None:
        cost.check(told, run.request.max_cost_usd)
    return told


def actual(run: Run, manifest: Progress, work: Work, verification: Verification, home_region: str) -> Cost:
    """Return what a run has cost by its own counts: its jobs with all rounds, its looks, its list calls."""
    jobs = [job for job in work.jobs if job.id]
    counted = _expected(run, manifest, sum(job.looks for job in jobs))
    tasks = sum(job.manifest.count if job.total is None else job.total for job in jobs)
    more = Usage(jobs=len(jobs) - counted.jobs, tasks=tasks - counted.tasks)
    listed = counted.list_calls + counted.destination_list_calls
    made = manifest.list_calls + manifest.destination_list_calls + verification.list_calls
    asked = manifest.tag_calls + verification.tag_calls - counted.tag_requests
    again = Usage(list_calls=max(made - listed, 0), tag_requests=asked)
    return _priced(run, counted + more + again, home_region)


def shown(told: Cost) -> str:
    """Return a total in USD, rounded up to a cent; `+` where something in it is not known."""
    return cost.cents(told.total_usd) + ("" if told.complete else "+")


def lines(told: Cost) -> list[dict[str, Any]]:
    """Return the lines of a cost as they stand in a record: name, quantity, unit, sure, and `usd`: text, rounded up to
    4 decimals, without separators."""
    kept = {"name", "quantity", "unit", "sure"}
    return [{**line.model_dump(include=kept), "usd": _rounded(line.usd)} for line in told.lines]


def _rounded(usd: Decimal) -> str:
    return f"{usd.quantize(_SHOWN, ROUND_CEILING):f}"


def _expected(run: Run, manifest: Progress, looks: int = LOOKS) -> Usage:
    census, asked = manifest.census, run.request
    objects = manifest.count + manifest.large_count
    # Objects that were not counted have no known size.
    size = census.size if census.objects or not objects else None
    restores = asked.restore and manifest.archived_count
    found = manifest.compared
    return expected(
        run.operation,
        objects,
        size,
        source_region=run.source.region,
        destination_region=run.destination.region,
        large=census.large,
        large_bytes=census.large_bytes,
        classes=census.classes or None,
        archived=census.archived,
        restore_tier=asked.restore_tier if asked.restore else "",
        list_calls=manifest.list_calls,
        destination_list_calls=manifest.destination_list_calls,
        tag_requests=manifest.tag_calls,
        looked_at=max(sum(found.counts.values()) if found else 0, manifest.tag_calls),
        verify=manifest.proof is None,
        looks=looks if objects or restores else 0,
    )


def _priced(run: Run, usage: Usage, home_region: str) -> Cost:
    return cost.cost(usage, run.source.region, run.destination.region, home_region)

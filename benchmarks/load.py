"""Whole runs over millions of synthetic keys: each stage's time and memory, what Step Functions counts, the record.

    python -m benchmarks.load [--keys 1000000 10000000] [--seconds 840] [--space flat] [--speed 200]

The deployed handlers and state machine run in one process for each number of keys, so that its memory is that of the
functions. The source, the replica, manifests and reports are in the processes of `benchmarks.s3server`; jobs are
those of the local cloud's S3 Batch Operations, in another process, which write a report of every object. Some fail at
first, in ways that pass and in one that does not. So the first run must end Failed, with just these counts, and a
re-sync after it Complete, with all keys found equal. Waits pass `--speed` times as fast; a call of a function works
for `--seconds` at most, then it stops and is called again. Linux only, for peaks are read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import s3server, tables
from benchmarks.synthetic import jobs
from benchmarks.synthetic.copies import COPIED, make_marks
from benchmarks.synthetic.service import COPIES, SOURCE, Settings
from benchmarks.synthetic.spaces import NAMES
from benchmarks.tables import Goal
from benchmarks.whole_run import LONGEST_SECONDS, Call, Here, Run, peak_memory

STAGES = ("PaginateKeys", "CreateJob", "DescribeJob", "ParseReport", "VerifyReplica", "RecordRun")
# An execution's limits (Step Functions developer guide, "Service quotas").
MOST_EVENTS, MOST_BYTES = 25_000, 256 * 1024
SAME_MEMORY = 1.15
_TIMEOUT = 3600


class Wrong(Exception):
    """A record that does not tell what happened."""


@dataclass(frozen=True)
class Load:
    """What to run: so many keys of a space, waits `speed` times as fast, `seconds` of work in a call."""

    keys: int
    space: str = "flat"
    speed: float = 200
    seconds: int = LONGEST_SECONDS


@dataclass(frozen=True)
class Measured:
    """How a load went; `before` is the process's memory in MB when all functions are loaded."""

    keys: int
    before: float
    memory: dict[str, int]
    runs: tuple[Run, Run]

    @classmethod
    def of(cls, told: dict[str, Any]) -> Measured:
        """Return what `asdict` made of it."""
        first, second = (
            Run(**{**run, "calls": [Call(**call) for call in run["calls"]]}) for run in told["runs"]
        )
        return cls(told["keys"], told["before"], told["memory"], (first, second))


def measured(load: Load) -> Measured:
    """Seed a synthetic bucket, then re-sync it, in this process. Raises Wrong where a record is not right."""
    with TemporaryDirectory(prefix="load-") as folder:
        marks = Path(folder) / "marks"
        make_marks(marks, load.keys)
        served = Settings(load.space, load.keys, keep_all=True, marks=marks)
        with (
            s3server.running(served) as server,
            jobs.running(load.space, load.keys, marks, server.url, load.speed) as service,
            Here(server.url, service, load.speed, load.seconds) as here,
        ):
            before = peak_memory()
            asked = {"source": SOURCE, "destination": COPIES, "operation": "copy"}
            first = here.run("first", asked)
            check_first(first.record, load.keys)
            second = here.run("second", {**asked, "resync": True})
            check_second(second.record, load.keys)
            _agree("copied objects", marks.read_bytes().count(COPIED), load.keys)
            return Measured(load.keys, before, here.memory, (first, second))


def check_first(record: dict[str, Any], keys: int) -> None:
    """Raise Wrong unless a first run's record tells of all keys, and of just those that failed."""
    lasting = jobs.failures(keys, jobs.PERMANENT)
    passing = jobs.failures(keys, jobs.PASSING)
    _agree("state", record["state"], "Failed")
    _agree("total", record["total"], keys)
    _agree("succeeded", record["succeeded"], keys - lasting)
    _agree("failed", record["failed"], lasting)
    _agree("failures", {one["code"]: one["count"] for one in record["failures"]}, {"AccessDenied": lasting})
    told = [(job["total"], job["failed"]) for job in record["jobs"]]
    _agree("jobs", told, [(keys, lasting + passing), (passing, 0)])
    _compared(record, equal=keys - lasting, missing=lasting)


def check_second(record: dict[str, Any], keys: int) -> None:
    """Raise Wrong unless a re-sync's record tells that it seeded what was left, and found all keys equal."""
    lasting = jobs.failures(keys, jobs.PERMANENT)
    _agree("state", record["state"], "Complete")
    _agree("total", record["total"], lasting)
    _agree("succeeded", record["succeeded"], lasting)
    _agree("replica", record["replica"], "equal")
    _compared(record, equal=keys, missing=0)


def _compared(record: dict[str, Any], equal: int, missing: int) -> None:
    found = record["verification"]
    told = {name: found[name] for name in ("equal", "missing", "different", "extra")}
    _agree("comparison", told, {"equal": equal, "missing": missing, "different": 0, "extra": 0})


def _agree(what: str, told: object, true: object) -> None:
    if told != true:
        raise Wrong(f"{what}: {told} instead of {true}")


def shown(loads: Sequence[Measured]) -> str:
    """Return the tables of loads, the smallest first."""
    titles = ("First seeding, one job and a round of retries", "Re-sync of what had failed")
    texts = []
    for place, title in enumerate(titles):
        texts.append(_stages(title, loads, [load.runs[place] for load in loads]))
        texts.append(_facts([load.runs[place] for load in loads], loads))
    return "\n".join([*texts, tables.goals(_goals(loads))])


def _stages(title: str, loads: Sequence[Measured], runs: Sequence[Run]) -> str:
    """Return the table of a run's stages; memory is that beside what the process held with all functions loaded."""
    head = ["function"]
    for load in loads:
        head += [f"{load.keys:,} keys: calls", "wall s", "CPU s", "peak MB"]
    cells = []
    for stage in STAGES:
        row = [stage]
        for run in runs:
            calls = run.of(stage)
            row += [f"{len(calls)}", f"{sum(call.wall for call in calls):.1f}"]
            row += [f"{sum(call.cpu for call in calls):.1f}", f"{max(call.peak for call in calls):.0f}"]
        cells.append(row)
    return tables.grid(title, head, cells)


def _facts(runs: Sequence[Run], loads: Sequence[Measured]) -> str:
    told: list[tuple[str, Callable[[Run], str]]] = [
        ("ended", lambda run: str(run.record["state"])),
        ("objects: total, succeeded, failed", _counts),
        ("failures by code", lambda run: _codes(run.record) or "none"),
        ("tasks of each job (failed)", _tasks),
        ("compared: equal, missing", lambda run: _numbers(run.record["verification"], "equal", "missing")),
        ("history events", lambda run: f"{run.events:,}"),
        ("largest state, bytes", lambda run: f"{run.largest_state:,}"),
        ("waits, s of AWS's time", lambda run: f"{run.simulated - run.wall:,.0f}"),
        ("cost as recorded, USD", lambda run: str(run.record["actual_usd"])),
        ("the whole run here, s", lambda run: f"{run.wall:.0f}"),
    ]
    head = ["", *(f"{load.keys:,} keys" for load in loads)]
    return tables.grid("Its record", head, [[name, *map(tell, runs)] for name, tell in told])


def _counts(run: Run) -> str:
    return _numbers(run.record, "total", "succeeded", "failed")


def _numbers(document: dict[str, Any], *names: str) -> str:
    return " · ".join(f"{document[name]:,}" for name in names)


def _codes(record: dict[str, Any]) -> str:
    return ", ".join(f"{one['code']} {one['count']:,}" for one in record["failures"])


def _tasks(run: Run) -> str:
    return ", ".join(f"{job['total']:,} ({job['failed']:,})" for job in run.record["jobs"])


def _goals(loads: Sequence[Measured]) -> list[Goal]:
    runs = [run for load in loads for run in load.runs]
    goals = [
        Goal("history events", max(run.events for run in runs), MOST_EVENTS, is_limit=True),
        Goal(
            "largest state", max(run.largest_state for run in runs), MOST_BYTES, is_limit=True, unit=" bytes"
        ),
        Goal(
            "longest call",
            max(call.wall for run in runs for call in run.calls),
            900,
            is_limit=True,
            unit=" s",
        ),
    ]
    for stage in ("PaginateKeys", "ParseReport", "VerifyReplica"):
        peaks = [max(call.peak for run in load.runs for call in run.of(stage)) for load in loads]
        allowed = loads[-1].memory[stage]
        goals.append(Goal(f"{stage}: peak memory", peaks[-1], allowed, is_limit=True, unit=" MB"))
        if len(loads) > 1:
            grown = peaks[-1] / peaks[0]
            what = f"{stage}: peak of {loads[-1].keys / loads[0].keys:.0f} times as many keys"
            goals.append(Goal(what, grown, SAME_MEMORY, is_limit=True, unit=" x"))
    return goals


def _apart(load: Load) -> Measured:
    """Measure a load in a process of its own."""
    asked = ["--keys", str(load.keys), "--space", load.space, "--seconds", str(load.seconds)]
    command = [sys.executable, "-m", "benchmarks.load", "--work", *asked, "--speed", str(load.speed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=_TIMEOUT, check=True)
    return Measured.of(json.loads(done.stdout))


def main() -> None:
    """Read the arguments, measure, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.partition("\n")[0])
    parser.add_argument("--keys", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--space", choices=NAMES, default="flat", help="which keys (default: flat)")
    parser.add_argument("--seconds", type=int, default=LONGEST_SECONDS, help="of work in one call at most")
    parser.add_argument("--speed", type=float, default=200, help="of waits (default: 200)")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    loads = [Load(keys, given.space, given.speed, given.seconds) for keys in sorted(given.keys)]
    if given.work:
        print(json.dumps(asdict(measured(loads[0]))))
        return
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    done = [_apart(load) for load in loads]
    loaded = ", ".join(f"{one.before:.0f}" for one in done)
    print(f"{machine}; {loaded} MB before the first call, with all functions loaded\n\n{shown(done)}")


if __name__ == "__main__":
    main()

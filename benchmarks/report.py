"""Completion reports: rows to counts, failures and a retry manifest, beside the csv module, and the memory it takes.

    python -m benchmarks.report [--quick]

Each run is a process of its own. Bodies are made in memory from a block of rows that repeats; nothing is sent or
stored. Times are those of reading alone, with the MD5 check; peaks are those of the whole process.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import tables
from benchmarks.measure import Command, Failed, environment, median, run
from benchmarks.synthetic.report_store import BUCKET, Part, Store
from benchmarks.tables import Goal
from seeder import report
from seeder.jobs import Job
from seeder.sink import Upload

_ROWS_PER_SECOND = 1_500_000
_MEMORY_MB = 150
_SAME_MEMORY = 1.15
_TIMEOUT = 120

# What a report holds, by name: its files, each of a status ("mixed": both), a share of the rows in percent, a version.
REPORTS: dict[str, tuple[tuple[str, int, str], ...]] = {
    "all succeeded": (("succeeded", 100, ""),),
    "all succeeded, versions": (("succeeded", 100, "MPJOm_.lSga3Ql8P4u3oHCfdi3qsWvEJ"),),
    "1 % failed": (("succeeded", 99, ""), ("failed", 1, "")),
    "25 % failed": (("succeeded", 75, ""), ("failed", 25, "")),
    "25 % failed, in one file": (("mixed", 100, ""),),
    "all failed": (("failed", 100, ""),),
}


@dataclass(frozen=True)
class Reading:
    """A way through a report of so many rows."""

    way: str
    report: str
    rows: int

    @property
    def name(self) -> str:
        """The name in the table."""
        return f"{self.way}, {self.report}"

    def command(self) -> Command:
        """The process that does it; it prints the rows read and the seconds it took."""
        argv = (sys.executable, "-m", "benchmarks.report", "--work", self.way, self.report, str(self.rows))
        return Command(argv)


@dataclass(frozen=True)
class Measured:
    """What a run took: seconds of reading, MB at the peak."""

    seconds: float
    peak: float


def measured(reading: Reading, folder: Path) -> Measured:
    """Do a reading in a process of its own. Raises Failed, also where it read another number of rows."""
    done = run(reading.command(), environment("http://127.0.0.1:1"), folder / "printed", _TIMEOUT)
    rows, seconds = done.printed.split()
    if int(rows) != reading.rows:
        raise Failed(f"{reading.name}: read {rows} rows instead of {reading.rows}")
    return Measured(float(seconds), done.peak)


def work(reading: Reading) -> tuple[int, float]:
    """Do a reading in this process; return the rows read and the seconds it took."""
    parts = [
        Part(status, reading.rows * share // 100, version)
        for status, share, version in REPORTS[reading.report]
    ]
    store = Store(parts)
    began = time.perf_counter()
    rows = _by_csv(store) if reading.way == "csv alone" else _by_seeder(store)
    return rows, time.perf_counter() - began


def _by_csv(store: Store) -> int:
    return sum(1 for lines in store.texts() for _ in csv.reader(lines))


def _by_seeder(store: Store) -> int:
    s3: Any = store
    manifest = Upload(bucket=BUCKET, key="copy.csv")
    job = Job(
        id=store.job,
        region="us-east-1",
        operation="copy",
        manifest=manifest,
        fields=["Bucket", "Key"],
        status="Complete",
    )
    fresh = report.ReportProgress.fresh(BUCKET, "retry.csv", "failures.csv")
    return report.read(s3, BUCKET, store.prefix, job, fresh).total


def speeds(rows: int, rounds: int, folder: Path) -> tuple[str, list[Goal]]:
    """Measure the ways in turn; return their table, and what was to be reached."""
    readings = [Reading("csv alone", "all succeeded", rows)]
    readings += [Reading("seeder", name, rows) for name in REPORTS]
    taken: dict[Reading, list[Measured]] = {reading: [] for reading in readings}
    for _ in range(rounds):
        for reading in readings:
            taken[reading].append(measured(reading, folder))
    speed = {one: rows / median([each.seconds for each in runs]) for one, runs in taken.items()}
    base = speed[readings[0]]
    cells = [
        (
            one.name,
            f"{rows:,}",
            str(rounds),
            f"{rows / speed[one]:.3f}",
            f"{speed[one]:,.0f}",
            f"{speed[one] / base:.1f}",
            f"{median([each.peak for each in taken[one]]):.0f}",
        )
        for one in readings
    ]
    head = ("way and report", "rows", "runs", "s", "rows/s", "x csv", "peak MB")
    goals = [Goal(one.name, speed[one], _ROWS_PER_SECOND, unit=" rows/s") for one in readings[1:4]]
    return tables.grid("Completion reports, one process", head, cells), goals


def memory(sizes: tuple[int, int], folder: Path) -> tuple[str, list[Goal]]:
    """Measure the peak for two sizes; return the table, and what was to be reached."""
    cells, goals = [], []
    for name in ("all succeeded", "all failed"):
        small, large = (measured(Reading("seeder", name, rows), folder).peak for rows in sizes)
        cells.append((name, f"{small:.0f}", f"{large:.0f}"))
        goals.append(Goal(f"peak, {name}", max(small, large), _MEMORY_MB, is_limit=True, unit=" MB"))
        grown = Goal(
            f"peak of ten times as many rows, {name}", large / small, _SAME_MEMORY, is_limit=True, unit=" x"
        )
        goals.append(grown)
    head = ("seeder, peak MB", *(f"{rows:,} rows" for rows in sizes))
    return tables.grid("Memory", head, cells), goals


def _tables(quick: bool) -> Iterator[str]:
    rows, rounds, sizes = (
        (200_000, 3, (200_000, 2_000_000)) if quick else (1_000_000, 7, (1_000_000, 10_000_000))
    )
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    yield f"{machine}; medians, runs interleaved\n"
    with TemporaryDirectory() as folder:
        table, goals = speeds(rows, rounds, Path(folder))
        yield table
        table, more = memory(sizes, Path(folder))
        yield table
    yield tables.goals([*goals, *more])


def main() -> None:
    """Read the arguments, measure, print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="fewer rows and runs")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        way, name, rows = given.work
        print(*work(Reading(way, name, int(rows))))
        return
    for table in _tables(given.quick):
        print(table, flush=True)


if __name__ == "__main__":
    main()

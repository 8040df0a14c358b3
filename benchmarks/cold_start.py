"""What a function's start costs: the size of its artefact, and the time from its process's start until it is ready.

    python -m benchmarks.cold_start [--runs 5]

Measured on what `sam build` made, in fresh processes of the functions' own Python under awslambdaric, with boto3 beside
it as on Lambda: `make bench` makes both. Files are in the page cache, and a process has a whole core.
"""

from __future__ import annotations

import argparse
import platform
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from moto.awslambda.models import lambda_backends

from benchmarks import tables
from benchmarks.tables import Goal
from localcloud.aws import ACCOUNT_ID, REGION
from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.lambda_runtime.api import RuntimeApi
from localcloud.lambda_runtime.processes import Processes
from localcloud.lambda_runtime.sandbox import Plan, memory_mb

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / ".aws-sam" / "build" / "template.yaml"
PYTHON = ROOT / ".tools" / "runtime" / "bin" / "python"
MOST_MILLISECONDS, MOST_MB = 400, 15
START_SECONDS = 30
BIGGEST = 4

_IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Start:
    """One start: milliseconds until ready, by the clock and of a CPU, and the process's peak memory in MiB."""

    milliseconds: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Measured:
    """A function's starts; its artefact in MB (10^6 bytes), layer included; its imports' own time by package, in µs."""

    name: str
    megabytes: float
    starts: list[Start]
    imports: Counter[str]

    @property
    def milliseconds(self) -> float:
        """The median of its starts."""
        return statistics.median(start.milliseconds for start in self.starts)

    def row(self) -> list[str]:
        """Return the row of the table."""
        biggest = ", ".join(
            f"{package} {took / 1000:.0f}" for package, took in self.imports.most_common(BIGGEST)
        )
        cpu = statistics.median(start.cpu for start in self.starts)
        peak = max(start.peak for start in self.starts)
        return [
            self.name,
            f"{self.megabytes:.2f}",
            f"{self.milliseconds:.0f}",
            f"{cpu:.0f}",
            f"{peak:.0f}",
            biggest,
        ]


def start(plan: Plan) -> Start:
    """Start the function as Lambda does, until it asks for its first invocation. Raises RuntimeError if it does not."""
    api = RuntimeApi()
    began = time.perf_counter()
    process = subprocess.Popen(
        [plan.python, "-m", "awslambdaric", plan.handler],
        cwd=plan.code,
        env={**plan.variables, "AWS_LAMBDA_RUNTIME_API": api.address},
    )
    try:
        ready = api.ready.wait(START_SECONDS)
        took = (time.perf_counter() - began) * 1000
        cpu = int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e6
        peak = memory_mb(process.pid)
    finally:
        process.kill()
        process.wait()
        api.stop()
    if not ready or not api.answers.empty():
        raise RuntimeError(f"{plan.function_arn} does not start in {START_SECONDS} s")
    return Start(took, cpu, peak)


def imports(plan: Plan) -> Counter[str]:
    """Return the microseconds that a function's imports take by themselves, by package; the standard library is one."""
    module = plan.handler.rpartition(".")[0]
    told = subprocess.run(
        [plan.python, "-X", "importtime", "-c", f"import {module}"],
        cwd=plan.code,
        env=dict(plan.variables),
        check=True,
        capture_output=True,
        text=True,
    )
    took: Counter[str] = Counter()
    for own, name in _IMPORT.findall(told.stderr):
        package = name.partition(".")[0]
        took["Python's own" if package in sys.stdlib_module_names else package] += int(own)
    return took


def size(*folders: Path) -> float:
    """Return the MB of all files in these folders."""
    return sum(file.stat().st_size for each in folders for file in each.rglob("*") if file.is_file()) / 1e6


def measure(runs: int) -> list[Measured]:
    """Deploy what was built, and start each function so many times."""
    with LocalCloud(ScaledClock()) as cloud:
        stack = cloud.deploy(TEMPLATE)
        runner = Processes(PYTHON)
        backend = lambda_backends[ACCOUNT_ID][REGION]
        try:
            plans = {
                logical: runner.plan(backend.get_function(physical))
                for logical, physical in sorted(stack.resources.items())
                if physical in backend._lambdas._functions
            }
            layer = TEMPLATE.parent / "SeederLayer"
            # Round by round, so that what disturbs the machine for a while disturbs one start of each.
            rounds = [{name: start(plan) for name, plan in plans.items()} for _ in range(runs)]
            return [
                Measured(name, size(plan.code, layer), [one[name] for one in rounds], imports(plan))
                for name, plan in plans.items()
            ]
        finally:
            runner.stop()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="starts of each function")
    chosen = parser.parse_args()
    rows = measure(chosen.runs)
    head = ("function", "artefact MB", "ready after ms", "CPU ms", "peak MiB", "imports, ms by themselves")
    notes = [
        f"- Medians of {chosen.runs} starts; {platform.machine()}, Python of the functions {_version()}.",
        "- The artefact is what Lambda unpacks: the function's code and the layer.",
    ]
    print(tables.grid("Cold starts", head, [row.row() for row in rows], notes))
    reached = [
        Goal("slowest start", max(row.milliseconds for row in rows), MOST_MILLISECONDS, True, " ms"),
        Goal("largest artefact", max(row.megabytes for row in rows), MOST_MB, True, " MB"),
    ]
    print(tables.goals(reached))


def _version() -> str:
    told = subprocess.run([PYTHON, "--version"], check=True, capture_output=True, text=True).stdout
    return told.strip().removeprefix("Python ")


if __name__ == "__main__":
    main()

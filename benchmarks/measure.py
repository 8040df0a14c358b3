"""One run of a program, in a process of its own: wall and CPU time, peak memory, what it printed."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TAIL = 4000
_CHUNK = 1024 * 1024


class Failed(Exception):
    """A run that ended with an error, took too long, or counted wrongly."""


@dataclass(frozen=True)
class Command:
    """A program to measure. It prints its count of keys, or with `lines` a line for each key into that file."""

    argv: Sequence[str]
    lines: Path | None = None


@dataclass(frozen=True)
class Run:
    """What a run took; times in seconds, `peak` in MB (10^6 bytes), `printed` the end of its standard output.

    `cpu` includes children that the process waited for; `peak` is that of the largest process.
    """

    wall: float
    cpu: float
    peak: float
    printed: str


def environment(url: str) -> dict[str, str]:
    """Return the environment in which an AWS client lists from `url` and reads no configuration of this machine."""
    return {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "HOME": os.environ.get("HOME", "/"),
        "NO_PROXY": "127.0.0.1",
        "PATH": os.environ.get("PATH", os.defpath),
    }


def run(command: Command, env: Mapping[str, str], printed: Path, timeout: float) -> Run:
    """Run to the end; standard output goes to the file `printed` (or `command.lines`). Raises Failed."""
    output, errors = command.lines or printed, printed.with_suffix(".err")
    with output.open("wb") as out, errors.open("wb") as err:
        began = time.perf_counter()
        process = subprocess.Popen(command.argv, stdout=out, stderr=err, env=env, start_new_session=True)
        late = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
        late.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            os.waitpid(process.pid, 0)
            raise
        finally:
            late.cancel()
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == -signal.SIGKILL:
        raise Failed(f"killed after {wall:.0f} s")
    if process.returncode:
        said = errors.read_text(errors="replace").strip().splitlines() or ["no message"]
        raise Failed(f"exit {process.returncode}: {said[-1][:200]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, _tail(output))


def count(command: Command, done: Run) -> int:
    """Return how many keys a run has listed, by its own account. Raises Failed."""
    if command.lines:
        return lines(command.lines)
    last = done.printed.strip().rpartition("\n")[2]
    if not last.isdigit():
        raise Failed(f"printed no count: {last[:200]}")
    return int(last)


def lines(path: Path) -> int:
    """Return the number of lines of a file."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))


def median(values: Sequence[float]) -> float:
    """Return the median; of two values the mean."""
    return statistics.median(values)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return file.read().decode(errors="replace")

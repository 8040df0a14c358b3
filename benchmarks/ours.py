"""Our own command beside the peers: `seeder manifest`, run as a child process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Command, Failed, Run

_ASK_SECONDS = 60


@dataclass(frozen=True)
class Counted:
    """What the command says of a run, in the last line it prints: JSON, times in seconds."""

    keys: int
    list_calls: int
    bytes: int
    seconds: float


class Missing(Exception):
    """The command is not there; says what was tried."""


@dataclass(frozen=True)
class Seeder:
    """The command, by default the one of the environment that runs the benchmark."""

    argv: Sequence[str] = (str(Path(sys.executable).with_name("seeder")),)

    def check(self) -> None:
        """Raises Missing when there is no `seeder manifest`."""
        asked = [*self.argv, "manifest", "--help"]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, timeout=_ASK_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(f"{' '.join(asked)}: {error}") from None
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
            raise Missing(f"{' '.join(asked)}: {said[-1]}")

    def manifest(
        self, source: str, output: str, workers: int, versions: bool = False, against: str | None = None
    ) -> Command:
        """Return the command that lists `source` to `output`, a path or an s3:// address."""
        options = ["--output", output, "--workers", str(workers), "--json"]
        options += ["--versions"] if versions else []
        options += ["--against", against] if against else []
        return Command([*self.argv, "manifest", source, *options])


def counted(done: Run) -> Counted:
    """Read what a run of the command printed. Raises Failed."""
    last = done.printed.strip().rpartition("\n")[2]
    try:
        said = json.loads(last)
        return Counted(int(said["keys"]), int(said["list_calls"]), int(said["bytes"]), float(said["seconds"]))
    except (ValueError, KeyError, TypeError):
        raise Failed(f"'seeder manifest' ended without its counts: {last[:200]!r}") from None

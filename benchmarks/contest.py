"""Contenders run in turn, each run a process of its own, against the same servers and within a time limit."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import ours
from benchmarks.measure import Command, Failed, Run, count, environment, lines, median, run
from benchmarks.peers.catalog import Peer
from benchmarks.peers.environments import Unavailable, home
from benchmarks.s3server import Server, running
from benchmarks.synthetic.service import Settings

_LONGEST_RUN = 400.0


@dataclass(frozen=True)
class Contender:
    """Who lists what: `keys` rows of the space that `settings` describe.

    `counts` are the counts it may end with, none where only the run's own output file says; `rows` is the number of
    lines that our output must have, where it is a file.
    """

    name: str
    settings: Settings
    keys: int
    call: Callable[[Server, Path], Command]
    is_ours: bool = False
    counts: frozenset[int] = frozenset()
    rows: int | None = None


def peer(of: Peer, settings: Settings, keys: int | None = None) -> Contender:
    """Return a peer as contender; `keys` when it lists only a part."""
    listed = settings.keys if keys is None else keys
    return Contender(of.name, settings, listed, of.call, counts=frozenset({listed}))


@dataclass
class Row:
    """What a contender's runs took; `calls` are the LIST requests that the server has answered."""

    contender: Contender
    runs: list[Run] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    server_cpu: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def seconds(self) -> float:
        """Median wall time."""
        return median([done.wall for done in self.runs])

    @property
    def cpu(self) -> float:
        """Median CPU time of the client, in seconds."""
        return median([done.cpu for done in self.runs])

    @property
    def speed(self) -> float:
        """Keys per second, by the median wall time."""
        return self.contender.keys / self.seconds

    @property
    def peak(self) -> float:
        """The highest peak memory, in MB."""
        return max(done.peak for done in self.runs)

    @property
    def calls_per_thousand(self) -> float:
        """LIST calls per 1,000 keys, median."""
        return median(self.calls) * 1000 / self.contender.keys

    @property
    def server_load(self) -> float:
        """CPU seconds of the server per second of the run, median."""
        return median([cpu / done.wall for cpu, done in zip(self.server_cpu, self.runs, strict=True)])


class Contest:
    """Measures groups of contenders until `deadline`, a time of `time.monotonic`."""

    def __init__(self, deadline: float, processes: int = 1) -> None:
        self._deadline = deadline
        self._processes = processes

    def hold(self, contenders: Sequence[Contender], rounds: int, end: float) -> list[Row]:
        """Run all contenders `rounds` times in turn.

        A later round is left out when it would not be over at `end`, a time of `time.monotonic`.
        """
        rows = [Row(contender) for contender in contenders]
        with ExitStack() as stack, tempfile.TemporaryDirectory(dir=home()) as place:
            servers: dict[Settings, Server] = {}
            for number in range(rounds):
                started = time.monotonic()
                for row in rows:
                    settings = row.contender.settings
                    if not row.problem and settings not in servers:
                        servers[settings] = stack.enter_context(running(settings, self._processes))
                    if not row.problem:
                        self._run(row, servers[settings], Path(place) / f"{number}-{rows.index(row)}")
                now = time.monotonic()
                if now + (now - started) > end:
                    break
        return rows

    def _run(self, row: Row, server: Server, output: Path) -> None:
        left = self._deadline - time.monotonic()
        if left < 1:
            row.problem = row.problem or ("" if row.runs else "no time was left")
            return
        try:
            command = row.contender.call(server, output)
            before = server.stats()
            done = run(command, environment(server.url), output.with_suffix(".out"), min(left, _LONGEST_RUN))
            after = server.stats()
            _check(row.contender, command, done, output)
        except Unavailable as error:
            row.problem = f"not installed: {error}"
        except Failed as error:
            row.problem = str(error)
        else:
            row.runs.append(done)
            row.calls.append(after["pages"] - before["pages"])
            row.server_cpu.append((after["cpu_us"] - before["cpu_us"]) / 1e6)
            print(f"  {row.contender.name}: {done.wall:.1f} s", file=sys.stderr, flush=True)
        output.unlink(missing_ok=True)


def _check(contender: Contender, command: Command, done: Run, output: Path) -> None:
    """Hold the count that a run gives against what the server holds. Raises Failed."""
    counted = ours.counted(done).keys if contender.is_ours else count(command, done)
    if contender.counts and counted not in contender.counts:
        raise Failed(
            f"counted {counted:,} keys instead of {' or '.join(f'{n:,}' for n in sorted(contender.counts))}"
        )
    if contender.rows is not None:
        written = lines(output)
        expected = counted if contender.counts else contender.rows
        if written != expected:
            raise Failed(f"wrote {written:,} rows instead of {expected:,}")

"""Listing, ours and the peers', in the tables that `docs/performance.md` shows.

    python -m benchmarks.listing [--quick] [--only pages,wide,hard,difference,memory]

The server and each client are processes of this machine; nothing leaves 127.0.0.1. Peers are installed on first use.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path

from benchmarks import tables
from benchmarks.contest import Contender, Contest, Row, peer
from benchmarks.measure import Command
from benchmarks.ours import Missing, Seeder
from benchmarks.peers import catalog
from benchmarks.s3server import Server
from benchmarks.synthetic.entries import delete_markers
from benchmarks.synthetic.service import REPLICA, Settings
from benchmarks.synthetic.spaces import BLOCK, bucket
from benchmarks.tables import Goal

LATENCY = 0.05
WORKERS = 64

_VERSIONS_PER_KEY = 3
_DIFFERENCE_ROWS_PER_BLOCK = 2
_MEMORY_MB = 150


@dataclass(frozen=True)
class Sizes:
    """How much is listed: `pages` by the fast, `some` by peers in Go, `few` by the slow; `wide` after 50 ms a page."""

    pages: int
    some: int
    few: int
    wide: int
    chain: int
    one_key: int
    pages_per_thread: int
    rounds: int
    minutes: float


# Shares of the time, by group; what one leaves the next may use.
SHARES = {"pages": 0.38, "wide": 0.26, "hard": 0.2, "difference": 0.12, "memory": 0.04}

FULL = Sizes(1_000_000, 400_000, 100_000, 10_000_000, 400_000, 100_000, 2, 3, 14)
QUICK = Sizes(200_000, 60_000, 20_000, 1_000_000, 50_000, 20_000, 1, 1, 1.9)


class Benchmark:
    """The groups of tables; each returns what it prints and remembers what later ones compare with."""

    def __init__(self, seeder: Seeder, sizes: Sizes, groups: Sequence[str]) -> None:
        self._seeder = seeder
        self._sizes = sizes
        began, whole = time.monotonic(), sum(SHARES[group] for group in groups)
        parts = accumulate(60 * sizes.minutes * SHARES[group] / whole for group in groups)
        self._ends = {group: began + part for group, part in zip(groups, parts, strict=True)}
        self._contest = Contest(began + 60 * sizes.minutes)
        self._rows: dict[str, Row] = {}
        self._missing = _missing(seeder)
        self.goals: list[Goal] = []

    def pages(self) -> str:
        """Measure (a): pages to a manifest, one process, no latency."""
        size = self._sizes
        most, some, few = (Settings(keys=keys) for keys in (size.pages, size.some, size.few))
        rows = self._hold(
            "pages",
            [
                peer(catalog.boto3_paginator(), few),
                peer(catalog.aws_s3_ls(), few),
                peer(catalog.aws_s3api(), few),
                *(self._boto3_threads(threads, most) for threads in (16, 64)),
                peer(catalog.s5cmd(), some),
                peer(catalog.rclone(), some),
                peer(catalog.obstore(), most),
                peer(catalog.discard_signed(), most),
                peer(catalog.discard_sockets(), most),
                *(self._ours(f"seeder, {n} worker{'s' * (n > 1)}", most, n) for n in (1, 4)),
            ],
        )
        boto3, _, _, _, _, s5cmd, _, obstore, signed, _, *ours = rows
        best = max(ours, key=lambda row: row.speed if row.runs else 0)
        for other, bound in ((boto3, 50), (obstore, 4), (s5cmd, 14)):
            self.goals.append(
                Goal(f"pages: times {other.contender.name}", _ratio(best, other), bound, unit=" x")
            )
        time_ratio = _ratio(signed, best)
        self.goals.append(
            Goal("pages: time of fetch and discard, signed", time_ratio, 1.3, is_limit=True, unit=" x")
        )
        return tables.contenders("Pages to manifest, one process, no latency", rows, boto3)

    def wide(self) -> str:
        """Measure (b): a flat space of many keys, each page after 50 ms."""
        wide, chain = self._slow("flat", self._sizes.wide), self._slow("flat", self._sizes.chain)
        rows = self._hold(
            "wide",
            [
                self._boto3_threads(64, wide),
                peer(catalog.discard_sockets(WORKERS, wide.keys), wide),
                peer(catalog.discard_signed(WORKERS, wide.keys), wide),
                self._ours("seeder, one chain", chain, 1),
                self._ours(f"seeder, {WORKERS} workers", wide, WORKERS, to_s3=True),
            ],
        )
        boto3, _, _, one, many = rows
        self._rows["flat"] = many
        self.goals += [
            Goal("flat, 50 ms: times one chain of ours", _ratio(many, one), 25, unit=" x"),
            Goal("flat, 50 ms: times boto3 with 64 threads", _ratio(many, boto3), 60, unit=" x"),
            Goal(
                "flat, 50 ms: LIST calls per 1,000 keys",
                many.calls_per_thousand if many.runs else None,
                1.05,
                True,
            ),
        ]
        return tables.contenders(f"Flat, {LATENCY * 1000:.0f} ms a page", rows, boto3)

    def hard(self) -> str:
        """Measure (c): the same for skewed keys, for versions, and for one key with many versions."""
        size, kinds = self._sizes, ("hash", "nested", "skewed", "versions", "one-key")
        walks = [self._walk(kind, size.one_key if kind == "one-key" else size.wide) for kind in kinds]
        rows = self._hold("hard", walks, rounds=min(2, size.rounds))
        flat = self._rows.get("flat")
        for kind, row in zip(kinds, rows, strict=True):
            self._rows[kind] = row
            slower = _ratio(flat, row) if flat else None
            if kind in ("skewed", "versions"):
                self.goals.append(
                    Goal(f"{kind}, 50 ms: time of flat, key by key", slower, 2, is_limit=True, unit=" x")
                )
        one_key, chain = rows[-1], size.one_key / BLOCK * LATENCY
        longer = one_key.seconds / chain if one_key.runs else None
        self.goals.append(
            Goal("one key, 50 ms: time of its pages in turn", longer, 2, is_limit=True, unit=" x")
        )
        return tables.contenders(f"Other spaces, {LATENCY * 1000:.0f} ms a page", rows, None)

    def difference(self) -> str:
        """Measure (d): the difference of two buckets; keys/s are those of one side."""
        rows = self._hold(
            "difference", [self._difference(self._sizes.wide)], rounds=min(2, self._sizes.rounds)
        )
        self._rows["difference"] = rows[0]
        speed = rows[0].speed if rows[0].runs else None
        self.goals.append(Goal("difference: keys/s of a side", speed, 150_000))
        return tables.contenders(
            f"Difference of two buckets, {LATENCY * 1000:.0f} ms a page (keys of one side, LIST calls of both)",
            rows,
            None,
        )

    def memory(self) -> str:
        """Measure (e): peak memory, at a tenth of the keys and at all of them; what was measured is not run again."""
        wide = self._sizes.wide
        makers: dict[str, Callable[[int], Contender]] = {
            kind: partial(self._walk, kind) for kind in ("flat", "skewed", "versions")
        }
        makers["difference"] = self._difference
        small = self._hold("memory", [make(wide // 10) for make in makers.values()], rounds=1)
        absent = [kind for kind in makers if kind not in self._rows]
        large = self._hold("memory", [makers[kind](wide) for kind in absent], rounds=1) if absent else []
        self._rows.update(zip(absent, large, strict=True))
        pairs = [(kind, row, self._rows[kind]) for kind, row in zip(makers, small, strict=True)]
        head = ("seeder", f"{wide // 10:,} keys: peak MB", f"{wide:,} keys: peak MB")
        cells = [(kind, f"{a.peak:.0f}", f"{b.peak:.0f}") for kind, a, b in pairs if a.runs and b.runs]
        peaks = [b.peak for _, a, b in pairs if a.runs and b.runs]
        growth = [b.peak / a.peak for _, a, b in pairs if a.runs and b.runs]
        self.goals += [
            Goal("peak memory", max(peaks, default=None), _MEMORY_MB, is_limit=True, unit=" MB"),
            Goal(
                "peak memory, all keys to a tenth", max(growth, default=None), 1.15, is_limit=True, unit=" x"
            ),
        ]
        notes = [
            f"- {kind}: skipped, {a.problem or b.problem}" for kind, a, b in pairs if not (a.runs and b.runs)
        ]
        return tables.grid(f"Peak memory, {WORKERS} workers", head, cells, notes)

    def _hold(self, group: str, contenders: Sequence[Contender], rounds: int | None = None) -> list[Row]:
        """Hold a group's contest; ours only when the command is there."""
        present = [c for c in contenders if not (c.is_ours and self._missing)]
        held = self._contest.hold(present, rounds or self._sizes.rounds, self._ends[group])
        measured = {id(row.contender): row for row in held}
        return [measured.get(id(c)) or Row(c, problem=self._missing) for c in contenders]

    def _ours(self, name: str, settings: Settings, workers: int, to_s3: bool = False) -> Contender:
        versions = settings.space in ("versions", "one-key")

        def call(server: Server, output: Path) -> Command:
            target = f"s3://manifests/{output.name}.csv" if to_s3 else str(output)
            return self._seeder.manifest(server.bucket, target, workers, versions)

        counts = {settings.keys}
        if versions:
            counts.add(settings.keys - delete_markers(bucket(settings.space, settings.keys).versions))
        rows = None if to_s3 else settings.keys
        return Contender(name, settings, settings.keys, call, True, frozenset(counts), rows)

    def _walk(self, space: str, keys: int) -> Contender:
        return self._ours(f"seeder, {space}, {WORKERS} workers", self._slow(space, keys), WORKERS, to_s3=True)

    def _difference(self, keys: int) -> Contender:
        def call(server: Server, output: Path) -> Command:
            return self._seeder.manifest(server.bucket, str(output), WORKERS, against=REPLICA)

        settings = self._slow("flat", keys)
        rows = keys // BLOCK * _DIFFERENCE_ROWS_PER_BLOCK
        return Contender(f"seeder --against, {WORKERS} workers", settings, keys, call, True, rows=rows)

    def _boto3_threads(self, threads: int, settings: Settings) -> Contender:
        pages = self._sizes.pages_per_thread * (64 // threads)
        of = catalog.boto3_threads(threads, settings.keys, pages)
        return peer(of, settings, threads * pages * BLOCK)

    @staticmethod
    def _slow(space: str, keys: int) -> Settings:
        rows = keys - keys % _VERSIONS_PER_KEY if space == "versions" else keys
        return Settings(space, rows, _VERSIONS_PER_KEY, LATENCY)


def _ratio(faster: Row, slower: Row) -> float | None:
    return faster.speed / slower.speed if faster.runs and slower.runs else None


def _missing(seeder: Seeder) -> str:
    try:
        seeder.check()
    except Missing as error:
        return f"the command is missing ({error})"
    return ""


def main() -> None:
    """Read the arguments, run the groups, print their tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.listing", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, one run each, under two minutes")
    parser.add_argument("--only", default=",".join(SHARES), help=f"some of {','.join(SHARES)}")
    parser.add_argument(
        "--seeder", type=shlex.split, help="the command to run in place of this environment's 'seeder'"
    )
    given = parser.parse_args()
    asked = given.only.split(",")
    if unknown := set(asked) - set(SHARES):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    groups = [group for group in SHARES if group in asked]
    seeder = Seeder(tuple(given.seeder)) if given.seeder else Seeder()
    catalog.prepare()
    benchmark = Benchmark(seeder, QUICK if given.quick else FULL, groups)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; medians, runs interleaved\n"
    )
    began = time.monotonic()
    for group in groups:
        print(getattr(benchmark, group)(), flush=True)
    print(tables.goals(benchmark.goals))
    print(f"Measured in {(time.monotonic() - began) / 60:.1f} minutes.")


if __name__ == "__main__":
    main()

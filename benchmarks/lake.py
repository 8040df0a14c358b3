"""Swaps of one registry by many writers, and updates of a lake with few files and with many.

    python -m benchmarks.lake [--quick] [--server memory|seaweedfs|local]

Writers are threads of one process, plain or with group commit, or processes. Each updates for some seconds; an update
waits until it is written. `memory` is a server that does no more than S3's conditional writes (see
`benchmarks/synthetic/conditional.py`): what it shows is the contention of clients. SeaweedFS, a real server, has
contended writes wait in steps of a second. S3 itself is expected to take about 15 swaps a second of one object.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from benchmarks.synthetic import conditional
from benchmarks.tables import grid
from seeder.lake import changelog
from seeder.lake.entry import Entry, key_of
from seeder.lake.group import GroupCommit
from seeder.lake.lake import Lake
from seeder.lake.registry import Registry

BUCKET = "lake"
WRITERS = (1, 4, 16, 32)
DAY = {"year": "2024", "month": "01", "day": "01"}
ADDED = 200

_BOOT_SECONDS = 0.7


class Told(NamedTuple):
    """What one writer, or all, saw: the seconds of each update, those of all, and the PUT requests they took."""

    seconds: list[float]
    wall: float
    puts: int = 0


class Counting:
    """A client that counts its PutObject calls and the bytes in them."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.puts = 0
        self.bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **given: Any) -> Any:
        """Count a call, and make it. Threads may lose a count between them, which shows nowhere."""
        self.puts += 1
        self.bytes += len(given["Body"])
        return self._s3.put_object(**given)


def client(endpoint: str) -> Any:
    """Return a client of a server."""
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - of a server that asks for any
        config=Config(
            max_pool_connections=64, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}
        ),
    )


def count(body: dict[str, Any]) -> dict[str, Any]:
    """Count one more."""
    return {"n": body.get("n", 0) + 1}


def update_until(registry: Registry | GroupCommit, start: float, seconds: float) -> Told:
    """Update from a time of the monotonic clock, for some seconds; what was begun is ended."""
    time.sleep(max(start - time.monotonic(), 0))
    took = []
    while (began := time.monotonic()) < start + seconds:
        registry.update(count)
        took.append(time.monotonic() - began)
    return Told(took, time.monotonic() - start)


def threads(endpoint: str, key: str, writers: int, seconds: float, group: bool) -> Told:
    """Measure writers that are threads of this process."""
    s3 = Counting(client(endpoint))
    plain: Any = Registry(s3, BUCKET, key, deadline_seconds=600)  # type: ignore[arg-type]  # it stands in for a client
    registry = GroupCommit(plain) if group else plain
    work = partial(update_until, registry, time.monotonic() + 0.2, seconds)
    with ThreadPoolExecutor(writers) as pool:
        told = [future.result() for future in [pool.submit(work) for _ in range(writers)]]
    if isinstance(registry, GroupCommit):
        registry.close()
    return _all(told)._replace(puts=s3.puts)


def processes(endpoint: str, key: str, writers: int, seconds: float) -> Told:
    """Measure writers that are processes."""
    start = time.monotonic() + 1 + writers * _BOOT_SECONDS
    with ProcessPoolExecutor(writers, multiprocessing.get_context("spawn")) as pool:
        told = list(pool.map(_process, *zip(*[(endpoint, key, start, seconds)] * writers, strict=True)))
    return _all(told)


def _all(told: list[Told]) -> Told:
    seconds = [one for each in told for one in each.seconds]
    return Told(seconds, max(each.wall for each in told), sum(each.puts for each in told))


def _process(endpoint: str, key: str, start: float, seconds: float) -> Told:
    s3: Any = Counting(client(endpoint))
    registry = Registry(s3, BUCKET, key, deadline_seconds=600)
    registry.read()
    return update_until(registry, start, seconds)._replace(puts=s3.puts)


def swaps(endpoint: str, writers: tuple[int, ...], seconds: float) -> str:
    """Return the table of swaps."""
    ways: dict[str, Callable[[str, int], Told]] = {
        "threads": lambda key, some: threads(endpoint, key, some, seconds, group=False),
        "threads, group commit": lambda key, some: threads(endpoint, key, some, seconds, group=True),
        "processes": lambda key, some: processes(endpoint, key, some, seconds),
    }
    cells = []
    for way, measure in ways.items():
        for some in writers:
            told = measure(f"metastore/{way}-{some}.json", some)
            cells.append([way, str(some), *_cells(told)])
    head = ("writers are", "writers", "updates/s", "PUTs / update", "p50 ms", "p99 ms")
    return grid("Updates of one registry", head, cells)


def _cells(told: Told) -> list[str]:
    ordered = sorted(told.seconds)
    p50, p99 = (1000 * ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    return [
        f"{len(ordered) / told.wall:,.0f}",
        f"{told.puts / len(ordered):.2f}",
        f"{p50:,.1f}",
        f"{p99:,.1f}",
    ]


def sizes(endpoint: str, files: tuple[int, ...]) -> str:
    """Return the table of what an update takes among some files."""
    cells = []
    for some in files:
        s3: Any = Counting(client(endpoint))
        lake = Lake(s3, BUCKET, split=True)
        dataset = f"profiles_{some}"
        lake.registries.of(dataset, is_new=True).update(partial(_filled, lake, dataset, some))
        took, most = [], 0
        for number in range(ADDED):
            before, began = s3.bytes, time.monotonic()
            entry = Entry(key_of(dataset, DAY, f"new_{number}"), 5, f'"{number:032x}"', 1, 1)
            lake.register(entry, since=some + number)
            took.append(time.monotonic() - began)
            most = max(most, s3.bytes - before)
        held = lake.datasets()[dataset]
        ms = 1000 * statistics.median(took)
        cells.append([f"{some:,}", f"{held.files:,}", f"{ms:.1f}", f"{most / 1024:.1f}"])
    head = ("files before", "files after", "median ms", "most KiB written by one update")
    return grid(f"Registering {ADDED} files, one by one", head, cells)


def _filled(lake: Lake, dataset: str, files: int, body: dict[str, Any]) -> dict[str, Any]:
    for number in range(files):
        key = key_of(dataset, DAY, f"profile_data_{number:05d}.parquet")
        entry = Entry(key, 123_456, f'"{number:032x}"', 10_000, 1)
        body = changelog.add(body, entry, "2024-01-01T00:00:00.000+00:00", lake.lists)
    return body


@contextlib.contextmanager
def server(name: str) -> Iterator[str]:
    """Run a server by its name; yield its URL."""
    if name == "memory":
        with conditional.running() as url:
            yield url
        return
    if name == "seaweedfs":
        from tests.integration.localcloud.seaweedfs import seaweedfs

        with seaweedfs() as s3:
            s3.create_bucket(Bucket=BUCKET)
            yield s3.meta.endpoint_url
        return
    from localcloud.cloud import LocalCloud

    with LocalCloud() as cloud:
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        serving = cloud.serve()
        yield serving.url
        serving.stop()


def main() -> None:
    """Read the arguments, measure, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lake", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer writers, for less long")
    parser.add_argument("--server", choices=["memory", "seaweedfs", "local"], default="memory")
    given = parser.parse_args()
    with server(given.server) as url:
        print(swaps(url, (1, 4) if given.quick else WRITERS, 1 if given.quick else 5))
        print(sizes(url, (10, 1_000) if given.quick else (10, 10_000)))


if __name__ == "__main__":
    main()

"""The tables of docs/costs.md: `python -m benchmarks.costs` prints them, from the code that prices a run.

Peers are priced at the same requests and transfer prices, without the machine that `aws s3 sync` needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from seeder.cost import cents, cost
from seeder.prices import BYTES_PER_GB, TABLES, price_of, transfer_price
from seeder.usage import KEYS_PER_LIST, Operation, expected

SOURCE = "us-east-1"
DESTINATIONS = {"same region": "us-east-1", "us-east-1 → eu-west-1": "eu-west-1"}
OBJECTS = (1_000_000, 100_000_000, 1_000_000_000)
OBJECT_BYTES = 1024**2

# AWS Price List, AWSDataSync, effective 2025-04-01: tasks in Enhanced mode.
DATASYNC_EXECUTION, DATASYNC_GB = Decimal("0.55"), Decimal("0.015")
# An assumption: requests are charged on top (LIST, HEAD, GET, PUT), here two reads and one write an object.
DATASYNC_GETS = 2


def sync(objects: int, size: int, destination: str) -> Decimal:
    """Return what `aws s3 sync` costs in USD: both buckets listed once, one CopyObject an object, the transfer."""
    pages = Decimal(-(-objects // KEYS_PER_LIST))
    listed = pages * (price_of(SOURCE, "list").each + price_of(destination, "list").each)
    return listed + objects * price_of(destination, "put STANDARD").each + _transfer(size, destination)


def datasync(objects: int, size: int, destination: str) -> Decimal:
    """Return what one execution of a DataSync task in Enhanced mode costs in USD."""
    read = DATASYNC_GETS * objects * price_of(SOURCE, "get STANDARD").each
    service = DATASYNC_EXECUTION + DATASYNC_GB * size / BYTES_PER_GB
    return service + read + sync(objects, size, destination)


def seeder(operation: Operation, objects: int, size: int, destination: str, verify: bool = True) -> Decimal:
    """Return what a run of ours is expected to cost in USD."""
    usage = expected(
        operation,
        objects,
        size,
        source_region=SOURCE,
        destination_region=destination,
        verify=verify,
    )
    return cost(usage, SOURCE, destination).total_usd


def _transfer(size: int, destination: str) -> Decimal:
    if destination == SOURCE:
        return Decimal(0)
    return size * transfer_price(SOURCE, destination).each


def totals() -> Iterator[str]:
    """Yield the table of whole runs beside peers."""
    yield "| objects of 1 MiB | regions | seeder, verified | not verified | aws s3 sync | DataSync, Enhanced |"
    yield "| ---: | --- | ---: | ---: | ---: | ---: |"
    for objects in OBJECTS:
        for name, region in DESTINATIONS.items():
            size = objects * OBJECT_BYTES
            amounts = (
                seeder("copy", objects, size, region),
                seeder("copy", objects, size, region, verify=False),
                sync(objects, size, region),
                datasync(objects, size, region),
            )
            yield f"| {objects:,} | {name} | {' | '.join(map(cents, amounts))} |"


def lines() -> Iterator[str]:
    """Yield what a run of 100 M objects between regions is made of."""
    objects, region = OBJECTS[1], DESTINATIONS["us-east-1 → eu-west-1"]
    usage = expected("copy", objects, objects * OBJECT_BYTES, source_region=SOURCE, destination_region=region)
    yield "| what | USD |"
    yield "| --- | ---: |"
    for line in cost(usage, SOURCE, region).lines:
        yield f"| {line.name} | {cents(line.usd)} |"


def price_table() -> Iterator[str]:
    """Yield the main prices of each class of regions, `~` before those that are not confirmed."""
    items = ("list", "get STANDARD", "transfer", "restored GLACIER/STANDARD", "restored DEEP_ARCHIVE/BULK")
    yield "| class | LIST, PUT, COPY / 1,000 | GET / 1,000 | out / GB | GLACIER / GB | DEEP_ARCHIVE bulk / GB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name, table in TABLES.items():
        shown = (
            f"{'' if table[item].sure == 'confirmed' else '~'}{table[item].usd.normalize():f}"
            for item in items
        )
        yield f"| {name} | {' | '.join(shown)} |"


if __name__ == "__main__":
    for part in (totals(), lines(), price_table()):
        print("\n".join(part), end="\n\n")

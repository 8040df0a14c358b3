"""`seeder estimate`: what seeding a bucket would cost, told before anything is copied."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from seeder.buckets import Bucket, describe
from seeder.clients import Clients
from seeder.cost import NOT_COUNTED, Cost, Line, cents, cost
from seeder.errors import InvalidRequest, SeederError
from seeder.listing.any_order import list_all
from seeder.listing.counting import Census
from seeder.listing.page import Page
from seeder.listing.selection import Selection
from seeder.listing.wire import Wire
from seeder.prices import BYTES_PER_GB
from seeder.usage import ASSUMED, RESTORE_TIER, Operation, Usage, expected
from seeder_cli.errors import CommandError
from seeder_cli.place import Place, account_options
from seeder_cli.progress import listing_progress

WORKERS = 32


@dataclass(frozen=True)
class Estimate:
    """What was found: both buckets, what the source holds, the cost of a run, and what the listing took."""

    source: Bucket
    destination: Bucket
    operation: Operation
    restore: bool
    census: Census
    cost: Cost
    calls: int
    listing: Cost
    seconds: float


@click.command()
@click.argument("source")
@click.argument("destination")
@click.option("--prefix", default="", help="Only keys that begin with this.")
@click.option(
    "--operation",
    type=click.Choice(["copy", "replicate"]),
    default="copy",
    show_default=True,
    help="copy takes current versions; replicate, which needs a replication rule, takes all of them.",
)
@click.option("--restore", is_flag=True, help="With a restore (bulk) of what is archived.")
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 256),
    default=WORKERS,
    show_default=True,
    help="Requests at a time.",
)
@account_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def estimate(
    source: str,
    destination: str,
    prefix: str,
    operation: Operation,
    restore: bool,
    workers: int,
    place: Place,
    as_json: bool,
) -> int:
    """Tell what seeding DESTINATION from SOURCE would cost. Nothing is copied.

    Lists the source, which costs too (about 0.005 USD for a million keys in us-east-1), and prices what a run would
    use at the list prices packaged with this command.

    \b
    Example:
      seeder estimate my-bucket my-replica --prefix logs/
    """
    try:
        clients = Clients(place.session)
        pair = (describe(clients, "source", source), describe(clients, "destination", destination))
        found = _estimate(place, *pair, prefix, operation, restore, workers)
    except InvalidRequest as error:
        raise CommandError(str(error)) from error
    except (SeederError, ClientError, BotoCoreError) as error:
        raise CommandError(f"{source}: {error}", status=1) from error
    if as_json:
        click.echo(json.dumps(document(found)))
    else:
        click.echo("\n".join(lines(found)))
    return 0


def _estimate(
    place: Place,
    source: Bucket,
    destination: Bucket,
    prefix: str,
    operation: Operation,
    restore: bool,
    workers: int,
) -> Estimate:
    started = time.monotonic()
    config = Config(max_pool_connections=workers, retries={"mode": "standard"})
    client: Any = place.session.client("s3", region_name=source.region, config=config)
    wire = Wire(client, source.name, "ListObjectVersions" if operation == "replicate" else "ListObjectsV2")
    census = _count(wire, prefix, workers)
    regions = (source.region, destination.region)
    usage = expected(
        operation,
        census.objects,
        census.size,
        source_region=source.region,
        destination_region=destination.region,
        large=census.large,
        large_bytes=census.large_bytes,
        classes=census.classes,
        archived=census.archived,
        restore_tier=RESTORE_TIER if restore else "",
        list_calls=wire.calls,
    )
    return Estimate(
        source=source,
        destination=destination,
        operation=operation,
        restore=restore,
        census=census,
        cost=cost(usage, *regions),
        calls=wire.calls,
        listing=cost(Usage(list_calls=wire.calls), *regions),
        seconds=time.monotonic() - started,
    )


def _count(wire: Wire, prefix: str, workers: int) -> Census:
    """List a bucket and count what it holds. Raises SeederError, ClientError, BotoCoreError."""
    census, selection = Census(), Selection()
    with listing_progress() as show:

        def accept(page: Page, stop: int) -> None:
            census.add(page, stop, selection.choose(page, stop))
            show(census.objects, wire.calls)

        def restart() -> None:
            nonlocal census
            census = Census()
            click.echo(
                "seeder: the server does not list in the order of UTF-8 bytes; listing again, slower",
                err=True,
            )

        list_all(wire, accept, restart, prefix=prefix, workers=workers)
    return census


def document(found: Estimate) -> dict[str, Any]:
    """Return all that was found, as JSON takes it; amounts are numbers of USD, rounded up."""
    census = found.census
    return {
        "source": found.source.name,
        "source_region": found.source.region,
        "destination": found.destination.name,
        "destination_region": found.destination.region,
        "operation": found.operation,
        "objects": census.objects,
        "bytes": census.size,
        "large": {"objects": census.large, "bytes": census.large_bytes},
        "classes": {name: tally._asdict() for name, tally in sorted(census.classes.items())},
        "archived": {name: tally._asdict() for name, tally in sorted(census.archived.items())},
        "restore": found.restore,
        "lines": [_line(line) for line in found.cost.lines],
        "total_usd": _number(found.cost),
        "complete": found.cost.complete,
        "prices_dated": found.cost.prices_dated,
        "assumed": list(ASSUMED),
        "not_counted": NOT_COUNTED,
        "notes": found.cost.notes,
        "listing": {"list_calls": found.calls, "usd": _number(found.listing)},
        "seconds": round(found.seconds, 3),
    }


def _number(amount: Cost) -> float:
    return float(cents(amount.total_usd).replace(",", ""))


def _line(line: Line) -> dict[str, Any]:
    values = line.model_dump() | {"unit_price": float(line.unit_price), "usd": round(float(line.usd), 6)}
    return values | {"usd_each": float(line.unit_price / line.per)}


def lines(found: Estimate) -> Iterator[str]:
    """Yield the lines of the table, and what is to be known about it."""
    source, destination, census = found.source, found.destination, found.census
    kind = "versions" if found.operation == "replicate" else "objects"
    size = "unknown size" if census.size is None else shown_bytes(census.size)
    yield f"{source.name} ({source.region}) → {destination.name} ({destination.region}), {found.operation}"
    yield f"{census.objects:,} {kind}, {size}; {census.large:,} of them over 5 GiB"
    yield ""
    yield from table(found.cost)
    yield ""
    for name, tally in sorted(census.archived.items()):
        done = "restored, to be seeded by a later run" if found.restore else "archived, left out (--restore)"
        yield f"{name}: {tally.objects:,} {kind} of {shown_bytes(tally.bytes)}: {done}"
    for note in found.cost.notes:
        yield f"Note: {note}."
    if any(line.sure != "confirmed" for line in found.cost.lines):
        yield "~ not confirmed: second-hand, or derived from another region's price."
    yield f"Prices as of {found.cost.prices_dated}. Not counted: {NOT_COUNTED}."
    yield from (f"Assumed: {assumption}." for assumption in ASSUMED)
    yield (
        f"The listing for this estimate cost {cents(found.listing.total_usd)} USD ({found.calls:,} LIST calls) of its "
        "own; a run lists again."
    )


def table(amount: Cost) -> Iterator[str]:
    """Yield a cost as a table of fixed columns."""
    form = "{:<34}{:>20}  {:<28}{:>14}"
    yield form.format("", "quantity", "price in USD", "USD")
    for line in amount.lines:
        price, sure = shown_price(line), "" if line.sure == "confirmed" else "~"
        yield form.format(line.name, shown_quantity(line), sure + price, cents(line.usd))
    yield form.format("Total", "", "", cents(amount.total_usd) + ("" if amount.complete else " or more"))


def shown_quantity(line: Line) -> str:
    """Return a quantity as it is read: bytes in a unit that fits, all else as it is."""
    return shown_bytes(line.quantity) if line.unit == "bytes" else f"{line.quantity:,}"


def shown_price(line: Line) -> str:
    """Return a price as AWS gives it, such as "0.005 per 1,000 requests"."""
    if line.per == BYTES_PER_GB:
        return f"{line.unit_price:f} per GB"
    unit = f"{line.per:,} {line.unit}" if line.per > 1 else line.unit.removesuffix("s")
    return f"{line.unit_price:f} per {unit}"


def shown_bytes(size: int) -> str:
    """Return a size in binary units, as AWS charges it."""
    amount, units = float(size), ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:,.0f} bytes" if units[0] == "bytes" else f"{amount:,.1f} {units[0]}"

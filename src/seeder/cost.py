"""What a run will cost, before it runs: what it will use, at list prices (`seeder.prices`).

What is charged: S3 User Guide, "Performing object operations in bulk with Batch Operations" (a job, each object in it,
and the requests, transfer and Lambda time behind them) and the S3 pricing page. Not counted: storage, AWS KMS, free
tiers, discounts, S3 Replication Time Control, retry rounds, and early deletion of what is overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Context, Decimal

from pydantic import BaseModel, ConfigDict

from seeder import prices
from seeder.errors import InvalidRequest
from seeder.prices import Price, Sure
from seeder.usage import Usage

# Sums of money are exact: the price of some bytes has up to 60 digits.
_EXACT = Context(prec=100)
_CENT = Decimal("0.01")
NOT_COUNTED = "storage, AWS KMS, free tiers, discounts, Replication Time Control, retries"


class Line(BaseModel):
    """One line of a bill: `quantity` of `unit`, at `unit_price` USD for each `per` of them."""

    model_config = ConfigDict(frozen=True)

    name: str
    quantity: int
    unit: str
    unit_price: Decimal
    per: int
    usd: Decimal
    sure: Sure


class Cost(BaseModel):
    """What a usage costs. `complete` is False where something could not be priced; `notes` say what, and why."""

    model_config = ConfigDict(frozen=True)

    lines: list[Line]
    total_usd: Decimal
    prices_dated: str
    complete: bool
    notes: list[str]


def cost(usage: Usage, source_region: str, destination_region: str, home_region: str = "") -> Cost:
    """Price a usage. `home_region` is where the application runs, the source's by default.

    Requests are charged where the bucket is, transfer where it leaves. A region without a price of its own is priced at
    the dearest, and a note says so.
    """
    home = home_region or source_region
    lines = [
        _line(name, quantity, price)
        for name, quantity, price in _items(usage, source_region, destination_region, home)
        if quantity
    ]
    return Cost(
        lines=lines,
        total_usd=_total(lines),
        prices_dated=prices.PRICES_DATED,
        complete=usage.bytes_known,
        notes=_notes(usage, [source_region, destination_region, home]),
    )


def _items(usage: Usage, source: str, destination: str, home: str) -> Iterator[tuple[str, int, Price]]:
    """Yield what is charged: its name, how much of it, and its price."""
    yield "List the source", usage.list_calls, prices.price_of(source, "list")
    yield "List the destination", usage.destination_list_calls, prices.price_of(destination, "list")
    # Derived: each is charged as a GET of an object in STANDARD.
    yield "Ask for tags", usage.tag_requests, prices.price_of(source, "get STANDARD")
    yield "Batch Operations jobs", usage.jobs, prices.price_of(destination, "batch job")
    yield "Batch Operations tasks", usage.tasks, prices.price_of(destination, "batch task")
    for kind, counts, region, item in (
        ("Write", usage.copy_requests, destination, "put"),
        ("Read", usage.get_requests, source, "get"),
        ("Retrieve from", usage.retrieved_bytes, source, "retrieval"),
        ("Ask to restore", usage.restore_requests, source, "restore"),
        ("Restore from", usage.restore_bytes, source, "restored"),
    ):
        for name, count in counts.items():
            yield f"{kind} {name}", count, prices.price_of(region, f"{item} {name}")
    yield "Copy in parts", usage.part_copies, prices.price_of(destination, "put STANDARD")
    yield "Write manifests, reports", usage.put_requests, prices.price_of(home, "put STANDARD")
    transfer = prices.transfer_price(source, destination)
    yield "Transfer between regions", usage.bytes_between_regions, transfer
    yield "Lambda requests", usage.lambda_requests, prices.price_of(home, "lambda request")
    yield "Lambda time", usage.lambda_gb_seconds, prices.price_of(home, "lambda time")
    yield "Step Functions", usage.state_transitions, prices.price_of(home, "transition")


def _line(name: str, quantity: int, price: Price) -> Line:
    usd = _EXACT.divide(_EXACT.multiply(Decimal(quantity), price.usd), Decimal(price.per))
    return Line(
        name=name,
        quantity=quantity,
        unit=price.unit,
        unit_price=price.usd,
        per=price.per,
        usd=usd,
        sure=price.sure,
    )


def _total(lines: list[Line]) -> Decimal:
    total = Decimal(0)
    for line in lines:
        total = _EXACT.add(total, line.usd)
    return total


def _notes(usage: Usage, regions: list[str]) -> list[str]:
    notes = [
        f"no prices of {region} are known here: the dearest of any region stand for them"
        for region in sorted(set(regions))
        if not prices.is_known(region)
    ]
    if not usage.bytes_known:
        notes.append("the objects' sizes are not known: transfer between the regions is not in the total")
    return notes


def cents(usd: Decimal) -> str:
    """Return an amount as it is shown: rounded up to a cent, such as "1,234.50"."""
    return f"{usd.quantize(_CENT, ROUND_CEILING, _EXACT):,}"


def check(estimate: Cost, max_cost_usd: Decimal | float | str) -> None:
    """Refuse a run that would cost more than the limit, or whose cost is not known.

    Raises InvalidRequest naming the estimate, the limit and what to do. To be called before a job is created.
    """
    limit = Decimal(str(max_cost_usd))
    before = "no job was created and nothing was copied"
    if not estimate.complete:
        raise InvalidRequest(
            "max_cost_usd",
            f"a limit of {limit} USD can't be kept: {'; '.join(estimate.notes)}; {before}. Leave max_cost_usd out, or "
            "list the source, or give an inventory with sizes",
        )
    if estimate.total_usd > limit:
        raise InvalidRequest(
            "max_cost_usd",
            f"this run is estimated at {cents(estimate.total_usd)} USD, over the limit of {limit} USD; {before}. Raise "
            "max_cost_usd, or seed less with prefix, suffix or the other filters",
        )

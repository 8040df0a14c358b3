"""AWS list prices of what a run uses, by class of regions: one dated table, no network.

None was read from AWS by this project. They were read in public copies of AWS's pricing pages and price list files;
`Price.sure` says how good the copy is: "confirmed" is quoted from a price list file or from AWS's own page for a region
of the class, "second-hand" is as others give it or from an old bill, "unconfirmed" is derived from another region or
class, on the dear side. A class has the dearest of its regions' prices. Free tiers and discounts are not considered.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, NamedTuple

Sure = Literal["confirmed", "second-hand", "unconfirmed"]

# Amazon S3 FAQs, "How will I be charged and billed for my use of Amazon S3?": a GB is 1,073,741,824 bytes.
BYTES_PER_GB = 1024**3
STORAGE_CLASSES = (
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "INTELLIGENT_TIERING",
    "STANDARD_IA",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)
TIERS = ("BULK", "STANDARD")
# When this table was put together; a price may be older, as its own date tells.
PRICES_DATED = "2026-11-22"

_S3_LIST = "AWS Price List, AmazonS3 (https://aws.amazon.com/s3/pricing/)"
_TRANSFER_LIST = (
    "AWS Price List, AWSDataTransfer (https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer)"
)
_LAMBDA_PAGE = "https://aws.amazon.com/lambda/pricing/"
_STATES_PAGE = "https://aws.amazon.com/step-functions/pricing/"
_RETRIEVAL_PAGE = "https://repost.aws/knowledge-center/s3-manage-data-retrieval"


class Price(NamedTuple):
    """`usd` for each `per` of a unit; the page it stands on, the date that its copy bears, and how sure it is."""

    usd: Decimal
    per: int
    unit: str
    source: str
    dated: str
    sure: Sure

    @property
    def each(self) -> Decimal:
        """USD for one of the unit."""
        return self.usd / self.per


class _Class(NamedTuple):
    """A class of regions: S3's PUT, COPY, LIST (`tier1`) and GET (`tier2`) per 1,000, transfer out per GB, Lambda's
    GB-second on x86, Step Functions' 1,000 transitions; `archive` is a row of `_ARCHIVE` and a factor on it.
    """

    regions: tuple[str, ...]
    tier1: str
    tier2: str
    transfer: str
    transition: str
    gb_second: str = "0.0000166667"
    archive: tuple[str, str] = ("frankfurt", "1")
    dated: str = ""
    sure: Sure = "confirmed"
    transfer_sure: Sure = "second-hand"


_CLASSES = {
    "us": _Class(
        *(("us-east-1", "us-east-2", "us-west-2"), "0.005", "0.0004", "0.02", "0.025"),
        archive=("us", "1"),
        dated="2025-10-28",
        transfer_sure="confirmed",
    ),
    "north-america": _Class(
        *(("ca-central-1", "ca-west-1", "us-west-1"), "0.0055", "0.00044", "0.02", "0.0279"),
        transfer_sure="confirmed",
    ),
    "europe": _Class(
        *(("eu-north-1", "eu-west-1"), "0.005", "0.0004", "0.02", "0.025"),
        archive=("ireland", "1"),
        dated="2026-07-20",
        transfer_sure="confirmed",
    ),
    "europe-other": _Class(
        *(("eu-central-1", "eu-south-1", "eu-west-2", "eu-west-3"), "0.0054", "0.00043", "0.02", "0.0297"),
        gb_second="0.0000195172",
        dated="2026-07-20",
    ),
    "asia-pacific": _Class(
        ("ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
        *("0.005", "0.0004", "0.09", "0.0285"),
        gb_second="0.00002292",
        dated="2026-09-26",
    ),
    "oceania": _Class(
        *(("ap-southeast-2",), "0.0055", "0.00044", "0.098", "0.025"),
        dated="2026-09-10",
        transfer_sure="unconfirmed",
    ),
    "middle-east": _Class(
        *(("me-central-1", "me-south-1"), "0.0055", "0.00044", "0.1105", "0.0275"),
        gb_second="0.0000206667",
        sure="unconfirmed",
    ),
    "south-america": _Class(
        *(("sa-east-1",), "0.007", "0.00056", "0.138", "0.0375"),
        archive=("frankfurt", "1.5"),
        dated="2026-09-26",
    ),
    "africa": _Class(
        *(("af-south-1",), "0.007", "0.00056", "0.147", "0.02975"),
        gb_second="0.0000221",
        archive=("frankfurt", "1.5"),
        sure="unconfirmed",
    ),
}
# The two regions of the eastern US pay half among themselves.
CHEAP_PAIR = frozenset({"us-east-1", "us-east-2"})

# PUT and GET by storage class, as multiples of STANDARD's (us-east-1: $0.01, $0.02 per 1,000 PUT; $0.001, $0.01 GET),
# and retrieval per GB (us-east-1, eu-west-1).
_PUT_FACTORS = {"STANDARD_IA": 2, "ONEZONE_IA": 2, "GLACIER_IR": 4}
_GET_FACTORS = {"STANDARD_IA": "2.5", "ONEZONE_IA": "2.5", "GLACIER_IR": "25"}
_RETRIEVAL = {"STANDARD_IA": "0.01", "ONEZONE_IA": "0.01", "GLACIER_IR": "0.03"}


class _Archive(NamedTuple):
    """Prices of an archive class: PUT per 1,000; by tier, restore requests per 1,000 and retrieval per GB."""

    put: str
    bulk: tuple[str, str]
    standard: tuple[str, str]


_ARCHIVE = {
    "us": {
        "GLACIER": _Archive("0.03", ("0", "0"), ("0.05", "0.01")),
        "DEEP_ARCHIVE": _Archive("0.05", ("0.025", "0.0025"), ("0.10", "0.02")),
    },
    "ireland": {
        "GLACIER": _Archive("0.033", ("0", "0"), ("0.055", "0.01")),
        "DEEP_ARCHIVE": _Archive("0.055", ("0.025", "0.003"), ("0.11", "0.02")),
    },
    "frankfurt": {
        "GLACIER": _Archive("0.036", ("0", "0"), ("0.06", "0.012")),
        "DEEP_ARCHIVE": _Archive("0.06", ("0.03", "0.005"), ("0.12", "0.024")),
    },
}

Table = MappingProxyType[str, Price]


def _requests(row: _Class) -> Iterator[tuple[str, Price]]:
    """Yield S3's request and retrieval prices that follow STANDARD's."""
    ratio = Decimal(row.tier1) / Decimal("0.005")
    derived: Sure = "second-hand" if ratio == 1 else "unconfirmed"
    yield "list", Price(Decimal(row.tier1), 1000, "requests", _S3_LIST, row.dated, row.sure)
    for name in STORAGE_CLASSES:
        sure = derived if name in _PUT_FACTORS else row.sure
        put, get = Decimal(row.tier1) * _PUT_FACTORS.get(name, 1), Decimal(row.tier2)
        yield f"put {name}", Price(put, 1000, "requests", _S3_LIST, row.dated, sure)
        get *= Decimal(_GET_FACTORS.get(name, "1"))
        yield f"get {name}", Price(get, 1000, "requests", _S3_LIST, row.dated, sure)
        retrieval = Decimal(_RETRIEVAL.get(name, "0")) * ratio
        yield f"retrieval {name}", Price(retrieval, BYTES_PER_GB, "bytes", _S3_LIST, row.dated, sure)


def _archive(row: _Class) -> Iterator[tuple[str, Price]]:
    """Yield the prices of GLACIER and DEEP_ARCHIVE."""
    like, factor = row.archive[0], Decimal(row.archive[1])
    sure: Sure = "unconfirmed" if like == "frankfurt" else "second-hand"
    source = _RETRIEVAL_PAGE if like == "us" else _S3_LIST
    for name, prices in _ARCHIVE[like].items():
        yield (
            f"put {name}",
            Price(Decimal(prices.put) * factor, 1000, "requests", _S3_LIST, row.dated, sure),
        )
        for tier, (request, gigabyte) in zip(TIERS, (prices.bulk, prices.standard), strict=True):
            item = f"{name}/{tier}"
            asked, got = Decimal(request) * factor, Decimal(gigabyte) * factor
            yield f"restore {item}", Price(asked, 1000, "requests", source, row.dated, sure)
            yield f"restored {item}", Price(got, BYTES_PER_GB, "bytes", source, row.dated, sure)


def _others(row: _Class) -> Iterator[tuple[str, Price]]:
    """Yield the prices of batch jobs, transfer, Lambda (x86) and Step Functions (Standard)."""
    # Price list of eu-west-1 and ca-central-1, and us-east-1 (2026-06-24), are the same; no region is known to differ.
    yield "batch job", Price(Decimal("0.25"), 1, "jobs", _S3_LIST, "2026-06-24", "confirmed")
    yield "batch task", Price(Decimal(1), 1_000_000, "tasks", _S3_LIST, "2026-06-24", "confirmed")
    transfer = Decimal(row.transfer)
    yield "transfer", Price(transfer, BYTES_PER_GB, "bytes", _TRANSFER_LIST, "", row.transfer_sure)
    yield (
        "lambda request",
        Price(Decimal("0.20"), 1_000_000, "requests", _LAMBDA_PAGE, "2026-09-20", "confirmed"),
    )
    seconds = Decimal(row.gb_second)
    yield "lambda time", Price(seconds, 1, "GB-seconds", _LAMBDA_PAGE, "", "second-hand")
    steps = Decimal(row.transition)
    yield "transition", Price(steps, 1000, "transitions", _STATES_PAGE, "", "second-hand")


def _table(row: _Class) -> Table:
    return MappingProxyType(dict(_requests(row)) | dict(_archive(row)) | dict(_others(row)))


TABLES = MappingProxyType({name: _table(row) for name, row in _CLASSES.items()})
# For a region that is in no class: of each price the dearest.
DEAREST: Table = MappingProxyType(
    {
        item: max((table[item] for table in TABLES.values()), key=lambda price: price.usd)._replace(
            sure="unconfirmed"
        )
        for item in TABLES["us"]
    }
)
_CLASS_OF = {region: name for name, row in _CLASSES.items() for region in row.regions}


def is_known(region: str) -> bool:
    """Tell whether a region has prices of its own class; others get the dearest."""
    return region in _CLASS_OF


def table_of(region: str) -> Table:
    """Return the prices of a region by item, such as "list", "put STANDARD_IA", "restored GLACIER/BULK"."""
    return TABLES[_CLASS_OF[region]] if region in _CLASS_OF else DEAREST


def price_of(region: str, item: str) -> Price:
    """Return one price. An item of a storage class that has none costs as the dearest class does."""
    table = table_of(region)
    if item in table:
        return table[item]
    kind = item.split(" ")[0] + " "
    return max((price for name, price in table.items() if name.startswith(kind)), key=lambda price: price.usd)


def transfer_price(source_region: str, destination_region: str) -> Price:
    """Return what data that leaves one region for another costs; the source pays, entering is free."""
    price = price_of(source_region, "transfer")
    if {source_region, destination_region} == CHEAP_PAIR:
        return price._replace(usd=Decimal("0.01"), sure="second-hand")
    return price

"""What a run was to cost, and what it has cost by its own counts, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from seeder.page.markup import tag
from seeder.page.plots import Part, bar
from seeder.page.tables import Cell, Column, Row, table
from seeder.page.words import NONE, listed, mapping, number, size, text_of
from seeder.page.work import Shown, shown

if TYPE_CHECKING:
    from seeder.record import Record

_NOTE = (
    "At list prices, in USD, each rounded up; not counted: storage, AWS KMS, free tiers, discounts, Replication Time "
    "Control. + says that something in a sum is not known."
)
_UNSURE = {"second-hand": "price known at second hand", "unconfirmed": "price not confirmed"}
_MOST_LINES = 100


def lines(record: Record) -> Shown | None:
    """Return the costs, estimated and actual; None where neither is known."""
    told = mapping(record.bill)
    estimated, actual = _by_name(told.get("estimated")), _by_name(told.get("actual"))
    if not (estimated or actual or record.estimated_usd or record.actual_usd):
        return None
    names = list(dict.fromkeys([*estimated, *actual]))
    most = max((_amount(line) for line in [*estimated.values(), *actual.values()]), default=0.0)
    rows = [_line(name, estimated.get(name, {}), actual.get(name, {}), most) for name in names]
    columns = [
        Column("For"),
        Column("Quantity", "number"),
        Column("Estimated", "number"),
        Column("Actual", "number"),
    ]
    total: Row = ["In all", "", _dash(record.estimated_usd), _dash(record.actual_usd)]
    caption = "Costs in USD: as estimated before the first job, and by what the run then used"
    return shown(
        "costs",
        "Costs",
        table(caption, columns, rows, foot=total, stacks=True),
        tag("p", _NOTE, class_="small quiet"),
    )


def _line(name: str, estimated: Mapping[str, Any], actual: Mapping[str, Any], most: float) -> Row:
    line = actual or estimated
    unsure = _UNSURE.get(text_of(line.get("sure")))
    named = [tag("p", name), tag("p", unsure, class_="small quiet") if unsure else None]
    count, unit = line.get("quantity"), text_of(line.get("unit"))
    unit = unit.removesuffix("s") if count == 1 else unit
    quantity = size(count) if unit == "bytes" else f"{number(count)} {unit}"
    drawn = bar([Part(_amount(actual))], most)
    return [
        Cell(named),
        Cell(quantity),
        Cell(_dash(text_of(estimated.get("usd")))),
        Cell([tag("span", _dash(text_of(actual.get("usd")))), drawn]),
    ]


def _by_name(told: object) -> dict[str, Mapping[str, Any]]:
    found = [mapping(line) for line in listed(told)[:_MOST_LINES]]
    return {text_of(line.get("name")): line for line in found}


def _amount(line: Mapping[str, Any]) -> float:
    """Return the USD of a line, 0 where they are not known."""
    try:
        amount = Decimal(str(line.get("usd", 0)).replace(",", "").rstrip("+"))
    except InvalidOperation:
        return 0
    return float(min(max(amount, Decimal(0)), Decimal(10**12))) if amount.is_finite() else 0


def _dash(usd: str) -> str:
    return usd or NONE

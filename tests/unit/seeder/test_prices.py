from __future__ import annotations

from decimal import Decimal

import pytest

from seeder.prices import (
    DEAREST,
    STORAGE_CLASSES,
    TABLES,
    TIERS,
    is_known,
    price_of,
    table_of,
    transfer_price,
)


@pytest.mark.parametrize("name", TABLES)
def test_every_class_has_every_price_with_its_source(name: str) -> None:
    table = TABLES[name]
    assert set(table) == set(DEAREST)
    for price in table.values():
        assert price.usd >= 0
        assert price.per > 0
        assert "https://" in price.source
        assert price.sure in {"confirmed", "second-hand", "unconfirmed"}


def test_all_storage_classes_can_be_written_read_and_restored() -> None:
    for name in STORAGE_CLASSES:
        assert {f"put {name}", f"get {name}", f"retrieval {name}"} <= set(DEAREST)
    for name in ("GLACIER", "DEEP_ARCHIVE"):
        for tier in TIERS:
            assert {f"restore {name}/{tier}", f"restored {name}/{tier}"} <= set(DEAREST)


@pytest.mark.parametrize(
    ("region", "item", "usd", "per"),
    [
        ("us-east-1", "list", "0.005", 1000),
        ("us-east-1", "get STANDARD", "0.0004", 1000),
        ("us-east-1", "get GLACIER_IR", "0.01", 1000),
        ("us-east-1", "put STANDARD_IA", "0.01", 1000),
        ("us-east-1", "put GLACIER_IR", "0.02", 1000),
        ("us-east-1", "put DEEP_ARCHIVE", "0.05", 1000),
        ("us-east-1", "batch job", "0.25", 1),
        ("us-east-1", "batch task", "1", 1_000_000),
        ("us-east-1", "transition", "0.025", 1000),
        ("us-east-1", "restore GLACIER/STANDARD", "0.05", 1000),
        ("us-east-1", "restored GLACIER/BULK", "0", 1024**3),
        ("us-east-1", "restored DEEP_ARCHIVE/BULK", "0.0025", 1024**3),
        ("eu-west-1", "restored DEEP_ARCHIVE/BULK", "0.003", 1024**3),
        ("eu-central-1", "list", "0.0054", 1000),
        ("sa-east-1", "list", "0.007", 1000),
        ("ap-northeast-1", "transfer", "0.09", 1024**3),
    ],
)
def test_prices_are_those_that_were_published(region: str, item: str, usd: str, per: int) -> None:
    price = price_of(region, item)
    assert (price.usd, price.per) == (Decimal(usd), per)


def test_a_region_without_prices_gets_the_dearest_of_each() -> None:
    assert is_known("us-east-1")
    assert not is_known("xx-north-9")
    for item, price in table_of("xx-north-9").items():
        assert price.usd == max(table[item].usd for table in TABLES.values())
        assert price.sure == "unconfirmed"


def test_a_storage_class_without_prices_costs_as_the_dearest() -> None:
    assert price_of("us-east-1", "put SOMETHING_NEW") == price_of("us-east-1", "put DEEP_ARCHIVE")


def test_only_the_eastern_pair_pays_half_for_transfer() -> None:
    assert transfer_price("us-east-1", "us-east-2").usd == Decimal("0.01")
    assert transfer_price("us-east-1", "us-west-2").usd == Decimal("0.02")
    assert transfer_price("sa-east-1", "us-east-1").usd == Decimal("0.138")

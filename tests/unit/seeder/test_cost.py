from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.cost import Cost, cents, check, cost
from seeder.errors import InvalidRequest
from seeder.prices import PRICES_DATED
from seeder.usage import Usage, expected

GIB = 1024**3


def total(usage: Usage, source: str = "us-east-1", destination: str = "us-east-1") -> Decimal:
    return cost(usage, source, destination).total_usd


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(list_calls=1000), "0.005"),
        (Usage(jobs=1, tasks=1_000_000), "1.25"),
        (Usage(copy_requests={"STANDARD": 1_000_000}), "5"),
        (Usage(copy_requests={"STANDARD_IA": 1000, "DEEP_ARCHIVE": 1000}), "0.06"),
        (Usage(get_requests={"STANDARD": 1_000_000}), "0.4"),
        (Usage(retrieved_bytes={"STANDARD_IA": 100 * GIB}), "1"),
        (Usage(part_copies=2000), "0.01"),
        (Usage(bytes_between_regions=100 * GIB), "2"),
        (Usage(lambda_requests=1_000_000), "0.2"),
        (Usage(lambda_gb_seconds=10), "0.000166667"),
        (Usage(state_transitions=1000), "0.025"),
        (Usage(restore_requests={"DEEP_ARCHIVE/STANDARD": 1000}), "0.1"),
        (Usage(restore_bytes={"DEEP_ARCHIVE/STANDARD": 10 * GIB}), "0.2"),
        (Usage(restore_requests={"GLACIER/BULK": 10**9}, restore_bytes={"GLACIER/BULK": 10**15}), "0"),
        (Usage(), "0"),
    ],
)
def test_each_count_costs_its_price(usage: Usage, usd: str) -> None:
    assert total(usage) == Decimal(usd)


def test_requests_are_charged_where_the_bucket_is() -> None:
    assert total(Usage(list_calls=1000), "sa-east-1", "us-east-1") == Decimal("0.007")
    assert total(Usage(destination_list_calls=1000), "us-east-1", "sa-east-1") == Decimal("0.007")
    assert total(Usage(copy_requests={"STANDARD": 1000}), "us-east-1", "sa-east-1") == Decimal("0.007")


def test_the_region_that_data_leaves_pays_for_the_transfer() -> None:
    assert total(Usage(bytes_between_regions=GIB), "sa-east-1", "us-east-1") == Decimal("0.138")
    assert total(Usage(bytes_between_regions=GIB), "us-east-1", "sa-east-1") == Decimal("0.02")


def test_the_application_is_charged_at_home() -> None:
    usage = Usage(state_transitions=1000)
    assert cost(usage, "us-east-1", "us-east-1", "sa-east-1").total_usd == Decimal("0.0375")


def test_only_what_is_used_has_a_line_and_the_lines_are_the_total() -> None:
    bill = cost(Usage(list_calls=10, jobs=1), "us-east-1", "us-east-1")
    assert [(line.name, line.quantity, line.unit) for line in bill.lines] == [
        ("List the source", 10, "requests"),
        ("Batch Operations jobs", 1, "jobs"),
    ]
    assert bill.total_usd == sum(line.usd for line in bill.lines)
    assert bill.prices_dated == PRICES_DATED


amounts = st.integers(0, 10**18)
usages = st.builds(
    Usage,
    list_calls=amounts,
    tasks=amounts,
    copy_requests=st.dictionaries(st.sampled_from(["STANDARD", "GLACIER_IR", "NEW_CLASS"]), amounts),
    bytes_between_regions=amounts,
    lambda_gb_seconds=amounts,
)
regions = st.sampled_from(["us-east-1", "eu-central-1", "sa-east-1", "mars-1"])


@given(usages, usages, regions, regions)
def test_two_usages_together_cost_what_they_cost_one_by_one(
    one: Usage, other: Usage, source: str, destination: str
) -> None:
    whole = cost(one + other, source, destination).total_usd
    parts = [cost(part, source, destination).total_usd for part in (one, other)]
    assert abs(whole - sum(parts)) <= Decimal("1e-12")


@given(st.integers(0, 10**9), st.integers(0, 10**15), st.integers(1, 10**6))
def test_more_objects_never_cost_less(objects: int, size: int, more: int) -> None:
    fewer, larger = (
        total(expected("copy", count, size, source_region="us-east-1", destination_region="eu-west-1"))
        for count in (objects, objects + more)
    )
    assert larger > fewer


def test_an_unknown_region_costs_no_less_than_any_other_and_is_named() -> None:
    usage = expected("copy", 10**6, 10**12, source_region="mars-1", destination_region="us-east-1")
    bill = cost(usage, "mars-1", "us-east-1")
    assert "mars-1" in " ".join(bill.notes)
    for region in ("us-west-2", "sa-east-1", "af-south-1"):
        assert bill.total_usd >= cost(usage, region, "us-east-1").total_usd
    assert cost(usage, "us-west-2", "us-east-1").notes == []


@pytest.mark.parametrize(
    ("usd", "shown"),
    [("0", "0.00"), ("0.0000001", "0.01"), ("1.23", "1.23"), ("1.230001", "1.24"), ("12345.6", "12,345.60")],
)
def test_amounts_are_shown_rounded_up_to_a_cent(usd: str, shown: str) -> None:
    assert cents(Decimal(usd)) == shown


def million() -> Cost:
    usage = expected("copy", 10**6, 0, source_region="us-east-1", destination_region="us-east-1")
    return cost(usage, "us-east-1", "us-east-1")


def test_a_run_over_its_limit_is_refused_with_what_to_do() -> None:
    bill = million()
    with pytest.raises(InvalidRequest) as caught:
        check(bill, 5)
    message = str(caught.value)
    assert caught.value.field == "max_cost_usd"
    for part in (
        cents(bill.total_usd),
        "5 USD",
        "no job was created",
        "nothing was copied",
        "Raise max_cost_usd",
    ):
        assert part in message


@pytest.mark.parametrize("limit", [Decimal("6.68"), 6.68, "6.68", 1000])
def test_a_run_within_its_limit_may_go_on(limit: Decimal | float | str) -> None:
    bill = million()
    assert cents(bill.total_usd) == "6.68"
    check(bill, limit)


def test_a_limit_is_not_said_to_be_kept_where_the_cost_is_not_known() -> None:
    usage = expected("copy", 10, None, source_region="us-east-1", destination_region="eu-west-1")
    bill = cost(usage, "us-east-1", "eu-west-1")
    assert not bill.complete
    with pytest.raises(InvalidRequest, match="sizes are not known"):
        check(bill, 1_000_000)

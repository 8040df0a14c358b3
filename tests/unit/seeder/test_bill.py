from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from seeder import bill
from seeder.cost import Cost
from seeder.errors import InvalidRequest
from seeder.jobs import Job
from seeder.judge import Compared
from seeder.listing.counting import Census, Tally
from seeder.manifest import Progress
from seeder.sink import Upload
from seeder.work import Work
from tests.runs import EUROPE, HOME, manifests_of, run_of, verified

GIB = 1024**3


def listed(count: int = 1_000_000, size: int = GIB, **members: Any) -> Progress:
    census = Census(objects=count, bytes=size, classes={"STANDARD": Tally(count, size)})
    return manifests_of(own=(count,), **{"census": census, "list_calls": 1000, **members})


def quantities(told: Cost) -> dict[str, int]:
    return {line.name: line.quantity for line in told.lines}


def test_an_estimate_is_of_what_was_listed() -> None:
    told = quantities(bill.estimate(run_of(), listed(), HOME))
    assert told["Batch Operations jobs"] == 1
    assert told["Batch Operations tasks"] == 1_000_000
    assert told["Transfer between regions"] == GIB
    assert told["List the source"] == 1000 + 1050


def test_a_run_within_its_limit_goes_on() -> None:
    told = bill.estimate(run_of(), listed(), HOME)
    limit = float(told.total_usd) + 0.01
    assert bill.estimate(run_of(max_cost_usd=limit), listed(), HOME) == told


@pytest.mark.parametrize("limit", [0, 0.01, 1])
def test_a_run_over_its_limit_is_refused(limit: float) -> None:
    with pytest.raises(InvalidRequest, match=r"^max_cost_usd: this run is estimated at"):
        bill.estimate(run_of(max_cost_usd=limit), listed(), HOME)


def test_an_empty_bucket_is_within_a_small_limit() -> None:
    empty = manifests_of(list_calls=1)
    assert bill.estimate(run_of(max_cost_usd=1), empty, HOME).complete


def test_sizes_that_are_not_known_are_said_so_and_a_limit_can_not_be_kept() -> None:
    by_inventory = listed(census=Census(), list_calls=0)
    told = bill.estimate(run_of(), by_inventory, HOME)
    assert not told.complete
    assert bill.shown(told).endswith("+")
    with pytest.raises(InvalidRequest, match="sizes are not known"):
        bill.estimate(run_of(max_cost_usd=1_000_000), by_inventory, HOME)


def test_sizes_do_not_matter_within_a_region() -> None:
    by_inventory = listed(census=Census(), list_calls=0)
    assert bill.estimate(run_of(source=EUROPE), by_inventory, HOME).complete


def test_a_total_is_shown_in_cents() -> None:
    told = bill.estimate(run_of(), listed(), HOME)
    assert Decimal(bill.shown(told).replace(",", "")) >= told.total_usd
    assert bill.shown(told).rpartition(".")[2].isdigit()


def test_the_lines_of_a_bill_are_plain_numbers_that_are_never_too_low() -> None:
    told = bill.estimate(run_of(), listed(10**9, 10**12), HOME)
    shown = bill.lines(told)
    assert [line["name"] for line in shown] == [line.name for line in told.lines]
    assert all(line.keys() == {"name", "quantity", "unit", "usd", "sure"} for line in shown)
    for line, exact in zip(shown, told.lines, strict=True):
        assert exact.usd <= Decimal(line["usd"]) < exact.usd + Decimal("0.0001")
        assert len(line["usd"].partition(".")[2]) == 4
    assert max(Decimal(line["usd"]) for line in shown) > 1000


def test_what_is_over_its_limit_can_still_be_told() -> None:
    told = bill.foreseen(run_of(max_cost_usd=0), listed(), HOME)
    assert told == bill.estimate(run_of(), listed(), HOME)


def test_an_inventory_with_sizes_is_estimated_like_a_listing_and_keeps_a_limit() -> None:
    by_inventory = listed(list_calls=0, inventory_created="1767225600000")
    assert bill.estimate(run_of(max_cost_usd=1_000_000), by_inventory, HOME).complete
    unsized = listed(census=Census(objects=5, unsized=5, classes={"STANDARD": Tally(5, 0)}), list_calls=0)
    assert not bill.estimate(run_of(), unsized, HOME).complete


def test_large_and_archived_objects_are_estimated() -> None:
    census = Census(
        objects=3,
        bytes=12 * GIB,
        large=2,
        large_bytes=12 * GIB,
        classes={"STANDARD": Tally(3, 12 * GIB)},
        archived={"GLACIER": Tally(4, 40)},
    )
    manifests = manifests_of(own=(1,), large=2, archived=4, census=census)
    told = quantities(bill.estimate(run_of(), manifests, HOME))
    assert (told["Batch Operations jobs"], told["Batch Operations tasks"]) == (2, 3)
    assert "Copy in parts" in told
    restored = quantities(bill.estimate(run_of(restore=True, restore_tier="STANDARD"), manifests, HOME))
    assert (restored["Batch Operations jobs"], restored["Batch Operations tasks"]) == (3, 7)
    assert restored["Ask to restore GLACIER/STANDARD"] == 4


def job(count: int, total: int | None, round_number: int = 0, looks: int = 5, job_id: str = "j") -> Job:
    rows = Upload(bucket="", key="", count=count)
    return Job(
        operation="copy",
        region=EUROPE,
        manifest=rows,
        fields=[],
        id=job_id,
        total=total,
        round=round_number,
        looks=looks,
        read=True,
    )


def actual(*jobs: Job, count: int = 100, compared: int = 2) -> dict[str, int]:
    manifests, found = listed(count, list_calls=1), verified(list_calls=compared)
    return quantities(bill.actual(run_of(), manifests, Work(jobs=list(jobs)), found, HOME))


def test_each_job_and_its_tasks_are_charged_those_of_later_rounds_too() -> None:
    told = actual(job(100, 100), job(30, 30, 1), job(10, 10, 2))
    assert (told["Batch Operations jobs"], told["Batch Operations tasks"]) == (3, 140)
    split = actual(job(60, 60), job(40, 40))
    assert (split["Batch Operations jobs"], split["Batch Operations tasks"]) == (2, 100)


def test_a_job_whose_progress_was_not_told_is_charged_by_its_manifest() -> None:
    assert actual(job(100, None))["Batch Operations tasks"] == 100
    assert "Batch Operations tasks" not in actual(job(100, 0))


def test_looks_and_list_calls_are_charged_as_they_were() -> None:
    few, many = actual(job(100, 100, looks=1)), actual(job(100, 100, looks=50))
    assert many["Step Functions"] > few["Step Functions"]
    assert many["Lambda requests"] == few["Lambda requests"] + 49
    assert (
        actual(job(100, 100), compared=402)["List the source"]
        == actual(job(100, 100))["List the source"] + 400
    )


def test_a_run_that_failed_nothing_costs_about_what_was_estimated() -> None:
    manifests = listed(100_000, list_calls=100)
    estimated = bill.estimate(run_of(), manifests, HOME).total_usd
    work = Work(jobs=[job(100_000, 100_000, looks=30)])
    spent = bill.actual(run_of(), manifests, work, verified(list_calls=200), HOME).total_usd
    assert spent == estimated


def resynced(count: int = 0, **found: int) -> Progress:
    census = Census(objects=count, bytes=count, classes={"STANDARD": Tally(count, count)} if count else {})
    calls: dict[str, Any] = {"list_calls": 100, "destination_list_calls": 90}
    own = (count,) if count else ()
    return manifests_of(own=own, census=census, compared=Compared.model_validate(found), **calls)


def test_a_resync_that_finds_nothing_costs_its_two_listings_and_no_job() -> None:
    manifests, proof = resynced(equal=100_000, extra=3), verified()
    told = quantities(bill.estimate(run_of(resync=True), manifests, HOME))
    assert (told["List the source"], told["List the destination"]) == (100, 90)
    assert not {name for name in told if "Batch" in name or name.startswith(("Write S", "Read", "Transfer"))}
    spent = quantities(bill.actual(run_of(resync=True), manifests, Work(), proof, HOME))
    assert spent == told


def test_a_resync_that_finds_some_is_charged_for_them_and_for_four_listings() -> None:
    manifests = resynced(7, equal=100_000, missing=5, different=2)
    told = quantities(bill.estimate(run_of(resync=True), manifests, HOME))
    assert (told["Batch Operations jobs"], told["Batch Operations tasks"]) == (1, 7)
    assert told["List the source"] == 100 + 106
    assert told["List the destination"] == 90 + 106
    more = verified(list_calls=500)
    spent = quantities(bill.actual(run_of(resync=True), manifests, Work(jobs=[job(7, 7)]), more, HOME))
    assert spent["List the source"] + spent["List the destination"] == 190 + 500


def test_requests_for_tags_are_estimated_and_charged_as_they_were() -> None:
    manifests = listed(300, list_calls=1, tag_calls=1000)
    told = quantities(bill.estimate(run_of(tags={"a": "b"}), manifests, HOME))
    assert told["Ask for tags"] == 1000 + 700
    done, work = verified(list_calls=2, tag_calls=12), Work(jobs=[job(300, 300)])
    spent = quantities(bill.actual(run_of(tags={"a": "b"}), manifests, work, done, HOME))
    assert spent["Ask for tags"] == 1012

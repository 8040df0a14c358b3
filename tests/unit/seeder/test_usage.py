from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.listing.counting import Tally
from seeder.usage import Usage, expected

HERE: dict[str, Any] = {"source_region": "us-east-1", "destination_region": "us-east-1"}
THERE: dict[str, Any] = {"source_region": "us-east-1", "destination_region": "eu-west-1"}
GIB = 1024**3


def test_a_copy_is_one_job_a_task_and_a_write_for_each_object() -> None:
    usage = expected("copy", 2500, 10**9, list_calls=3, **HERE)
    assert (usage.jobs, usage.tasks) == (1, 2500)
    assert usage.copy_requests == {"STANDARD": 2500}
    assert usage.get_requests == {"STANDARD": 2500}
    assert usage.part_copies == 0


def test_both_buckets_are_listed_once_more_when_verified() -> None:
    verified = expected("copy", 100_000, 0, list_calls=104, **HERE)
    assert (verified.list_calls, verified.destination_list_calls) == (104 + 105, 105)
    unverified = expected("copy", 100_000, 0, list_calls=104, verify=False, **HERE)
    assert (unverified.list_calls, unverified.destination_list_calls) == (104, 0)
    assert expected("copy", 100_000, 0, verify=False, **HERE).list_calls == 105


def test_nothing_to_seed_needs_no_job() -> None:
    usage = expected("copy", 0, 0, classes={}, **THERE)
    assert (usage.jobs, usage.tasks, usage.copy_requests, usage.bytes_between_regions) == (0, 0, {}, 0)
    assert usage.list_calls > 0


def test_large_objects_are_a_job_of_their_own_in_a_copy_alone() -> None:
    large: dict[str, Any] = {"large": 2, "large_bytes": 20 * GIB}
    copy = expected("copy", 10, 30 * GIB, **large, **HERE)
    assert (copy.jobs, copy.tasks) == (2, 10)
    assert copy.part_copies == 20 * 128 + 2 + 2
    only_large = expected("copy", 2, 20 * GIB, **large, **HERE)
    assert only_large.jobs == 1
    replicate = expected("replicate", 10, 30 * GIB, **large, **HERE)
    assert replicate.jobs == 1
    assert replicate.lambda_gb_seconds < copy.lambda_gb_seconds


def test_an_object_has_at_most_10_000_parts() -> None:
    usage = expected("copy", 1, 50 * 1024 * GIB, large=1, large_bytes=50 * 1024 * GIB, **HERE)
    assert usage.part_copies == 10_000 + 1


def test_a_replica_is_written_in_the_class_of_its_source_and_a_copy_as_standard() -> None:
    classes = {"STANDARD": Tally(3, 30), "STANDARD_IA": Tally(2, 20)}
    replicated = expected("replicate", 5, 50, classes=classes, **HERE)
    assert replicated.copy_requests == {"STANDARD": 3, "STANDARD_IA": 2}
    copied = expected("copy", 5, 50, classes=classes, **HERE)
    assert copied.copy_requests == {"STANDARD": 5}
    assert copied.get_requests == {"STANDARD": 3, "STANDARD_IA": 2}
    assert copied.retrieved_bytes == {"STANDARD_IA": 20}


def test_archived_objects_cost_only_when_restored() -> None:
    archived = {"GLACIER": Tally(4, 400), "DEEP_ARCHIVE": Tally(1, 100)}
    left = expected("copy", 10, 10, archived=archived, **HERE)
    assert (left.jobs, left.tasks, left.restore_requests) == (1, 10, {})
    restored = expected("copy", 10, 10, archived=archived, restore_tier="BULK", **HERE)
    assert (restored.jobs, restored.tasks) == (2, 15)
    assert restored.restore_requests == {"GLACIER/BULK": 4, "DEEP_ARCHIVE/BULK": 1}
    assert restored.restore_bytes == {"GLACIER/BULK": 400, "DEEP_ARCHIVE/BULK": 100}


@pytest.mark.parametrize(
    ("size", "regions", "between", "known"),
    [(77, HERE, 0, True), (77, THERE, 77, True), (None, HERE, 0, True), (None, THERE, 0, False)],
)
def test_bytes_are_transferred_only_between_regions(
    size: int | None, regions: dict[str, Any], between: int, known: bool
) -> None:
    usage = expected("copy", 5, size, **regions)
    assert (usage.bytes_between_regions, usage.bytes_known) == (between, known)


counts = st.integers(0, 10**12)
by_name = st.dictionaries(st.sampled_from(["STANDARD", "STANDARD_IA", "GLACIER_IR"]), counts)
usages = st.builds(
    Usage,
    list_calls=counts,
    tasks=counts,
    copy_requests=by_name,
    get_requests=by_name,
    bytes_between_regions=counts,
    bytes_known=st.booleans(),
)


@given(usages, usages)
def test_usages_add_up(one: Usage, other: Usage) -> None:
    both = one + other
    assert both == other + one
    assert both.tasks == one.tasks + other.tasks
    for name in {*one.copy_requests, *other.copy_requests}:
        assert both.copy_requests[name] == one.copy_requests.get(name, 0) + other.copy_requests.get(name, 0)
    assert both.bytes_known == (one.bytes_known and other.bytes_known)


def test_nothing_added_changes_nothing() -> None:
    usage = expected("copy", 10, 20, **THERE)
    assert usage + Usage() == usage


def test_a_usage_survives_json() -> None:
    usage = expected("replicate", 10, 20, **THERE)
    assert Usage.model_validate_json(usage.model_dump_json()) == usage


def test_what_filters_leave_out_is_listed_all_the_same_when_verified() -> None:
    usage = expected("copy", 5, 5, list_calls=1000, **HERE)
    assert (usage.list_calls, usage.destination_list_calls) == (2000, 1000)


def test_a_resync_lists_both_buckets_before_and_where_there_was_something_to_seed_after() -> None:
    given: dict[str, Any] = {"list_calls": 100, "destination_list_calls": 90, "looked_at": 90_000, **HERE}
    seeded = expected("copy", 5, 5, **given)
    assert (seeded.list_calls, seeded.destination_list_calls) == (200, 190)
    equal = expected("copy", 0, 0, verify=False, looks=0, classes={}, **given)
    assert (equal.list_calls, equal.destination_list_calls, equal.jobs, equal.tasks) == (100, 90, 0, 0)
    assert equal.lambda_requests < seeded.lambda_requests


def test_each_object_is_asked_for_its_tags_and_once_more_where_it_is_lacking_still() -> None:
    usage = expected("copy", 300, 0, tag_requests=1000, looked_at=1000, **HERE)
    assert usage.tag_requests == 1000 + 700
    assert expected("copy", 300, 0, tag_requests=1000, verify=False, **HERE).tag_requests == 1000
    plain = expected("copy", 300, 0, looked_at=1000, **HERE)
    assert plain.tag_requests == 0
    assert plain.lambda_gb_seconds < usage.lambda_gb_seconds

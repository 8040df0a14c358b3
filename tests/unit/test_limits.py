"""Every limit of AWS that a run could hit: where the code keeps it, and the tests that hold it at its edge.

Where a limit can be hit by what is asked, the request is refused, in a sentence that names the limit and what to do,
before anything is changed; where it can be hit by what a bucket holds, the run goes on in the next file, job or call,
or ends with a record that says so.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from samtranslator.yaml_helper import yaml_parse

from seeder.clients import Clients
from seeder.errors import InvalidRequest
from seeder.fleet.request import MOST_BYTES, MOST_PAIRS
from seeder.triggers import resolve as resolve_with

TESTS = Path(__file__).parents[1]
NO_CLIENTS = cast("Clients", None)
KIB, MIB, GIB = 1024, 1024**2, 1024**3


class Limit(NamedTuple):
    """A limit of AWS: its source, where the code keeps it (module:name, and the value there), and its tests."""

    what: str
    source: str
    kept_by: dict[str, object]
    tests: tuple[str, ...]


LIMITS = (
    Limit(
        "256 KiB of a state's input or output",
        "Step Functions developer guide, Service quotas",
        {"seeder.manifest:MOST_STATE_BYTES": 56 * KIB, "seeder.verify:MOST_RANGE_BYTES": 48 * KIB},
        (
            "integration/test_manifest.py::test_what_a_call_leaves_for_the_next_is_small",
            "integration/test_load.py::"
            "test_state_and_history_of_a_cut_run_stay_within_what_an_execution_may_have",
            "unit/seeder/test_work.py::test_the_largest_work_leaves_room_in_the_state_of_an_execution",
            "unit/seeder/test_triggers.py::test_the_largest_fleet_passes_through_the_states_of_an_execution",
            "e2e/test_causes.py::"
            "test_a_document_that_is_too_large_ends_the_run_with_a_record_and_gives_the_pair_back",
        ),
    ),
    Limit(
        "256 KiB of an SNS message or an event, 100 characters of a subject",
        "SNS API reference, Publish; EventBridge user guide, PutEvents",
        {},
        (
            "unit/seeder/test_record.py::"
            "test_the_largest_record_is_far_below_what_a_state_a_message_or_an_event_may_be",
            "unit/seeder/test_record.py::test_the_subject_suits_sns",
        ),
    ),
    Limit(
        "25,000 events of an execution, which lasts a year at most",
        "Step Functions developer guide, Service quotas",
        {"seeder.endurance:MOST_TURNS": 800, "localcloud.execution_history:MOST_EVENTS": 25_000},
        (
            "unit/seeder/test_endurance.py::"
            "test_the_last_call_that_a_run_may_make_goes_on_and_the_next_is_refused_with_what_to_do",
            "unit/seeder/test_endurance.py::test_all_that_a_run_may_do_stays_below_the_events_of_a_history",
            "unit/seeder/test_jobs_pace.py::test_a_steady_job_is_looked_at_seldom_and_its_end_seen_in_time",
            "e2e/test_limits.py::test_a_bucket_that_one_run_cannot_list_is_said_so_and_no_job_is_made",
            "e2e/test_limits.py::test_a_job_of_thirty_days_has_fewer_than_a_thousand_events",
            "integration/localcloud/test_stepfunctions.py::"
            "test_an_execution_with_more_events_fails_and_nothing_catches_it",
        ),
    ),
    Limit(
        "80 characters of an execution's name",
        "Step Functions API reference, StartExecution",
        {"seeder.naming:LONGEST_NAME": 80},
        ("unit/seeder/test_naming.py::test_a_name_suits_step_functions_and_is_derived",),
    ),
    Limit(
        "900 s and 10,240 MB of a function, 6 MB of its answer",
        "Lambda developer guide, Quotas",
        {"localcloud.lambda_runtime.outcome:RESPONSE_BYTES": 6_291_556},
        (
            "unit/test_limits.py::test_functions_have_the_time_and_memory_that_lambda_gives",
            "integration/localcloud/test_processes.py::"
            "test_a_process_that_dies_or_outgrows_its_limits_is_told_and_replaced",
        ),
    ),
    Limit(
        "10,000 parts of 5 MiB to 5 GiB",
        "S3 User Guide, Amazon S3 multipart upload limits",
        {"seeder.sink:MOST_PARTS": 10_000, "seeder.lake.multipart:MOST_PARTS": 10_000},
        (
            "integration/test_manifest.py::test_ten_thousand_parts_hold_terabytes",
            "integration/test_manifest.py::test_a_file_whose_parts_are_used_up_is_followed_by_another",
            "unit/seeder/large/test_plan.py::test_the_largest_object_has_ten_thousand_parts_of_5_gib",
            "unit/seeder/large/test_plan.py::test_one_byte_more_is_refused",
            "unit/seeder/lake/test_multipart.py::test_what_would_need_too_many_parts_has_larger_ones",
        ),
    ),
    Limit(
        "5 GiB of an object in a copy",
        "S3 User Guide, Copy objects",
        {"seeder.listing.selection:LARGEST_COPY": 5 * GIB},
        ("unit/seeder/listing/test_page.py::test_large_and_archived_objects_are_set_apart",),
    ),
    Limit(
        "1,024 bytes of a key",
        "S3 User Guide, Naming Amazon S3 objects",
        {"seeder.request.values:_KEY_BYTES": 1024, "seeder.lake.entry:MOST_KEY_BYTES": 1024},
        ("unit/seeder/request/test_request.py::test_bad_input_names_the_field_the_value_and_the_fix",),
    ),
    Limit(
        "10,240 characters of a role's own policies, 6,144 of a managed one, 2,048 of a trust policy",
        "IAM User Guide, IAM and AWS STS quotas",
        {"seeder.roles.policies:MOST_PREFIX_CHARACTERS": 128},
        (
            "unit/seeder/roles/test_policies.py::"
            "test_all_policies_of_a_role_fit_in_it_however_long_its_prefix",
            "e2e/test_limits.py::test_all_policies_are_within_what_iam_and_s3_take_however_long_the_names",
        ),
    ),
    Limit(
        "20 KiB of a bucket policy",
        "S3 User Guide, Bucket policies",
        {"seeder.lake.policies:MOST_BYTES": 20 * KIB},
        ("unit/seeder/lake/test_policies.py::test_a_policy_that_s3_would_not_take_is_refused",),
    ),
    Limit(
        "1,000 rules of a replication configuration",
        "S3 API reference, PutBucketReplication",
        {"seeder.replication.adding:MOST_RULES": 1000, "seeder.replication.adding:USUAL_DESTINATIONS": 28},
        ("unit/seeder/replication/test_merging.py::test_no_rule_is_added_to_as_many_as_s3_allows",),
    ),
    Limit(
        "20 billion objects of a job, 4 billion of a restoration",
        "S3 User Guide, Performing object operations in bulk with Batch Operations",
        {"seeder.manifest:LIMITS": (20_000_000_000, 20_000_000_000, 4_000_000_000)},
        ("integration/test_manifest.py::test_a_manifest_goes_on_in_the_next_file_where_a_job_takes_no_more",),
    ),
    Limit(
        "6 active jobs of an account; a job is kept for 90 days, and suspended for 30",
        "S3 User Guide, Managing S3 Batch Operations jobs",
        {},
        (
            "e2e/test_jobs.py::test_a_run_waits_its_turn_where_the_account_has_as_many_jobs_as_it_may",
            "e2e/test_jobs.py::test_a_job_that_vanished_fails_the_run_and_is_named",
            "e2e/test_jobs.py::test_a_job_that_is_suspended_too_long_fails_the_run",
            "unit/seeder/test_work.py::test_a_turn_is_awaited_longer_and_longer_and_never_given_up",
        ),
    ),
    Limit(
        "what CreateJob takes: 256 characters of a description, tags of 128 and 256",
        "S3 API reference, CreateJob",
        {},
        ("unit/seeder/test_jobs.py::test_the_longest_run_id_suits_the_model",),
    ),
    Limit(
        "500 pairs and 160 KiB of a fleet, by its history and its states",
        "Step Functions developer guide, Service quotas",
        {"seeder.fleet.request:MOST_PAIRS": 500, "seeder.fleet.request:MOST_BYTES": 160 * KIB},
        (
            "unit/test_limits.py::test_a_fleet_takes_as_many_pairs_as_it_may_and_not_one_more",
            "unit/test_limits.py::test_a_fleet_takes_as_many_bytes_as_it_may_and_not_one_more",
            "unit/test_limits.py::test_the_largest_fleet_stays_below_the_events_of_a_history",
        ),
    ),
)


@cache
def defined_in(path: str) -> set[str]:
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.what)
def test_every_limit_is_kept_by_the_code_and_has_tests_at_its_edge(limit: Limit) -> None:
    for place, value in limit.kept_by.items():
        module, _, name = place.partition(":")
        assert getattr(import_module(module), name) == value, place
    assert limit.tests
    for test in limit.tests:
        path, _, name = test.partition("::")
        assert name in defined_in(path), test


# ── what no other test holds ──


def resolve(pairs: list[dict[str, Any]]) -> list[Any]:
    return resolve_with({"pairs": pairs}, "fleet", NO_CLIENTS, "state")


def pairs_of(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"source": f"source-{n}", "destination": f"destination-{n}", **fields} for n in range(count)]


def test_a_fleet_takes_as_many_pairs_as_it_may_and_not_one_more() -> None:
    assert len(resolve(pairs_of(MOST_PAIRS))) == MOST_PAIRS
    told = rf"^pairs: {MOST_PAIRS + 1} pairs of \d+ bytes are too many for one fleet, which takes 500 and"
    with pytest.raises(InvalidRequest, match=told) as refused:
        resolve(pairs_of(MOST_PAIRS + 1))
    assert str(refused.value).endswith("start several")


def test_a_fleet_takes_as_many_bytes_as_it_may_and_not_one_more() -> None:
    def fleet(most: int) -> list[dict[str, Any]]:
        """Three hundred pairs, with so many characters of prefixes in all."""
        return [
            pair | {"prefix": "p" * (most // 300 + (n < most % 300))} for n, pair in enumerate(pairs_of(300))
        ]

    with pytest.raises(InvalidRequest, match=r"^pairs: 300 pairs of (\d+) bytes are too many") as refused:
        resolve(fleet(MOST_BYTES))
    fits = 2 * MOST_BYTES - int(str(refused.value).split()[4])
    assert len(resolve(fleet(fits))) == 300
    with pytest.raises(
        InvalidRequest, match=f"300 pairs of {MOST_BYTES + 1} bytes .* and {MOST_BYTES}; start"
    ):
        resolve(fleet(fits + 1))


def test_the_largest_fleet_stays_below_the_events_of_a_history() -> None:
    """A pair that is seeded has fourteen events, and each of ten times that its start is throttled has three more."""
    each, around = 14, 40
    assert MOST_PAIRS * (each + 10 * 3) + around < 25_000


TEMPLATE = TESTS.parent / "template.yaml"


def test_functions_have_the_time_and_memory_that_lambda_gives() -> None:
    template = yaml_parse(TEMPLATE.read_text("utf-8"))
    common = template["Globals"]["Function"]
    functions = [
        common | resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    assert len(functions) > 10
    for function in functions:
        assert function["Timeout"] <= 900
        assert 128 <= function["MemorySize"] <= 10_240

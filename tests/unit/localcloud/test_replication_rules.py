from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.replication.configuration import destination_bucket
from localcloud.replication.rules import Subject, for_changes, matching
from tests.unit.localcloud.replication_world import rule, v1_rule

RED = {"Key": "team", "Value": "red"}
COLD = {"Key": "tier", "Value": "cold"}


def chosen(subject: Subject, *rules: dict[str, Any]) -> list[str]:
    return [item["ID"] for item in matching({"Role": "r", "Rules": list(rules)}, subject)]


@pytest.mark.parametrize(
    ("condition", "subject", "expected"),
    [
        ({}, Subject("any"), True),
        ({"Prefix": ""}, Subject("any"), True),
        ({"Prefix": "a/"}, Subject("a/b"), True),
        ({"Prefix": "a/"}, Subject("b/a/"), False),
        ({"Tag": RED}, Subject("k", {"team": "red", "more": "x"}), True),
        ({"Tag": RED}, Subject("k", {"team": "blue"}), False),
        ({"Tag": RED}, Subject("k"), False),
        (
            {"And": {"Prefix": "a/", "Tags": [RED, COLD]}},
            Subject("a/b", {"team": "red", "tier": "cold"}),
            True,
        ),
        ({"And": {"Prefix": "a/", "Tags": [RED, COLD]}}, Subject("a/b", {"team": "red"}), False),
        ({"And": {"Prefix": "a/", "Tags": [RED]}}, Subject("b", {"team": "red"}), False),
        ({"And": {"Tags": [RED]}}, Subject("b", {"team": "red"}), True),
    ],
)
def test_a_filter_selects_by_prefix_and_all_its_tags(
    condition: dict[str, Any], subject: Subject, expected: bool
) -> None:
    assert bool(chosen(subject, rule(Filter=condition))) is expected


def test_a_v1_rule_selects_by_its_own_prefix() -> None:
    assert chosen(Subject("logs/x"), v1_rule("logs/"), v1_rule("data/")) == ["v1-logs/"]


def test_a_disabled_rule_selects_nothing() -> None:
    assert not chosen(Subject("k"), rule(Status="Disabled"))


def test_of_two_rules_with_one_destination_the_higher_priority_wins() -> None:
    assert chosen(Subject("k"), rule(priority=7), rule(priority=3)) == ["dst-7"]


def test_a_rule_that_does_not_match_wins_nothing_by_its_priority() -> None:
    assert chosen(Subject("k"), rule(priority=3), rule(priority=7, Filter={"Prefix": "other/"})) == ["dst-3"]


def test_each_destination_has_its_own_rule() -> None:
    assert set(chosen(Subject("k"), rule("a", 1), rule("b", 2), rule("a", 3))) == {"a-3", "b-2"}


@pytest.mark.parametrize(
    ("one", "expected"), [(rule(markers=True), True), (rule(markers=False), False), (v1_rule(), True)]
)
def test_delete_markers_are_replicated_where_the_rule_or_its_schema_says_so(
    one: dict[str, Any], expected: bool
) -> None:
    assert bool(chosen(Subject("k", delete_marker=True), one)) is expected


def test_delete_markers_are_not_replicated_by_tag_rules() -> None:
    assert not chosen(Subject("k", delete_marker=True), rule(Filter={"Tag": RED}))


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_archived_objects_are_not_replicated(storage_class: str) -> None:
    assert not chosen(Subject("k", storage_class=storage_class), rule())


def test_objects_for_instant_retrieval_are_replicated() -> None:
    assert chosen(Subject("k", storage_class="GLACIER_IR"), rule())


def test_kms_objects_need_the_rule_to_say_so() -> None:
    criteria = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}

    assert not chosen(Subject("k", kms=True), rule())
    assert chosen(Subject("k", kms=True), rule(SourceSelectionCriteria=criteria))


@pytest.mark.parametrize(
    ("of_replica", "status", "expected"),
    [
        (False, "Disabled", True),
        (True, "Disabled", False),
        (True, "Enabled", True),
    ],
)
def test_changes_on_replicas_go_on_only_with_replica_modifications(
    of_replica: bool, status: str, expected: bool
) -> None:
    one = rule(SourceSelectionCriteria={"ReplicaModifications": {"Status": status}})
    config = {"Role": "r", "Rules": [one]}

    found = for_changes(config, "k", of_replica=of_replica, holds=lambda bucket: True)

    assert bool(found) is expected


def test_changes_go_only_where_the_version_is() -> None:
    config = {"Role": "r", "Rules": [rule("a", 1), rule("b", 2)]}

    found = for_changes(config, "k", of_replica=False, holds=lambda bucket: bucket == "b")

    assert [destination_bucket(item) for item in found] == ["b"]


KEYS = st.text("ab/", max_size=5)
RULES = st.lists(
    st.builds(
        lambda destination, priority, prefix, on: rule(
            destination, priority, Filter={"Prefix": prefix}, Status="Enabled" if on else "Disabled"
        ),
        st.sampled_from(["one", "two"]),
        st.integers(0, 9),
        KEYS,
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda item: item["Priority"],
)


@given(RULES, KEYS)
def test_every_destination_gets_the_highest_priority_of_its_enabled_matching_rules(
    rules: list[dict[str, Any]], key: str
) -> None:
    expected: dict[str, int] = {}
    for item in rules:
        if item["Status"] == "Enabled" and key.startswith(item["Filter"]["Prefix"]):
            bucket = destination_bucket(item)
            expected[bucket] = max(expected.get(bucket, -1), item["Priority"])

    found = matching({"Role": "r", "Rules": rules}, Subject(key))

    assert {destination_bucket(item): item["Priority"] for item in found} == expected

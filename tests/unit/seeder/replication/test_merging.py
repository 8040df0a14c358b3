from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.buckets import Bucket
from seeder.errors import InvalidRequest
from seeder.replication import Rule, merged, parse_rule
from seeder.replication.adding import HIGHEST_PRIORITY, MOST_RULES, free_priority
from seeder.run import Run
from tests.runs import EUROPE, run_of

ROLE = "arn:aws:iam::123456789012:role/ours"
KEY = f"arn:aws:kms:{EUROPE}:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"


def asked(**fields: Any) -> Run:
    return run_of("replicate", enable_replication=True, **fields)


def abroad(**fields: Any) -> Run:
    """The same for a destination of another account."""
    destination = Bucket(name="destination", region=EUROPE, versioning="Enabled", is_ours=False)
    return asked(**fields).model_copy(update={"destination": destination})


def rule(**members: Any) -> dict[str, Any]:
    return {
        "ID": "r",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": "x/"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::elsewhere"},
        **members,
    }


def made(run: Run, *others: dict[str, Any]) -> dict[str, Any]:
    """Return the rule that a run adds to others."""
    added: dict[str, Any] = merged({"Role": "theirs", "Rules": list(others)}, run, ROLE)["Rules"][-1]
    return added


def test_merging_adds_one_rule_and_leaves_the_others_alone() -> None:
    there = {"Role": "theirs", "Rules": [rule(Priority=7)]}
    result = merged(there, asked(prefix="logs/"), ROLE)
    assert result["Role"] == "theirs"
    assert result["Rules"][:-1] == there["Rules"] == [rule(Priority=7)]
    added = result["Rules"][-1]
    assert (added["Priority"], added["Filter"], added["Status"]) == (8, {"Prefix": "logs/"}, "Enabled")
    assert parse_rule(added).covers("destination", "logs/a")


def test_merging_into_nothing_takes_our_role() -> None:
    result = merged({}, asked(), ROLE)
    assert result["Role"] == ROLE
    assert [added["Priority"] for added in result["Rules"]] == [1]


def test_merging_into_the_old_schema_is_refused() -> None:
    old = {"ID": "r", "Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::elsewhere"}}
    with pytest.raises(InvalidRequest, match=r"^enable_replication: .*old schema"):
        made(asked(), old)


def test_without_options_a_rule_is_plain() -> None:
    added = made(asked())
    assert added.pop("ID").startswith("seeder-")
    assert added == {
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": "arn:aws:s3:::destination"},
    }


@pytest.mark.parametrize(
    ("fields", "selection", "markers"),
    [
        ({"prefix": "a/"}, {"Prefix": "a/"}, "Enabled"),
        ({"replicate_delete_markers": False}, {"Prefix": ""}, "Disabled"),
        ({"tags": {"k": "v"}}, {"Tag": {"Key": "k", "Value": "v"}}, "Disabled"),
        (
            {"prefix": "a/", "tags": {"k": "v"}},
            {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
            "Disabled",
        ),
        (
            {"tags": {"k": "v", "l": ""}},
            {"And": {"Tags": [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": ""}]}},
            "Disabled",
        ),
    ],
)
def test_prefix_and_tags_are_the_filter_and_tags_exclude_delete_markers(
    fields: dict[str, Any], selection: dict[str, Any], markers: str
) -> None:
    added = made(asked(**fields))
    assert added["Filter"] == selection
    assert added["DeleteMarkerReplication"] == {"Status": markers}


def test_a_kms_key_also_selects_what_is_encrypted() -> None:
    added = made(asked(replica_kms_key=KEY))
    assert added["SourceSelectionCriteria"] == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    assert added["Destination"]["EncryptionConfiguration"] == {"ReplicaKmsKeyID": KEY}


def test_a_kms_key_of_another_region_is_refused() -> None:
    key = KEY.replace(EUROPE, "us-west-2")
    with pytest.raises(InvalidRequest, match=rf"^replica_kms_key: .*in us-west-2, .*in {EUROPE}; give"):
        made(asked(replica_kms_key=key))


def test_time_control_comes_with_its_metrics() -> None:
    destination = made(asked(replication_time_control=True))["Destination"]
    assert destination["ReplicationTime"] == {"Status": "Enabled", "Time": {"Minutes": 15}}
    assert destination["Metrics"] == {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}


def test_replicas_have_the_storage_class_asked_for() -> None:
    assert made(asked(replica_storage_class="GLACIER_IR"))["Destination"]["StorageClass"] == "GLACIER_IR"


def test_the_owner_of_a_destination_abroad_owns_the_replicas() -> None:
    destination = made(abroad(replica_owner="destination", destination_account="999988887777"))["Destination"]
    assert destination["Account"] == "999988887777"
    assert destination["AccessControlTranslation"] == {"Owner": "Destination"}


def test_within_one_account_there_is_no_owner_to_change() -> None:
    assert made(asked(replica_owner="destination"))["Destination"] == {"Bucket": "arn:aws:s3:::destination"}


@pytest.mark.parametrize(
    ("account", "told"), [("", "missing"), ("123456789012", "'123456789012' is this account")]
)
def test_an_owner_abroad_must_be_named(account: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^destination_account: {told}, and 'destination' belongs to"):
        made(abroad(replica_owner="destination", destination_account=account))


def test_an_id_is_of_the_destination_the_prefix_and_the_tags_alone() -> None:
    same = {made(asked(prefix="p", **more))["ID"] for more in ({}, {"replica_storage_class": "STANDARD_IA"})}
    scopes: tuple[dict[str, Any], ...] = (
        {},
        {"prefix": "p"},
        {"tags": {"p": ""}},
        {"tags": {"p": "q"}},
        {"prefix": "p\nq"},
        {"prefix": "p\0q"},
    )
    assert len(same) == 1
    assert len({made(asked(**scope))["ID"] for scope in scopes}) == len(scopes)


def test_no_rule_is_added_to_as_many_as_s3_allows() -> None:
    full = [rule(ID=str(number), Priority=number) for number in range(MOST_RULES)]
    assert len(merged({"Role": "theirs", "Rules": full[1:]}, asked(), ROLE)["Rules"]) == MOST_RULES
    with pytest.raises(
        InvalidRequest, match=r"^enable_replication: 'source' has 1000 replication rules, as many"
    ):
        made(asked(), *full)


def test_our_own_rule_that_was_disabled_is_not_enabled_again() -> None:
    ours = made(asked()) | {"Status": "Disabled"}
    with pytest.raises(
        InvalidRequest, match=rf"^enable_replication: rule '{ours['ID']}' .*disabled or changed"
    ):
        made(asked(), ours)


def test_a_role_of_ones_own_must_be_the_one_that_the_rules_have() -> None:
    theirs = ROLE.replace("ours", "theirs")
    there = {"Role": theirs, "Rules": [rule()]}
    assert merged(there, asked(replication_role_arn=theirs), theirs)["Role"] == theirs
    with pytest.raises(InvalidRequest, match=rf"^replication_role_arn: '{ROLE}' can't be used: .*{theirs}"):
        merged(there, asked(replication_role_arn=ROLE), ROLE)


def at(*priorities: int, destination: str = "elsewhere") -> list[Rule]:
    return [Rule(str(number), destination, "", True, priority=number) for number in priorities]


@pytest.mark.parametrize(
    ("rules", "priority"),
    [
        ([], 1),
        (at(0), 1),
        (at(7, 7, 3), 8),
        (at(HIGHEST_PRIORITY), HIGHEST_PRIORITY - 1),
        (at(HIGHEST_PRIORITY, HIGHEST_PRIORITY - 1), HIGHEST_PRIORITY - 2),
        (at(5, destination="mine"), 4),
        (at(5, 4, destination="mine"), 3),
        (at(9, 4) + at(5, destination="mine"), 3),
        (at(0, destination="mine"), 1),
        (at(1, destination="mine") + at(0, 2), 3),
    ],
)
def test_a_priority_is_free_and_lets_the_rules_of_the_destination_decide(
    rules: list[Rule], priority: int
) -> None:
    assert free_priority(rules, "mine") == priority


priorities = st.one_of(st.integers(0, 6), st.integers(HIGHEST_PRIORITY - 3, HIGHEST_PRIORITY))


@given(st.lists(priorities, max_size=6), st.lists(priorities, max_size=6))
def test_a_priority_never_collides_nor_leaves_its_bounds(others: list[int], rivals: list[int]) -> None:
    found = free_priority(at(*others) + at(*rivals, destination="mine"), "mine")
    assert 0 <= found <= HIGHEST_PRIORITY
    assert found not in {*others, *rivals}
    if rivals and any(number not in others for number in range(min(rivals))):
        assert found < min(rivals)

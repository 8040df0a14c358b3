from __future__ import annotations

from typing import Any

import pytest

from seeder.errors import InvalidRequest
from seeder.replication import Rule, merged, parse_rule


def rule(**members: Any) -> dict[str, Any]:
    return {"ID": "r", "Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::replica"}, **members}


@pytest.mark.parametrize(
    ("document", "prefix", "by_tag"),
    [
        (rule(Prefix="old/"), "old/", False),
        (rule(Filter={}), "", False),
        (rule(Filter={"Prefix": "new/"}), "new/", False),
        (rule(Filter={"Tag": {"Key": "k", "Value": "v"}}), "", True),
        (rule(Filter={"And": {"Prefix": "both/", "Tags": [{"Key": "k", "Value": "v"}]}}), "both/", True),
        (rule(Filter={"And": {"Prefix": "p/"}}), "p/", False),
    ],
)
def test_rules_of_both_schemas_are_understood(document: dict[str, Any], prefix: str, by_tag: bool) -> None:
    parsed = parse_rule(document)
    assert parsed == Rule("r", "replica", prefix, enabled=True, filters_by_tag=by_tag)


def test_a_rule_covers_the_prefixes_under_its_own() -> None:
    parsed = parse_rule(rule(Filter={"Prefix": "logs/"}))
    assert parsed.covers("replica", "logs/2024/")
    assert not parsed.covers("replica", "")
    assert not parsed.covers("other", "logs/")
    assert not parse_rule(rule(Status="Disabled")).covers("replica", "")


def test_merging_adds_one_rule_and_leaves_the_others_alone() -> None:
    there = {"Role": "theirs", "Rules": [rule(ID="a", Priority=7, Filter={"Prefix": "x/"})]}
    result = merged(there, "ours", "replica2", "logs/")
    assert result["Role"] == "theirs"
    assert result["Rules"][0] == there["Rules"][0]
    added = result["Rules"][1]
    assert (added["Priority"], added["Filter"], added["Status"]) == (8, {"Prefix": "logs/"}, "Enabled")
    assert parse_rule(added).covers("replica2", "logs/a")


def test_merging_into_nothing_takes_our_role() -> None:
    assert merged({}, "ours", "replica", "")["Role"] == "ours"


def test_merging_into_the_old_schema_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^enable_replication: .*old schema"):
        merged({"Rules": [rule(Prefix="")]}, "ours", "replica", "")


def test_an_added_rule_has_the_same_id_each_time() -> None:
    first, second = (merged({}, "r", "replica", "p")["Rules"][0]["ID"] for _ in range(2))
    assert first == second

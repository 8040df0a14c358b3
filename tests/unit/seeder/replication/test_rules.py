from __future__ import annotations

from typing import Any

import pytest

from seeder.replication import Rule, Scope, parse_rule


def rule(**members: Any) -> dict[str, Any]:
    return {"ID": "r", "Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::replica"}, **members}


TAG, OTHER = {"Key": "k", "Value": "v"}, {"Key": "a", "Value": "b=c"}


@pytest.mark.parametrize(
    ("document", "prefix", "tags"),
    [
        (rule(Prefix="old/"), "old/", ()),
        (rule(Filter={}), "", ()),
        (rule(Filter={"Prefix": "new/"}), "new/", ()),
        (rule(Filter={"Tag": TAG}), "", (("k", "v"),)),
        (
            rule(Filter={"And": {"Prefix": "both/", "Tags": [TAG, OTHER]}}),
            "both/",
            (("a", "b=c"), ("k", "v")),
        ),
        (rule(Filter={"And": {"Prefix": "p/"}}), "p/", ()),
        (rule(Filter={"And": {"Tags": [TAG]}}), "", (("k", "v"),)),
    ],
)
def test_rules_of_both_schemas_are_understood(
    document: dict[str, Any], prefix: str, tags: tuple[tuple[str, str], ...]
) -> None:
    parsed = parse_rule(document)
    assert parsed == Rule("r", "replica", prefix, enabled=True, tags=tags)
    assert parsed.filters_by_tag is bool(tags)
    assert parsed.scope == Scope("replica", prefix, frozenset(tags), kms=False)


def test_priority_and_the_choice_of_encrypted_objects_are_read() -> None:
    criteria = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    assert parse_rule(rule(Filter={}, Priority=7, SourceSelectionCriteria=criteria)) == Rule(
        "r", "replica", "", enabled=True, priority=7, kms=True
    )
    criteria = {"SseKmsEncryptedObjects": {"Status": "Disabled"}}
    assert not parse_rule(rule(Filter={}, SourceSelectionCriteria=criteria)).kms
    assert not parse_rule(rule(Filter={}, SourceSelectionCriteria={"ReplicaModifications": {}})).kms


def test_a_rule_covers_the_prefixes_under_its_own() -> None:
    parsed = parse_rule(rule(Filter={"Prefix": "logs/"}))
    assert parsed.covers("replica", "logs/2024/")
    assert not parsed.covers("replica", "")
    assert not parsed.covers("other", "logs/")
    assert not parse_rule(rule(Status="Disabled")).covers("replica", "")


def test_a_rule_with_tags_covers_what_asks_for_them_and_no_more() -> None:
    parsed = parse_rule(rule(Filter={"And": {"Prefix": "p", "Tags": [TAG]}}))
    assert parsed.covers("replica", "p", {"k": "v"})
    assert parsed.covers("replica", "p", {"k": "v", "more": ""})
    assert not parsed.covers("replica", "p")
    assert not parsed.covers("replica", "p", {"k": "w"})
    assert parse_rule(rule(Filter={})).covers("replica", "p", {"k": "v"})


def test_a_scope_without_encrypted_objects_does_not_include_one_with_them() -> None:
    plain, encrypted = (Scope("replica", "", frozenset(), kms) for kms in (False, True))
    assert encrypted.includes(plain)
    assert not plain.includes(encrypted)

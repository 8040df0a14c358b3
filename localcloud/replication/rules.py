"""Which rules of a configuration apply to an object: pure functions over what the object is.

Contract: S3 User Guide, "What does Amazon S3 replicate?", "Replication configuration file elements" and
"Replicating delete markers between buckets".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localcloud.replication import configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from localcloud.replication.configuration import Configuration, Rule

ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects are not replicated."""


@dataclass(frozen=True)
class Subject:
    """What rules look at: one version of an object, or a delete marker."""

    key: str
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    kms: bool = False
    delete_marker: bool = False

    @property
    def eligible(self) -> bool:
        """Whether it can be replicated at all."""
        return self.delete_marker or self.storage_class not in ARCHIVED


def matching(config: Configuration, subject: Subject) -> list[Rule]:
    """Return the enabled rules that replicate a subject: for each destination, that of highest priority."""
    return _one_for_each_destination(rule for rule in config["Rules"] if _applies(rule, subject))


def for_changes(
    config: Configuration, key: str, *, of_replica: bool, holds: Callable[[str], bool]
) -> list[Rule]:
    """Return the rules that carry a change of tags or ACL on to destinations that hold the version already.

    Changes on a replica go on only where the rule says so (ReplicaModifications).
    """
    return _one_for_each_destination(
        rule
        for rule in config["Rules"]
        if _covers(rule, key)
        and (not of_replica or configuration.replicates_replica_changes(rule))
        and holds(configuration.destination_bucket(rule))
    )


def _covers(rule: Rule, key: str) -> bool:
    return bool(rule["Status"] == "Enabled") and key.startswith(configuration.filter_prefix(rule))


def _applies(rule: Rule, subject: Subject) -> bool:
    if not (_covers(rule, subject.key) and subject.eligible):
        return False
    if subject.delete_marker:
        return configuration.replicates_delete_markers(rule)
    if subject.kms and not configuration.replicates_kms(rule):
        return False
    return all(subject.tags.get(tag["Key"]) == tag["Value"] for tag in configuration.filter_tags(rule))


def _one_for_each_destination(rules: Iterable[Rule]) -> list[Rule]:
    chosen: dict[str, Rule] = {}
    for rule in sorted(rules, key=lambda rule: rule.get("Priority", 0)):
        chosen[configuration.destination_bucket(rule)] = rule
    return list(chosen.values())

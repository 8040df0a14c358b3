"""What the source's replication rules do for a pair.

Contracts: S3 User Guide, "Replication configuration file elements", "Replicating encrypted objects", "Replicating
delete markers between buckets", "Troubleshooting replication" (a job that replicates obeys every rule of the source).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from seeder_cli.checks.bucket import region_of
from seeder_cli.checks.finding import Check, Verdict, miss, ok, warning
from seeder_cli.checks.pair import Held, Pair

GROUP = "Replication rules"
_MATTERS = ("Destination", "DeleteMarkerReplication", "SourceSelectionCriteria")


def rule_checks(pair: Pair) -> Iterator[Check]:
    """Yield the checks of the rules."""
    for name, look in (
        ("covers", covers),
        ("kms-objects", kms_objects),
        ("delete-markers", delete_markers),
        ("priorities", priorities),
        ("other-destinations", other_destinations),
    ):
        yield Check(GROUP, name, partial(look, pair))


def covers(pair: Pair) -> Verdict:
    """Whether a rule replicates what is written from now on."""
    destination, asked = pair.destination.name, shown(pair.prefix)
    if covering := pair.covering():
        return ok(f"rule '{covering.rule.id}' replicates {shown(covering.rule.prefix)} to {destination}")
    rules = [held.rule for held in pair.rules() if held.rule.destination == destination]
    disabled = [rule for rule in rules if replace(rule, enabled=True).covers(destination, pair.prefix)]
    if disabled:
        return miss(
            f"rule '{disabled[0].id}' to {destination} is Disabled",
            f"enable it (console: bucket {pair.source.name}, Management, Replication rules)",
        )
    narrower = [rule for rule in rules if rule.enabled]
    if narrower:
        rule = narrower[0]
        part = f"{shown(rule.prefix)}{' with certain tags' if rule.filters_by_tag else ''}"
        return warning(
            f"rule '{rule.id}' replicates only {part} to {destination}: a run for {asked} copies current versions",
            "ask for the rule's own prefix, or widen the rule",
        )
    return warning(
        f"no rule replicates to {destination}: a run copies current versions, and what is written later is not "
        "replicated",
        'start the run with "enable_replication": true, or add a rule yourself',
    )


def kms_objects(pair: Pair) -> Verdict | None:
    """Whether objects encrypted by KMS are replicated too."""
    covering = pair.covering()
    if covering is None:
        return None
    if not pair.source.encryption().is_kms:
        return ok(f"{pair.source.name} does not encrypt by KMS by default")
    if covering.rule.kms:
        return ok(f"rule '{covering.rule.id}' replicates objects encrypted by KMS")
    return miss(
        f"{pair.source.name} encrypts by KMS, and rule '{covering.rule.id}' leaves such objects out",
        "give the rule SourceSelectionCriteria SseKmsEncryptedObjects=Enabled and EncryptionConfiguration "
        "ReplicaKmsKeyID, a key in the destination's region",
    )


def delete_markers(pair: Pair) -> Verdict | None:
    """What becomes of deletions."""
    covering = pair.covering()
    if covering is None:
        return None
    said = "are" if replicates_deletes(covering.raw) else "are not"
    return ok(f"by rule '{covering.rule.id}', delete markers {said} replicated")


def replicates_deletes(rule: dict[str, Any]) -> bool:
    """Tell whether a rule replicates delete markers; one of the old schema, without Filter, does."""
    if "Filter" not in rule:
        return True
    return bool(rule.get("DeleteMarkerReplication", {}).get("Status") == "Enabled")


def priorities(pair: Pair) -> Verdict | None:
    """Whether another rule to the same destination wins for some of the keys, and does otherwise."""
    covering = pair.covering()
    if covering is None:
        return None
    for other in pair.rules():
        if other is covering or not _competes(pair, covering, other):
            continue
        mine, its = covering.raw.get("Priority", 0), other.raw.get("Priority", 0)
        if its >= mine:
            return warning(
                f"rule '{other.rule.id}' (priority {its}) goes before '{covering.rule.id}' (priority {mine}) for "
                f"{shown(other.rule.prefix)}, and does otherwise (storage class, KMS or delete markers)",
                "give the rules the same options, or the one that shall win the higher priority",
            )
    return ok("no other rule to the destination goes before it")


def _competes(pair: Pair, covering: Held, other: Held) -> bool:
    prefixes = (pair.prefix, other.rule.prefix)
    return (
        other.rule.enabled
        and other.rule.destination == pair.destination.name
        and (prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0]))
        and any(other.raw.get(part) != covering.raw.get(part) for part in _MATTERS)
    )


def other_destinations(pair: Pair) -> Verdict | None:
    """Whether the buckets of the source's other rules are there: a job that replicates obeys those too."""
    others = sorted({held.rule.destination for held in pair.rules() if held.rule.enabled})
    if not others:
        return None
    gone = [name for name in others if name != pair.destination.name and region_of(pair.aws, name) is None]
    if not gone:
        return ok(f"all destinations of {pair.source.name} exist")
    return miss(
        f"{pair.source.name} has a rule to {gone[0]}, which does not exist: jobs that replicate fail by it",
        "disable or remove that rule, or create the bucket",
    )


def shown(prefix: str) -> str:
    """Return the keys under a prefix in words."""
    return f"keys under '{prefix}'" if prefix else "all keys"

"""What a change of a replication configuration added: the rules whose objects nobody has seeded yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seeder.replication.rules import Rule, Scope

Reason = Literal["new", "enabled", "destination", "wider", "unknown"]
"""Why a rule is to be seeded: there was none of its ID, or it was disabled, or replicated to another bucket, or
replicated less. "unknown" is for callers that do not know what there was; `added` never says so."""


@dataclass(frozen=True)
class Change:
    """A rule that replicates what was not replicated before."""

    rule: Rule
    reason: Reason


def added(before: Sequence[Rule], after: Sequence[Rule]) -> list[Change]:
    """Return the enabled rules of `after` that replicate what no enabled rule of `before` did, in their order.

    Rules are compared by what they replicate where, not by their IDs or order: one that is renamed, moved, or narrower
    than one that was enabled adds nothing. Of those that add, one within another is left out, as its objects are
    seeded with the other's. Filters are compared as if keys and tags had no end: a rule is covered only by a single
    rule, never by several together, which S3's filters can't do for all keys.
    """
    covered = [rule.scope for rule in before if rule.enabled]
    fresh = [
        rule for rule in after if rule.enabled and not any(scope.includes(rule.scope) for scope in covered)
    ]
    scopes = [rule.scope for rule in fresh]
    known = {rule.id: rule for rule in before if rule.id}
    return [
        Change(rule, _reason(rule, known.get(rule.id)))
        for place, rule in enumerate(fresh)
        if not _is_within_another(place, scopes)
    ]


def _is_within_another(place: int, scopes: Sequence[Scope]) -> bool:
    """Whether another scope includes this one; of equal ones, the first stands for all."""
    mine = scopes[place]
    return any(
        scope.includes(mine) and (other < place or not mine.includes(scope))
        for other, scope in enumerate(scopes)
        if other != place
    )


def _reason(rule: Rule, before: Rule | None) -> Reason:
    if before is None:
        return "new"
    if not before.enabled:
        return "enabled"
    return "wider" if before.destination == rule.destination else "destination"

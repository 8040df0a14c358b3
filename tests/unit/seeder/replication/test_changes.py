from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from seeder.replication import Change, Rule, added

RULE = Rule("r", "replica", "logs/", enabled=True, tags=(("k", "1"), ("l", "2")), priority=1)

# Rules are drawn from these; objects also have a key and a tag that no rule names, as there always is another.
PREFIXES = ["", "a", "ab", "b"]
TAGS = [("k", "1"), ("k", "2"), ("l", "1")]
DESTINATIONS = ["x", "y"]
KEYS = ["a", "ab", "abc", "b", "z"]
OBJECTS = [
    (key, frozenset(tags), kms)
    for key in KEYS
    for size in range(3)
    for tags in itertools.combinations(TAGS, size)
    if len({tag for tag, _ in tags}) == size
    for kms in (False, True)
]

rules = st.lists(
    st.builds(
        Rule,
        id=st.sampled_from("123"),
        destination=st.sampled_from(DESTINATIONS),
        prefix=st.sampled_from(PREFIXES),
        enabled=st.booleans(),
        tags=st.sampled_from([(), *((tag,) for tag in TAGS), (TAGS[0], TAGS[2]), (TAGS[1], TAGS[2])]),
        priority=st.integers(0, 3),
        kms=st.booleans(),
    ),
    max_size=3,
    unique_by=lambda rule: rule.id,
)


def replicated(configuration: list[Rule]) -> set[tuple[object, str]]:
    """The model: every object, with every destination it goes to."""
    return {
        ((key, tags, kms), rule.destination)
        for rule in configuration
        if rule.enabled
        for key, tags, kms in OBJECTS
        if key.startswith(rule.prefix) and set(rule.tags) <= tags and (rule.kms or not kms)
    }


@given(rules, rules)
def test_what_is_replicated_now_and_was_not_is_in_the_scope_of_a_change(
    before: list[Rule], after: list[Rule]
) -> None:
    changed = replicated([change.rule for change in added(before, after)])
    assert replicated(after) - replicated(before) <= changed <= replicated(after)


@given(rules, rules)
def test_nothing_is_added_just_where_nothing_more_is_replicated(
    before: list[Rule], after: list[Rule]
) -> None:
    assert bool(added(before, after)) is not (replicated(after) <= replicated(before))


@given(rules, rules)
def test_each_change_adds_something_and_none_is_within_another(before: list[Rule], after: list[Rule]) -> None:
    scopes = [replicated([change.rule]) for change in added(before, after)]
    assert all(scope - replicated(before) for scope in scopes)
    assert not any(one <= other for one, other in itertools.permutations(scopes, 2))


@given(rules, st.data())
def test_rules_removed_renamed_and_in_another_order_add_nothing(
    before: list[Rule], data: st.DataObject
) -> None:
    kept = data.draw(st.permutations(before))[: data.draw(st.integers(0, 3))]
    assert added(before, kept) == []
    assert added(before, [replace(rule, id=f"new-{rule.id}", priority=9) for rule in kept]) == []


def test_a_change_says_why() -> None:
    for before, reason in (
        ([], "new"),
        ([replace(RULE, id="other", prefix="logs/2026/")], "new"),
        ([replace(RULE, enabled=False)], "enabled"),
        ([replace(RULE, destination="other")], "destination"),
        ([replace(RULE, prefix="logs/2026/")], "wider"),
        ([replace(RULE, tags=(*RULE.tags, ("m", "3")))], "wider"),
        ([replace(RULE, prefix="data/")], "wider"),
    ):
        assert [change.reason for change in added(before, [RULE])] == [reason], before


def test_a_rule_that_takes_encrypted_objects_too_is_wider() -> None:
    assert added([RULE], [replace(RULE, kms=True)]) == [Change(replace(RULE, kms=True), "wider")]
    assert added([replace(RULE, kms=True)], [RULE]) == []


def test_a_narrower_or_disabled_rule_adds_nothing() -> None:
    for change in (
        {"prefix": "logs/2026/"},
        {"tags": (*RULE.tags, ("m", "3"))},
        {"enabled": False},
        {"priority": 5},
    ):
        assert added([RULE], [replace(RULE, **change)]) == []


def test_a_new_rule_within_an_old_one_of_another_name_adds_nothing() -> None:
    assert added([replace(RULE, tags=())], [RULE, replace(RULE, tags=())]) == []


def test_of_new_rules_one_within_another_is_seeded_with_it() -> None:
    wide, narrow = replace(RULE, id="wide", prefix=""), replace(RULE, id="narrow")
    assert added([], [narrow, wide]) == [Change(wide, "new")]
    assert added([], [RULE, replace(RULE, id="again")]) == [Change(RULE, "new")]


def test_rules_without_an_id_are_never_the_same_rule() -> None:
    before, after = replace(RULE, id="", enabled=False), replace(RULE, id="", prefix="")
    assert added([before], [after]) == [Change(after, "new")]

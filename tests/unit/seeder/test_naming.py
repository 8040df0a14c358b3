from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from seeder.naming import LONGEST_NAME, fresh_identity, run_name
from seeder.request import Trigger

NOW = datetime(2026, 11, 23, 2, 55, 48, tzinfo=UTC)
FORBIDDEN = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')
TRIGGERS = st.sampled_from(get_args(Trigger))
BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", fullmatch=True)
ASKED = st.tuples(TRIGGERS, BUCKETS, BUCKETS, st.text(min_size=1))


def test_a_name_tells_what_asked_for_the_run_and_its_pair() -> None:
    name = run_name("rule-added", "my-bucket", "my-replica", "an event")
    assert re.fullmatch(r"rule-added-my-bucket-to-my-replica-[0-9a-f]{16}", name)
    assert run_name("manual", "a.b", "c.d", "x").startswith("manual-a.b-to-c.d-")


def test_buckets_with_long_names_lose_their_middles_alone() -> None:
    name = run_name("rule-added", f"acme-{'x' * 50}-logs", f"backup-{'y' * 50}-eu", "x")
    assert re.fullmatch(r"rule-added-acme-x+\.\.x+-logs-to-backup-y+\.\.y+-eu-[0-9a-f]{16}", name)
    assert len(name) == LONGEST_NAME


def test_a_short_name_leaves_its_room_to_a_long_one() -> None:
    long = "l" * 40
    assert f"-{long}-to-short-" in run_name("schedule", long, "short", "x")
    assert f"-short-to-{long}-" in run_name("schedule", "short", long, "x")


@given(ASKED)
def test_a_name_suits_step_functions_and_is_derived(asked: tuple[str, str, str, str]) -> None:
    name = run_name(*asked)
    assert 1 <= len(name) <= LONGEST_NAME
    assert not FORBIDDEN.search(name)
    assert run_name(*asked) == name


@given(st.lists(ASKED, min_size=2, unique=True))
def test_whatever_differs_makes_another_name(asked: list[tuple[str, str, str, str]]) -> None:
    assert len({run_name(*each) for each in asked}) == len(asked)


@given(BUCKETS, BUCKETS, st.sampled_from(["trigger", "source", "destination", "identity"]))
def test_where_one_part_ends_and_the_next_begins_is_not_lost(one: str, two: str, moved: str) -> None:
    """Names that read alike, such as of a and b-to-c, a-to-b and c, differ by their digests."""
    assert run_name("manual", one, f"{two}-to-x", moved) != run_name("manual", f"{one}-to-{two}", "x", moved)


def test_a_fresh_identity_stands_in_the_name_and_sorts_by_time() -> None:
    luck = random.Random(1)  # noqa: S311
    ids = [fresh_identity(NOW + timedelta(seconds=number), luck) for number in range(100)]
    names = [run_name("manual", "my-bucket", "my-replica", each) for each in ids]
    assert re.fullmatch(r"manual-my-bucket-to-my-replica-20261123-025548-[a-z]{6}", names[0])
    assert sorted(names) == names
    assert all(len(run_name("rule-added", "a" * 63, "b" * 63, each)) == LONGEST_NAME for each in ids)


def test_two_of_the_same_second_differ_and_any_time_zone_is_told_in_utc() -> None:
    luck = random.Random(1)  # noqa: S311
    assert len({fresh_identity(NOW, luck) for _ in range(100)}) == 100
    east = NOW.astimezone(timezone(timedelta(hours=9)))
    assert fresh_identity(east, luck).startswith("20261123-025548-")

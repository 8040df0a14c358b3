from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from seeder.page import words
from tests.unit.seeder.page.samples import any_json

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (836, "836"), (1234567, "1,234,567"), ("x", "0"), (-1, "0"), (None, "0")]
)
def test_counts_are_grouped_and_what_is_none_is_nothing(count: Any, shown: str) -> None:
    assert words.number(count) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1024, "1.0 KiB"),
        (10 * 1024, "10 KiB"),
        (5 * 1024**4, "5.0 TiB"),
        (10**18, "888 PiB"),
    ],
)
def test_bytes_are_told_in_binary_units(size: int, shown: str) -> None:
    assert words.size(size) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.2, "12 s"),
        (192, "3 min 12 s"),
        (180, "3 min"),
        (3600 + 59, "1 h"),
        (7260, "2 h 1 min"),
        (86400, "1 day"),
        (3 * 86400 + 7200, "3 days 2 h"),
        (float("nan"), "0.0 s"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units(seconds: float, shown: str) -> None:
    assert words.span(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (86400, "1 day"), (86400 * 12, "12 days")],
)
def test_an_age_has_its_largest_unit(seconds: int, shown: str) -> None:
    assert words.ago((NOW - timedelta(seconds=seconds)).isoformat(), NOW) == shown


def test_a_time_is_told_in_utc_and_what_is_none_as_it_is() -> None:
    assert words.moment("2026-01-31T10:05:00+01:00") == "2026-01-31 09:05 UTC"
    assert words.moment("2026-01-31T09:05:00.123Z") == "2026-01-31 09:05 UTC"
    assert words.moment("soon") == "soon"
    assert words.ago("soon", NOW) == ""


def test_how_long_a_run_took_is_known_only_with_both_times() -> None:
    assert words.took("2026-01-31T09:00:00Z", "2026-01-31T10:00:00+01:00") == 0
    assert words.took("2026-01-31T09:00:00Z", "2026-01-31T09:01:00Z") == 60
    assert words.took("", "2026-01-31T09:01:00Z") is None


@given(any_json)
def test_anything_that_json_holds_can_be_told(value: Any) -> None:
    told = [words.number(value), words.size(value), words.span(value), words.text_of(value)]
    told += [*map(str, words.mapping(value)), *map(str, words.listed(value))]
    assert all(isinstance(text, str) for text in told)

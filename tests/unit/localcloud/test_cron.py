from __future__ import annotations

from datetime import UTC, datetime

import pytest

from localcloud.cron import next_time


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("rate(1 minute)", "2026-01-01T00:00", "2026-01-01T00:01"),
        ("rate(5 days)", "2026-01-01T00:00", "2026-01-06T00:00"),
        ("at(2026-03-01T09:30:00)", "2026-01-01T00:00", "2026-03-01T09:30"),
        ("cron(0 10 * * ? *)", "2026-01-01T10:00", "2026-01-02T10:00"),
        ("cron(15 12 * * ? *)", "2026-01-01T00:00", "2026-01-01T12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-02T18:00", "2026-01-05T18:00"),
        ("cron(0 8 1 * ? *)", "2026-01-15T00:00", "2026-02-01T08:00"),
        ("cron(0/15 * * * ? *)", "2026-01-01T00:46", "2026-01-01T01:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-01-02T23:50", "2026-01-05T00:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-01-01T17:55", "2026-01-02T08:00"),
        ("cron(15 10 ? * 6L 2026-2027)", "2026-01-01T00:00", "2026-01-30T10:15"),
        ("cron(0 9 ? * 2#1 *)", "2026-01-06T00:00", "2026-02-02T09:00"),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00", "2026-02-28T00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("cron(0 0 15W * ? *)", "2026-08-01T00:00", "2026-08-14T00:00"),
        ("cron(0 0 1W * ? *)", "2026-07-31T12:00", "2026-08-03T00:00"),
        ("cron(0 0 31W * ? *)", "2026-01-31T12:00", "2026-03-31T00:00"),
        ("cron(0 0 ? jan,jul sun *)", "2026-01-25T00:00", "2026-07-05T00:00"),
        ("cron(0 0 ? * L *)", "2026-01-01T00:00", "2026-01-03T00:00"),
    ],
)
def test_a_schedule_is_due_when_its_expression_says(expression: str, after: str, due: str) -> None:
    assert next_time(expression, at(after)) == at(due)


@pytest.mark.parametrize(
    "expression", ["at(2026-01-01T00:00:00)", "cron(0 0 1 1 ? 2026)", "cron(0 0 31 2 ? *)"]
)
def test_a_schedule_whose_times_are_over_is_never_due(expression: str) -> None:
    assert next_time(expression, at("2026-01-01T00:00")) is None


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("every day", "not a rate"),
        ("rate(0 days)", "not a rate"),
        ("rate(1 days)", "singular"),
        ("rate(2 day)", "plural"),
        ("cron(0 3 * * ?)", "5 fields, not 6"),
        ("cron(0 3 * * * *)", "must be ?"),
        ("cron(0 3 ? * ? *)", "must be ?"),
        ("cron(60 3 * * ? *)", "minutes: '60' is not between 0 and 59"),
        ("cron(0 3 32 * ? *)", "day of month: '32'"),
        ("cron(0 3 ? * 8 *)", "day of week: '8'"),
        ("cron(0 3 * FOO ? *)", "month: 'FOO'"),
        ("cron(0 3/0 * * ? *)", "minutes|hours"),
    ],
)
def test_an_expression_that_is_wrong_is_refused_with_its_field(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        next_time(expression, at("2026-01-01T00:00"))

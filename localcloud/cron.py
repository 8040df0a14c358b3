"""When a schedule is due: `rate(…)`, `at(…)` and `cron(…)` expressions, in UTC.

Contract: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler".
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_CRON = re.compile(r"cron\((.+)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEARS = range(1970, 2200)


def next_time(expression: str, after: datetime) -> datetime | None:
    """Return when a schedule that last fired (or was made) at `after` fires next; None if never again.

    Raises ValueError for an expression that Scheduler does not take.
    """
    if match := _RATE.fullmatch(expression):
        if (match[1] == "1") == bool(match[3]):
            raise ValueError(f"{expression}: the unit must be singular for 1, otherwise plural")
        return after + timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if match := _AT.fullmatch(expression):
        when = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
        return when if when > after else None
    if match := _CRON.fullmatch(expression):
        return Cron.parse(match[1]).next_time(after)
    raise ValueError(f"{expression}: not a rate(…), at(…) or cron(…) expression")


@dataclass(frozen=True)
class Cron:
    """The six fields of a cron expression. Days are of the month or of the week; the other is `?`."""

    minutes: list[int]
    hours: list[int]
    days: str
    months: list[int]
    weekdays: str
    years: list[int]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read minutes, hours, day of month, month, day of week and year. Raises ValueError naming the field."""
        fields = text.upper().split()
        if len(fields) != 6:
            raise ValueError(f"cron({text}): {len(fields)} fields, not 6")
        minutes, hours, days, months, weekdays, years = fields
        if (days == "?") == (weekdays == "?"):
            raise ValueError(f"cron({text}): exactly one of day of month and day of week must be ?")
        cron = cls(
            _numbers("minutes", minutes, range(60)),
            _numbers("hours", hours, range(24)),
            days,
            _numbers("month", months, range(1, 13), _MONTHS),
            weekdays,
            _numbers("year", years, _YEARS),
        )
        cron._matches(date(2000, 1, 1))
        return cron

    def next_time(self, after: datetime) -> datetime | None:
        """Return the first time that matches and is later than `after`, to the minute; None if there is none."""
        after = after.astimezone(UTC)
        for year in (item for item in self.years if item >= after.year):
            for month in self.months:
                for number in range(1, monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= after.date() and self._matches(day):
                        found = self._first_of(day, after)
                        if found:
                            return found
        return None

    def _first_of(self, day: date, after: datetime) -> datetime | None:
        times = (
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
            for hour in self.hours
            for minute in self.minutes
        )
        return next((time for time in times if time > after), None)

    def _matches(self, day: date) -> bool:
        if self.weekdays == "?":
            return _day_of_month(self.days, day)
        return _day_of_week(self.weekdays, day)


def _day_of_month(field: str, day: date) -> bool:
    last = monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == last
    if match := re.fullmatch(r"(\d+)W", field):
        return day == _weekday_nearest(int(match[1]), day, last)
    return day.day in _numbers("day of month", field, range(1, 32))


def _weekday_nearest(number: int, day: date, last: int) -> date | None:
    """Return the Monday to Friday nearest to a day of the month, within that month."""
    if not 1 <= number <= last:
        return None
    near = day.replace(day=number)
    if near.weekday() == 5:
        return near - timedelta(days=1) if number > 1 else near + timedelta(days=2)
    if near.weekday() == 6:
        return near + timedelta(days=1) if number < last else near - timedelta(days=2)
    return near


def _day_of_week(field: str, day: date) -> bool:
    number = day.isoweekday() % 7 + 1
    if field == "L":
        return number == 7
    name, week, last = field, 0, False
    if match := re.fullmatch(r"(\w+)#([1-5])", field):
        name, week = match[1], int(match[2])
    elif match := re.fullmatch(r"(\w+)L", field):
        name, last = match[1], True
    if number not in _numbers("day of week", name, range(1, 8), _DAYS):
        return False
    if last:
        return day.day + 7 > monthrange(day.year, day.month)[1]
    return not week or (day.day - 1) // 7 + 1 == week


def _numbers(name: str, field: str, allowed: range, names: tuple[str, ...] = ()) -> list[int]:
    """Return the numbers that a field's list of values, ranges and steps stands for, in order."""
    found: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/([1-9]\d*))?", part)
        if match is None:
            raise ValueError(f"{name}: {part!r} is not a value, range or step")
        start, end, step = match.groups()
        first = allowed[0] if start == "*" else _number(name, start, allowed, names)
        last = _number(name, end, allowed, names) if end else allowed[-1] if step or start == "*" else first
        found.update(range(first, last + 1, int(step or 1)))
    return sorted(found)


def _number(name: str, text: str, allowed: range, names: tuple[str, ...]) -> int:
    number = allowed[0] + names.index(text) if text in names else int(text) if text.isdecimal() else None
    if number is None or number not in allowed:
        raise ValueError(f"{name}: {text!r} is not between {allowed[0]} and {allowed[-1]}")
    return number

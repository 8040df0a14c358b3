"""Numbers, sizes, times and states as people read them; of a record, whatever it holds.

A record is JSON that an older or a newer release may have written: what is not of the kind expected counts as
unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NONE = "\N{EN DASH}"
"""Stands where there is nothing to tell."""
_MOST = 10**18
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_STEP = 1024
_FEW = 10
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def whole(value: object) -> int:
    """Return a count, 0 where it is none."""
    return int(min(max(value, 0), _MOST)) if isinstance(value, (int, float)) and value == value else 0


def seconds_of(value: object) -> float:
    """Return seconds, 0 where they are none."""
    number = value if isinstance(value, (int, float)) else 0
    return float(min(max(number, 0), _MOST)) if not math.isnan(number) else 0


def text_of(value: object) -> str:
    """Return a text, "" for what is none."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping by names, empty for what is none."""
    return value if isinstance(value, Mapping) else {}


def listed(value: object) -> list[Any]:
    """Return a list, empty for what is none."""
    return list(value) if isinstance(value, (list, tuple)) else []


def number(value: object) -> str:
    """Return a count such as "12,345"."""
    return f"{whole(value):,}"


def size(value: object) -> str:
    """Return bytes in binary units, such as "1.5 GiB"."""
    amount, unit = float(whole(value)), _UNITS[0]
    for unit in _UNITS:
        if amount < _STEP or unit == _UNITS[-1]:
            break
        amount /= _STEP
    return f"{amount:.1f} {unit}" if amount < _FEW and unit != _UNITS[0] else f"{amount:,.0f} {unit}"


def span(value: object) -> str:
    """Return a length of time with its two largest units, such as "3 min 12 s"."""
    seconds = seconds_of(value)
    if seconds < _FEW:
        return f"{seconds:.1f} s"
    units = (("days", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", 1))
    left = round(seconds)
    parts: list[str] = []
    for name, length in units:
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count:,} {name[:-1] if name == 'days' and count == 1 else name}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))


def moment_of(text: str) -> datetime | None:
    """Return an ISO 8601 time, in UTC where it names no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment(text: str) -> str:
    """Return a time such as "2026-01-31 09:05 UTC"; what is no time as it is."""
    found = moment_of(text)
    return f"{found:%Y-%m-%d %H:%M} UTC" if found else text


def took(started_at: str, ended_at: str) -> float | None:
    """Return the seconds between two times, None where they are not known."""
    began, ended = moment_of(started_at), moment_of(ended_at)
    return max((ended - began).total_seconds(), 0) if began and ended else None


def ago(then: str, now: datetime) -> str:
    """Return how long ago a time was by its largest unit, such as "3 min" or "2 days"; "" where it is not known."""
    found = moment_of(then)
    if found is None:
        return ""
    seconds = max(int((now - found).total_seconds()), 0)
    for name, length in (("day", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= length:
            count = seconds // length
            return f"{count:,} {name}{'s' if name == 'day' and count > 1 else ''}"
    return f"{seconds} s"

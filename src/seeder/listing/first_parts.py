"""The first part of a key: up to and with its first `/`, empty where it has none; what a census divides objects by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import groupby

from seeder.listing.page import Page, decode_key

MOST_CHARACTERS = 128
"""A longer part is cut to so many; it is known by the `/` that it lacks at its end."""

# A slash that does not stand as itself. AWS encodes none; other servers may.
_HIDDEN = (b"%2F", b"%2f", b"&#")
_AFTER_SLASH = b"0"


Stride = tuple[str, int]
"""A first part, and how many keys one after another have it."""


def first_part(key: str) -> str:
    """Return the first part of a key, as a user reads it: `a/` of `a/b/c`, `/` of `/a` and `//a`, nothing of `a`."""
    return key[: key.find("/") + 1][:MOST_CHARACTERS]


def strides(page: Page, stop: int) -> list[Stride]:
    """Divide the first `stop` keys of a page, in whatever order they came, by their first parts.

    Looks at each key only where they are not in order, and have not all the same.
    """
    keys = page.keys[:stop]
    if not keys:
        return []
    joined = b"\0" + b"\0".join(keys)
    found = _divided(keys, joined)
    seen = b"".join(part for part, _ in found) if all(part for part, _ in found) else joined
    if not (b"%" in seen or b"+" in seen or b"&" in seen):
        return [(part.decode()[:MOST_CHARACTERS], count) for part, count in found]
    if any(mark in seen for mark in _HIDDEN):
        return strides_of(map(first_part, page.decoded[:stop]))
    return [(decode_key(part, page.encoded)[:MOST_CHARACTERS], count) for part, count in found]


def strides_of(parts: Iterable[str]) -> list[Stride]:
    """Divide keys of which each first part is given."""
    return [(part, len(list(same))) for part, same in groupby(parts)]


def _divided(keys: list[bytes], joined: bytes) -> list[tuple[bytes, int]]:
    if b"/" not in joined:
        return [(b"", len(keys))]
    first = keys[0][: keys[0].find(b"/") + 1]
    if first and joined.count(b"\0" + first) == len(keys):
        return [(first, len(keys))]
    if keys == sorted(keys):
        return list(_ascending(keys))
    return [(part, len(list(same))) for part, same in groupby(key[: key.find(b"/") + 1] for key in keys)]


def _ascending(keys: list[bytes]) -> Iterator[tuple[bytes, int]]:
    """Divide keys in order: those with the same first part stand together, but for those without any."""
    start, last = 0, len(keys) - 1
    while start <= last:
        key = keys[start]
        part = key[: key.find(b"/") + 1]
        end = start + 1
        if part and start < last and keys[end].startswith(part):
            end = bisect_left(keys, part[:-1] + _AFTER_SLASH, end)
        yield part, end - start
        start = end

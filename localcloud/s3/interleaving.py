"""Versions and delete markers of a listing in one order, as AWS sends them.

moto's serializer, like the model of the API, knows a list of each and writes one after the other.

Contract: S3 API reference, ListObjectVersions (the sample response); S3 User Guide, "Listing objects in a
versioning-enabled bucket": by key, the versions of a key newest first.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION, MARKER = "Version", "DeleteMarker"

# A key may hold newlines; it can't hold a tag, for its `<` is escaped.
_ENTRY = re.compile(f"<({VERSION}|{MARKER})>.*?</\\1>", re.DOTALL)


def interleaved(body: str, kinds: Sequence[str]) -> str:
    """Return a page of versions with its entries in the order of their `kinds`, VERSION or MARKER for each.

    Within a kind they keep their order. Raises ValueError where the page holds other entries than these.
    """
    found = [(entry[1], entry[0]) for entry in _ENTRY.finditer(body)]
    listed, written = Counter(kinds), Counter(kind for kind, _ in found)
    if listed != written:
        raise ValueError(f"the page holds {dict(written)}, but {dict(listed)} were listed")
    each = {name: iter([text for kind, text in found if kind == name]) for name in listed}
    ordered = iter([next(each[kind]) for kind in kinds])
    return _ENTRY.sub(lambda _: next(ordered), body)

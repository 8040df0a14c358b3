"""The S3 servers that tests run against, and all that one of them does in its own way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from seeder import sink
from seeder.errors import Conflict, Gone, Lost
from seeder.large.plan import MIB

LOCAL, REAL = "local cloud", "seaweedfs"


@dataclass(frozen=True)
class Ways:
    """What a server does in its own way; `tests/integration/test_servers.py` proves each line of it."""

    is_ordered: bool
    """Whether keys are listed in the order of UTF-8 bytes, as S3 does."""
    smallest_part: int
    """The fewest bytes of a part that is not the last."""
    when_gone: type[Conflict]
    """What the answer to If-Match where there is no object is taken for: 404 is Gone, 412 is Lost."""
    replaces_parts: bool
    """Whether ListParts shows a part that was uploaded again once."""
    can_hold: Callable[[str], bool]
    """Whether a key is kept, and listed as it was put."""


def is_path(key: str) -> bool:
    """SeaweedFS keeps keys as paths: no empty component, none over 255 bytes, no backslash."""
    parts = key.split("/")
    plain = all(part not in {"", ".", ".."} and len(part.encode()) <= 255 for part in parts)
    return plain and not set(key) & {"\\", "\0"}


WAYS = {
    # moto's limit of a part is what a test sets: see Server.parts_of.
    LOCAL: Ways(
        is_ordered=True, smallest_part=1, when_gone=Gone, replaces_parts=True, can_hold=lambda key: True
    ),
    REAL: Ways(
        is_ordered=False, smallest_part=5 * MIB, when_gone=Lost, replaces_parts=False, can_hold=is_path
    ),
}


@dataclass(frozen=True)
class Server:
    """A server without buckets, its client, and its ways."""

    name: str
    s3: Any
    ways: Ways

    def buckets(self, *names: str) -> Any:
        """Make buckets; return the client."""
        for name in names:
            self.s3.create_bucket(Bucket=name)
        return self.s3

    def parts_of(self, patch: pytest.MonkeyPatch, size: int) -> int:
        """Have files written in parts of so many bytes, or the fewest that this server takes; return how many."""
        patch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
        patch.setenv("S3_UPLOAD_PART_MIN_SIZE", "1")
        size = max(size, self.ways.smallest_part)
        patch.setattr(sink, "SMALLEST_PART_BYTES", size)
        return size


def clear(s3: Any) -> None:
    """Remove all buckets, with what they hold, as SeaweedFS lets one."""
    for bucket in s3.list_buckets()["Buckets"]:
        s3.delete_bucket(Bucket=bucket["Name"])


def each_death(writes: Sequence[int], real: Sequence[int] = ()) -> pytest.MarkDecorator:
    """Parametrize `server`, `at` and `after`: a death before and after each write; in turn on the slower real one.

    `real`: the writes there are on the real server, where they are fewer for its parts are larger.
    """
    here = [(LOCAL, at, after) for after in (False, True) for at in writes]
    there = [(REAL, at, number % 2 == 0) for number, at in enumerate(real or writes)]
    return pytest.mark.parametrize(("server", "at", "after"), [*here, *there], indirect=["server"])


on_real = pytest.mark.parametrize("server", [REAL], indirect=True)
in_small_parts = pytest.mark.parametrize("server", [LOCAL], indirect=True)
"""Files in parts too small for a real server: in parts as large as it wants them, each test would take seconds."""
in_regions = pytest.mark.parametrize("server", [LOCAL], indirect=True)
"""Clients of several regions at once: a real server has one endpoint."""

"""A manifest of any length: rows go to one file until it holds what one job may take, then to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seeder.sink import Sink, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Series:
    """Takes rows for `copy.csv`, then `copy-2.csv`, and so on, each of at most `limit` rows; no row is cut.

    `files` are those of an earlier pause, or one that is not begun. All but the last are full.
    """

    def __init__(self, s3: S3Client, files: Sequence[Upload], limit: int) -> None:
        self._s3 = s3
        self._limit = limit
        self._full = list(files[:-1])
        self._sink = Sink(s3, files[-1])

    def write(self, rows: bytes, count: int) -> None:
        """Take rows, each ended by a line feed. Calls must be serialised. Raises what an upload raised."""
        while (room := 0 if self._sink.is_full else self._limit - self._sink.count) < count:
            head = _bytes_of(rows, room)
            self._sink.write(rows[:head], room)
            rows, count = rows[head:], count - room
            self._next()
        self._sink.write(rows, count)

    def pause(self) -> tuple[Upload, ...]:
        """Store what was taken, so that another series can go on from the files returned."""
        return (*self._full, self._sink.pause())

    def finish(self) -> tuple[Upload, ...]:
        """Store the last part; return the files, which can be completed now."""
        return (*self._full, self._sink.finish())

    def close(self) -> None:
        """End the threads, whatever they were doing."""
        self._sink.close()

    def _next(self) -> None:
        self._full.append(self._sink.finish())
        self._sink.close()
        first = self._full[0]
        key = f"{first.key.removesuffix('.csv')}-{len(self._full) + 1}.csv"
        self._sink = Sink(self._s3, Upload(bucket=first.bucket, key=key))


def _bytes_of(rows: bytes, count: int) -> int:
    """Return how many bytes the first `count` rows take."""
    end = 0
    for _ in range(count):
        end = rows.index(b"\n", end) + 1
    return end

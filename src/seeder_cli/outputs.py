"""Where rows go: standard output, a file, an object in S3, or nowhere. Half a manifest is never left behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from seeder_cli.errors import CommandError

_S3 = "s3://"


class Output:
    """Takes rows and counts their bytes; this one keeps none."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, rows: bytes) -> None:
        """Take rows."""
        self.bytes += len(rows)

    def restart(self) -> None:
        """Forget what was taken."""
        self.bytes = 0

    def commit(self) -> None:
        """Make what was taken visible."""

    def abandon(self) -> None:
        """Leave nothing behind."""


class StandardOutput(Output):
    """Prints rows."""

    def write(self, rows: bytes) -> None:
        """Print rows."""
        super().write(rows)
        sys.stdout.buffer.write(rows)

    def commit(self) -> None:
        """Have all rows printed: whose reader is gone is noticed here at the latest."""
        sys.stdout.flush()

    def restart(self) -> None:
        """Refuse: what is printed is printed."""
        if self.bytes:
            raise CommandError(
                "rows were printed already; give --output, so that the listing can begin again"
            )


class FileOutput(Output):
    """Writes a file beside the one asked for, which takes its name when it is whole; none when it is empty."""

    def __init__(self, path: Path, even_empty: bool) -> None:
        super().__init__()
        self._path = path
        self._even_empty = even_empty
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._file: BinaryIO = self._partial.open("wb")

    def write(self, rows: bytes) -> None:
        """Write rows."""
        super().write(rows)
        self._file.write(rows)

    def restart(self) -> None:
        """Empty the file."""
        super().restart()
        self._file.seek(0)
        self._file.truncate()

    def commit(self) -> None:
        """Give the file its name."""
        self._file.close()
        if self.bytes or self._even_empty:
            self._partial.replace(self._path)

    def abandon(self) -> None:
        """Remove what has no name yet."""
        self._file.close()
        self._partial.unlink(missing_ok=True)


class ObjectOutput(Output):
    """Streams rows into an object, which must not exist yet."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        super().__init__()
        self._client = client
        # Imported here: what S3's uploads need takes a while, and most manifests go to files.
        from seeder import sink

        self._module = sink
        self._fresh = sink.Upload(bucket=bucket, key=key)
        self._sink = sink.Sink(client, self._fresh)

    def write(self, rows: bytes) -> None:
        """Stream rows."""
        super().write(rows)
        self._sink.write(rows, rows.count(b"\n"))

    def restart(self) -> None:
        """Begin another upload."""
        super().restart()
        self.abandon()
        self._sink = self._module.Sink(self._client, self._fresh)

    def commit(self) -> None:
        """Complete the upload."""
        done = self._module.complete(self._client, self._sink.finish())
        if done.parts and not done.etag:
            raise CommandError(f"s3://{done.bucket}/{done.key} could not be completed", status=1)

    def abandon(self) -> None:
        """Give up an upload that is not complete."""
        self._sink.close()
        self._module.abandon(self._client, self._sink.upload)


@contextmanager
def open_output(client: Any, place: str | None, kind: str, rows: bool) -> Iterator[Output]:
    """Yield the output of a kind ("" for the manifest itself, "large", "archived") at a place that the user gave.

    Raises CommandError for a place that can't be.
    """
    output = _open(client, place, kind, rows)
    try:
        yield output
    finally:
        output.abandon()


def _open(client: Any, place: str | None, kind: str, rows: bool) -> Output:
    if place is None:
        return StandardOutput() if rows and not kind else Output()
    name, dot, ending = place.rpartition(".")
    if kind:
        place = f"{name}.{kind}.{ending}" if dot and "/" not in ending else f"{place}.{kind}"
    if not place.startswith(_S3):
        try:
            return FileOutput(Path(place), even_empty=not kind)
        except OSError as error:
            raise CommandError(
                f"--output {place}: {error.strerror}; give a file that can be written"
            ) from error
    bucket, _, key = place.removeprefix(_S3).partition("/")
    if not bucket or not key:
        raise CommandError(f"--output {place}: give s3://BUCKET/KEY")
    return ObjectOutput(client, bucket, key)

"""An S3 Inventory in place of the walk: its rows become the manifests of a run, in as many calls as it takes.

An inventory is older than the run that reads it: what was written since is not in it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib
import io
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder import manifest
from seeder.errors import UnexpectedAnswer, code_of
from seeder.inventory_document import Columns, DataFile, Entry, Inventory, check_columns, read
from seeder.listing.any_order import Position
from seeder.listing.page import encode_key
from seeder.listing.selection import Selection
from seeder.listing.tagged import Tagged
from seeder.listing.walk import Untaken
from seeder.manifest import LIMITS, Limits, Progress, Rows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

ROWS_AT_ONCE = 5_000
_READ_BYTES = 1024 * 1024
_GZIP = b"\x1f\x8b"
# A row is a key of 1,024 bytes, each as three characters, and some short cells.
LONGEST_LINE = 64 * 1024
_ABSENT = frozenset({"404", "NoSuchBucket", "NoSuchKey"})

Place = tuple[str, str, str]


def write(
    s3: S3Client,
    progress: Progress,
    reader_s3: S3Client,
    location: str,
    source: str,
    prefix: str = "",
    selection: Selection | None = None,
    out_of_time: Callable[[], bool] = lambda: False,
    versions: bool = False,
    limits: Limits = LIMITS,
    tagged: Tagged | None = None,
) -> Progress:
    """Turn an inventory of the bucket `source` into the run's manifests until all is read, or time is out.

    `s3` writes the manifests, `reader_s3` reads the inventory whose manifest.json stands at `location`
    (`s3://bucket/key`). Each call takes at least ROWS_AT_ONCE rows. Where the inventory tells them, only current
    versions are taken (rows `bucket,key`), or with `versions` all but delete markers (rows `bucket,key,version`); with
    `tagged` of those only what has the tags now.
    A call that died, or is repeated, changes nothing: every row taken stands in the finished manifests exactly once.
    Raises InvalidRequest for an inventory that can't serve, UnexpectedAnswer for one that does not add up, ClientError.
    """
    made = manifest.finished(s3, progress)
    if made is not None:
        return made
    chosen = selection or Selection()
    inventory = read(reader_s3, location, source)
    columns = Columns(inventory.form, inventory.columns)
    check_columns(columns, chosen, versions)
    census = progress.census.model_copy(deep=True)
    with closing(Rows(s3, progress, limits)) as taken:

        def accept(rows: list[list[str]]) -> None:
            entries = list(_wanted(columns.entries(rows, source, versions), prefix, chosen))
            if tagged:
                entries = _having(tagged, entries, versions)
            census.add_objects(((each.key, each.size, each.storage) for each in entries), columns.has("Size"))
            for place, lines in enumerate(_lines(entries, source, chosen, versions)):
                taken.write(place, "".join(lines).encode(), len(lines))

        left = _Reading(reader_s3, inventory, columns, accept, out_of_time).run(progress.ranges)
        after = taken.settle(Position(left))
    counts = {
        "inventory_created": inventory.created,
        "tag_calls": progress.tag_calls + (tagged.calls if tagged else 0),
        "census": manifest.settled(census, not left),
    }
    after = after.model_copy(update=counts)
    return after if left else manifest.complete(s3, after)


def _wanted(entries: Iterable[Entry], prefix: str, chosen: Selection) -> Iterator[Entry]:
    """Yield what has the prefix and passes the filters."""
    filters = chosen.filters
    for entry in entries:
        key, size, storage, modified, _ = entry
        if key.startswith(prefix) and (not filters or chosen.wants(key, size, storage, modified)):
            yield entry


def _having(tagged: Tagged, entries: list[Entry], versions: bool) -> list[Entry]:
    """Return what has the tags. Raises Untaken where time is out, and what asking raises."""
    names = [(entry.key, entry.version if versions else "") for entry in entries]
    return [entries[index] for index in tagged.having(names)]


def _lines(entries: Iterable[Entry], source: str, chosen: Selection, versions: bool) -> tuple[list[str], ...]:
    """Return the rows of each manifest, in the order of `Selection.place`."""
    places: tuple[list[str], ...] = ([], [], [])
    for key, size, storage, _, version in entries:
        end = f",{version}\n" if versions else "\n"
        places[chosen.place(size, storage)].append(f"{source},{encode_key(key)}{end}")
    return places


@dataclass
class _Reading:
    """Rows of an inventory from a position on, handed to `accept` a few thousand at a time; it may raise Untaken.

    A position is the number of a data file, the rows taken of it, and what tells that both the manifest.json and the
    file are still those that were read: its MD5 and the file's ETag.
    """

    s3: S3Client
    inventory: Inventory
    columns: Columns
    accept: Callable[[list[list[str]]], None]
    out_of_time: Callable[[], bool]

    def run(self, ranges: list[Place] | None) -> list[Place]:
        """Read on until all is read, or time is out; return the position left, if any."""
        if ranges == []:
            return []
        number, row, etag = self._start(ranges[0]) if ranges else (0, 0, "")
        files = self.inventory.files
        for at in range(number, len(files)):
            left = self._file(at, row, etag)
            if left:
                return [left]
            row, etag = 0, ""
            if at + 1 < len(files) and self.out_of_time():
                return [self._place(at + 1, 0, "")]
        return []

    def _start(self, position: Place) -> tuple[int, int, str]:
        mark, _, etag = position[2].partition(" ")
        if mark != self.inventory.mark:
            raise UnexpectedAnswer("the inventory's manifest.json changed meanwhile; start another run")
        return int(position[0]), int(position[1]), etag

    def _place(self, number: int, row: int, etag: str) -> Place:
        return str(number), str(row), f"{self.inventory.mark} {etag}"

    def _file(self, number: int, row: int, known: str) -> Place | None:
        """Take a data file's rows after the first `row`; return the position when time is out before its end."""
        file = self.inventory.files[number]
        name = f"s3://{self.inventory.bucket}/{file.key}"
        answer = self._opened(name, file.key)
        if known and answer["ETag"] != known:
            raise UnexpectedAnswer(f"{name} changed meanwhile; start another run")
        with closing(answer["Body"]) as body, _told(name):
            stream = _Hashed(body)
            parquet = self.inventory.form == "Parquet"
            rows = _parquet_rows(stream, file, self.columns.names) if parquet else _csv_rows(stream)
            for _ in islice(rows, row):
                pass
            while batch := list(islice(rows, ROWS_AT_ONCE)):
                try:
                    self.accept(batch)
                except Untaken:
                    return self._place(number, row, answer["ETag"])
                row += len(batch)
                if len(batch) == ROWS_AT_ONCE and self.out_of_time():
                    return self._place(number, row, answer["ETag"])
            stream.check(file)
        return None

    def _opened(self, name: str, key: str) -> GetObjectOutputTypeDef:
        try:
            return self.s3.get_object(Bucket=self.inventory.bucket, Key=key)
        except ClientError as error:
            if code_of(error) not in _ABSENT:
                raise
            raise UnexpectedAnswer(f"{name}, a file of the inventory, is not there: {error}") from error


class _Hashed(io.RawIOBase):
    """A data file's bytes as they come, and the MD5 of those read so far."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._digest = hashlib.md5()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        chunk = self._body.read(len(view))
        self._digest.update(chunk)
        view[: len(chunk)] = chunk
        return len(chunk)

    def check(self, file: DataFile) -> None:
        """Read what is left. Raises ValueError unless all bytes have the MD5 that the inventory names."""
        while rest := self._body.read(_READ_BYTES):
            self._digest.update(rest)
        if self._digest.hexdigest() != file.md5.lower():
            raise ValueError(f"its MD5 is {self._digest.hexdigest()}, but manifest.json says {file.md5}")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn what a damaged data file raises into an UnexpectedAnswer that names the file."""
    try:
        yield
    except (ValueError, csv.Error, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnexpectedAnswer(f"{name}: {error}") from error


def _csv_rows(stream: _Hashed) -> Iterator[list[str]]:
    """Stream the rows of a CSV file: gzip as S3 writes it, or plain, as inventories made by hand may be."""
    raw = io.BufferedReader(stream, _READ_BYTES)
    zipped = raw.peek(len(_GZIP)).startswith(_GZIP)
    unzipped = gzip.GzipFile(fileobj=raw) if zipped else raw
    yield from csv.reader(_bounded(io.TextIOWrapper(unzipped, encoding="utf-8", newline="")), strict=True)


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield lines of bounded length: a file of a few bytes may unzip to one without end."""
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise ValueError(f"a line of more than {LONGEST_LINE} characters")
        yield line


def _parquet_rows(stream: _Hashed, file: DataFile, names: list[str]) -> Iterator[list[str]]:
    """Yield the rows of a Parquet file as CSV would have them, but for the key, which is not encoded.

    Parquet is read from its end: the file goes to the disk first, and is checked there.
    """
    parquet = importlib.import_module("pyarrow.parquet")
    with TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, _READ_BYTES)
        stream.check(file)
        # What its library raises on a file that is damaged is of many kinds, for all that stands in it.
        with _unpacking():
            batches = parquet.ParquetFile(copy).iter_batches(ROWS_AT_ONCE, columns=names)
        while (columns := _next_columns(batches, names)) is not None:
            yield from map(list, zip(*columns, strict=True))


def _next_columns(batches: Iterator[Any], names: list[str]) -> list[list[str]] | None:
    with _unpacking():
        batch = next(batches, None)
        return None if batch is None else [list(map(_text, batch.column(name).to_pylist())) for name in names]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    return "" if value is None else str(value)


@contextmanager
def _unpacking() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise ValueError(f"it is no Parquet file with these columns: {error}") from error

"""An S3 Inventory in place of the walk: its rows become the manifests of a run, in as many calls as it takes.

Contract: S3 User Guide, "Amazon S3 Inventory list" and "Locating your inventory list". An inventory is older than
the run that reads it: what was written since is not in it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib
import io
import json
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError
from pydantic import BaseModel, Field, ValidationError

from seeder import manifest
from seeder.errors import InvalidRequest, UnexpectedAnswer, code_of
from seeder.listing.page import encode_key
from seeder.listing.selection import Selection
from seeder.manifest import Progress
from seeder.sink import Sink

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROWS_AT_ONCE = 5_000
_READ_BYTES = 1024 * 1024
_GZIP = b"\x1f\x8b"
_ABSENT = frozenset({"404", "NoSuchBucket", "NoSuchKey"})
_USED = ["bucket", "key", "islatest", "isdeletemarker", "size", "storageclass", "lastmodifieddate"]
_FLAGS = {"": None, "false": False, "true": True, "False": False, "True": True}
_NEEDS = {
    "created_after": "LastModifiedDate",
    "created_before": "LastModifiedDate",
    "size_at_least": "Size",
    "size_at_most": "Size",
    "storage_classes": "StorageClass",
}

Position = tuple[str, str, str]


class DataFile(BaseModel):
    """One file of an inventory's rows; `md5` in hexadecimal, of its bytes as they are stored."""

    key: str
    md5: str = Field(alias="MD5checksum")


class Inventory(BaseModel):
    """What a manifest.json says of its inventory. `mark` is the MD5 of the document itself."""

    source: str = Field(alias="sourceBucket")
    destination: str = Field(alias="destinationBucket")
    created: str = Field(alias="creationTimestamp", default="")
    form: str = Field(alias="fileFormat")
    columns: str = Field(alias="fileSchema")
    files: list[DataFile]
    mark: str

    @property
    def bucket(self) -> str:
        """The name of the bucket that holds the data files; the document gives its ARN."""
        return self.destination.rpartition(":")[2]


class Entry(NamedTuple):
    """A current object: `key` decoded; `modified` an ISO 8601 time, empty where the inventory has none."""

    key: str
    size: int
    storage: str
    modified: str


class Columns:
    """Which cell of a row holds what. Raises UnexpectedAnswer for a schema that names no keys, or a name twice."""

    def __init__(self, form: str, schema: str) -> None:
        self.names = _parquet_names(schema) if form == "Parquet" else [n.strip() for n in schema.split(",")]
        self._encoded = form == "CSV"
        self._at = {_plain(name): index for index, name in enumerate(self.names)}
        if "key" not in self._at or len(self._at) != len(self.names):
            raise UnexpectedAnswer(f"an inventory whose fileSchema is {schema!r}")

    def has(self, name: str) -> bool:
        """Tell whether there is a column of this name, given as in a CSV inventory."""
        return _plain(name) in self._at

    def entries(self, rows: Iterable[list[str]], source: str) -> Iterator[Entry]:
        """Yield the objects of rows, without versions that are not current and delete markers.

        Raises ValueError for a row that breaks the schema, or is of another bucket than `source`.
        """
        width = len(self.names)
        at = [self._at.get(name, -1) for name in _USED]
        for cells in rows:
            if len(cells) != width:
                raise ValueError(f"a row of {len(cells)} cells where {width} are expected: {cells!r}")
            # Columns that are missing stand at -1.
            bucket, key, latest, marker, size, storage, modified = map([*cells, ""].__getitem__, at)
            if bucket not in (source, ""):
                raise ValueError(f"a row of the bucket {bucket!r}, not {source!r}")
            if _flag(latest) is False or _flag(marker):
                continue
            if self._encoded and ("%" in key or "+" in key):
                key = unquote_plus(key, errors="strict")
            yield Entry(key, int(size or 0), storage or "STANDARD", modified)


def write(
    s3: S3Client,
    progress: Progress,
    reader_s3: S3Client,
    location: str,
    source: str,
    prefix: str = "",
    selection: Selection | None = None,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Progress:
    """Turn an inventory of the bucket `source` into the run's manifests until all is read, or time is out.

    `s3` writes the manifests, `reader_s3` reads the inventory whose manifest.json stands at `location`
    (`s3://bucket/key`). Each call takes at least ROWS_AT_ONCE rows. Where the inventory tells them, only current
    versions are taken. A call that died, or is repeated, changes nothing: every row taken stands in the finished
    manifests exactly once.
    Raises InvalidRequest for an inventory that can't serve, UnexpectedAnswer for one that does not add up, ClientError.
    """
    made = manifest.finished(s3, progress)
    if made is not None:
        return made
    chosen = selection or Selection()
    filters = chosen.filters
    inventory = read(reader_s3, location, source)
    columns = Columns(inventory.form, inventory.columns)
    _check_filters(chosen, columns)
    with ExitStack() as stack:
        sinks = [stack.enter_context(closing(Sink(s3, file))) for file in progress.files]

        def accept(rows: list[list[str]]) -> None:
            places: list[list[str]] = [[] for _ in sinks]
            for entry in columns.entries(rows, source):
                if entry.key.startswith(prefix) and (not filters or chosen.wants(*entry)):
                    place = places[chosen.place(entry.size, entry.storage)]
                    place.append(f"{source},{encode_key(entry.key)}\n")
            for sink, lines in zip(sinks, places, strict=True):
                sink.write("".join(lines).encode(), len(lines))

        left = _Reading(reader_s3, inventory, columns, accept, out_of_time).run(progress.ranges)
        after = manifest.settle(progress, sinks, left)
    after = after.model_copy(update={"inventory_created": inventory.created})
    return after if left else manifest.complete(s3, after)


def read(s3: S3Client, location: str, source: str) -> Inventory:
    """Return what a manifest.json says, checked against its manifest.checksum where there is one.

    Raises InvalidRequest where there is none, it is of another bucket, or of a form that can't be read here;
    UnexpectedAnswer, ClientError.
    """
    bucket, _, key = location.removeprefix("s3://").partition("/")
    body = _get(s3, bucket, key)
    if body is None:
        raise InvalidRequest("inventory", f"'{location}' does not exist; correct it, or seed without it")
    mark = hashlib.md5(body).hexdigest()
    checksum = _get(s3, bucket, f"{key.removesuffix('.json')}.checksum")
    if checksum is not None and checksum.decode("latin-1").strip().lower() != mark:
        raise UnexpectedAnswer(f"{location}: its MD5 is {mark}, but manifest.checksum says {checksum[:40]!r}")
    try:
        inventory = Inventory.model_validate({**json.loads(body), "mark": mark})
    except (ValueError, TypeError, ValidationError) as error:
        raise UnexpectedAnswer(f"{location} is not the manifest.json of an inventory: {error}") from error
    if inventory.source != source:
        problem = f"'{location}' is of the bucket '{inventory.source}'; give one of '{source}'"
        raise InvalidRequest("inventory", problem)
    _check_form(location, inventory.form)
    return inventory


def _check_form(location: str, form: str) -> None:
    if form not in {"CSV", "Parquet"}:
        problem = f"'{location}' is {form}, which can't be read; give a CSV inventory"
        raise InvalidRequest("inventory", problem)
    try:
        importlib.import_module("pyarrow.parquet" if form == "Parquet" else "csv")
    except ImportError as error:
        problem = f"'{location}' is Parquet; give a CSV inventory, or add pyarrow to the layer"
        raise InvalidRequest("inventory", problem) from error


def _check_filters(selection: Selection, columns: Columns) -> None:
    for field, column in _NEEDS.items():
        if getattr(selection, field) not in (None, frozenset()) and not columns.has(column):
            problem = f"the inventory has no column {column}; add it to the inventory, or drop the filter"
            raise InvalidRequest(field, problem)


@dataclass
class _Reading:
    """Rows of an inventory from a position on, handed to `accept` a few thousand at a time.

    A position is the number of a data file, the rows taken of it, and what tells that both the manifest.json and the
    file are still those that were read: its MD5 and the file's ETag.
    """

    s3: S3Client
    inventory: Inventory
    columns: Columns
    accept: Callable[[list[list[str]]], None]
    out_of_time: Callable[[], bool]

    def run(self, ranges: list[Position] | None) -> list[Position]:
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
                return [self._position(at + 1, 0, "")]
        return []

    def _start(self, position: Position) -> tuple[int, int, str]:
        mark, _, etag = position[2].partition(" ")
        if mark != self.inventory.mark:
            raise UnexpectedAnswer("the inventory's manifest.json changed meanwhile; start another run")
        return int(position[0]), int(position[1]), etag

    def _position(self, number: int, row: int, etag: str) -> Position:
        return str(number), str(row), f"{self.inventory.mark} {etag}"

    def _file(self, number: int, row: int, known: str) -> Position | None:
        """Take a data file's rows after the first `row`; return the position when time is out before its end."""
        file = self.inventory.files[number]
        name = f"s3://{self.inventory.bucket}/{file.key}"
        answer = self.s3.get_object(Bucket=self.inventory.bucket, Key=file.key)
        if known and answer["ETag"] != known:
            raise UnexpectedAnswer(f"{name} changed meanwhile; start another run")
        with closing(answer["Body"]) as body, _told(name):
            stream = _Hashed(body)
            parquet = self.inventory.form == "Parquet"
            rows = _parquet_rows(stream, file, self.columns.names) if parquet else _csv_rows(stream)
            for _ in islice(rows, row):
                pass
            while batch := list(islice(rows, ROWS_AT_ONCE)):
                self.accept(batch)
                row += len(batch)
                if len(batch) == ROWS_AT_ONCE and self.out_of_time():
                    return self._position(number, row, answer["ETag"])
            stream.check(file)
        return None


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
    yield from csv.reader(io.TextIOWrapper(unzipped, encoding="utf-8", newline=""), strict=True)


def _parquet_rows(stream: _Hashed, file: DataFile, names: list[str]) -> Iterator[list[str]]:
    """Yield the rows of a Parquet file as CSV would have them, but for the key, which is not encoded.

    Parquet is read from its end: the file goes to the disk first, and is checked there.
    """
    parquet = importlib.import_module("pyarrow.parquet")
    with TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, _READ_BYTES)
        stream.check(file)
        for batch in parquet.ParquetFile(copy).iter_batches(ROWS_AT_ONCE, columns=names):
            columns = [batch.column(name).to_pylist() for name in names]
            for values in zip(*columns, strict=True):
                yield ["" if value is None else str(value) for value in values]


def _flag(cell: str) -> bool | None:
    if cell not in _FLAGS:
        raise ValueError(f"a flag that is {cell!r}, neither 'true' nor 'false'")
    return _FLAGS[cell]


def _parquet_names(schema: str) -> list[str]:
    """The columns in `message s3.inventory { required binary bucket (UTF8); … }`."""
    fields = schema.partition("{")[2].rpartition("}")[0].split(";")
    return [words[2] for words in map(str.split, fields) if len(words) > 2]


def _plain(name: str) -> str:
    """A column's name as both formats have it: `LastModifiedDate` and `last_modified_date` are the same."""
    return name.replace("_", "").lower()


def _get(s3: S3Client, bucket: str, key: str) -> bytes | None:
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if code_of(error) in _ABSENT:
            return None
        raise

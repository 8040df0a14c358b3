"""An S3 Inventory's own document, and what the columns of its rows say.

Contract: S3 User Guide, "Amazon S3 Inventory list" and "Locating your inventory list".
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError
from pydantic import BaseModel, Field, ValidationError

from seeder.documents import parsed, problem_of, shown
from seeder.errors import InvalidRequest, UnexpectedAnswer, code_of
from seeder.listing.selection import Selection

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT = frozenset({"404", "NoSuchBucket", "NoSuchKey"})
_USED = [
    "bucket",
    "key",
    "versionid",
    "islatest",
    "isdeletemarker",
    "size",
    "storageclass",
    "lastmodifieddate",
]
_FLAGS = {"": None, "false": False, "true": True, "False": False, "True": True}
_NEEDS = {
    "created_after": "LastModifiedDate",
    "created_before": "LastModifiedDate",
    "size_at_least": "Size",
    "size_at_most": "Size",
    "storage_classes": "StorageClass",
}
# An inventory leaves the version id of an object older than versioning empty; S3 calls it so.
_NULL_VERSION = "null"
# An inventory of a billion objects has some thousand files, each named in some hundred bytes.
MOST_MANIFEST_BYTES = 16 * 1024 * 1024
_VERSION = re.compile(r"[A-Za-z0-9._-]*")
_DIGITS = re.compile(r"[0-9]{0,18}")


class DataFile(BaseModel):
    """One file of an inventory's rows; `md5` in hexadecimal, of its bytes as they are stored."""

    key: str = Field(min_length=1)
    md5: str = Field(alias="MD5checksum")


class Inventory(BaseModel):
    """What a manifest.json says of its inventory. `mark` is the MD5 of the document itself."""

    source: str = Field(alias="sourceBucket")
    destination: str = Field(alias="destinationBucket", pattern=r"^(arn:[a-z0-9:-]*:)?[A-Za-z0-9._-]{3,255}$")
    created: str = Field(alias="creationTimestamp", default="", pattern=r"^([0-9]{1,14})?$")
    form: str = Field(alias="fileFormat")
    columns: str = Field(alias="fileSchema")
    files: list[DataFile]
    mark: str

    @property
    def bucket(self) -> str:
        """The name of the bucket that holds the data files; the document gives its ARN."""
        return self.destination.rpartition(":")[2]


class Entry(NamedTuple):
    """An object, or a version: `key` decoded; `modified` an ISO 8601 time, empty where the inventory has none.

    `version` is `null` where the inventory has none.
    """

    key: str
    size: int
    storage: str
    modified: str
    version: str


class Columns:
    """Which cell of a row holds what. Raises UnexpectedAnswer for a schema that names no keys, or a name twice."""

    def __init__(self, form: str, schema: str) -> None:
        self.names = _parquet_names(schema) if form == "Parquet" else [n.strip() for n in schema.split(",")]
        self._encoded = form == "CSV"
        self._at = {_plain(name): index for index, name in enumerate(self.names)}
        if "key" not in self._at or len(self._at) != len(self.names):
            raise UnexpectedAnswer(f"an inventory whose fileSchema is {shown(schema)}")

    def has(self, name: str) -> bool:
        """Tell whether there is a column of this name, given as in a CSV inventory."""
        return _plain(name) in self._at

    def entries(self, rows: Iterable[list[str]], source: str, versions: bool = False) -> Iterator[Entry]:
        """Yield the objects of rows without delete markers: those that are current, or all `versions`.

        Raises ValueError for a row that breaks the schema, or is of another bucket than `source`.
        """
        width = len(self.names)
        at = [self._at.get(name, -1) for name in _USED]
        for cells in rows:
            if len(cells) != width:
                raise ValueError(f"a row of {len(cells)} cells where {width} are expected: {shown(cells)}")
            # Columns that are missing stand at -1.
            bucket, key, version, latest, marker, size, storage, modified = map([*cells, ""].__getitem__, at)
            if bucket not in (source, ""):
                raise ValueError(f"a row of the bucket {shown(bucket)}, not {source!r}")
            if _flag(marker) or (_flag(latest) is False and not versions):
                continue
            if self._encoded and ("%" in key or "+" in key):
                key = unquote_plus(key, errors="strict")
            if not key or not _DIGITS.fullmatch(size) or not _VERSION.fullmatch(version):
                raise ValueError(f"a row whose key, size or version is none: {shown(cells)}")
            yield Entry(key, int(size or 0), storage or "STANDARD", modified, version or _NULL_VERSION)


def read(s3: S3Client, location: str, source: str) -> Inventory:
    """Return what a manifest.json says, checked against its manifest.checksum where there is one.

    Raises InvalidRequest where there is none, it is of another bucket, or of a form that can't be read here;
    UnexpectedAnswer, ClientError.
    """
    bucket, _, key = location.removeprefix("s3://").partition("/")
    body = _get(s3, bucket, key)
    if body is None:
        raise InvalidRequest("inventory", f"'{location}' does not exist; correct it, or seed without it")
    if len(body) > MOST_MANIFEST_BYTES:
        problem = (
            f"'{location}' has more than {MOST_MANIFEST_BYTES} bytes; give the manifest.json of an inventory"
        )
        raise InvalidRequest("inventory", problem)
    mark = hashlib.md5(body).hexdigest()
    checksum = _get(s3, bucket, f"{key.removesuffix('.json')}.checksum")
    if checksum is not None and checksum.decode("latin-1").strip().lower() != mark:
        raise UnexpectedAnswer(f"{location}: its MD5 is {mark}, but manifest.checksum says {checksum[:40]!r}")
    try:
        inventory = Inventory.model_validate({**parsed(body), "mark": mark})
    except ValidationError as error:
        told = f"{location} is not the manifest.json of an inventory: {problem_of(error)}"
        raise UnexpectedAnswer(told) from error
    except (ValueError, TypeError) as error:
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


def check_columns(columns: Columns, selection: Selection, versions: bool) -> None:
    """Raise InvalidRequest where an inventory lacks a column that a filter, or a list of versions, needs."""
    if versions and not columns.has("VersionId"):
        problem = (
            "it has no column VersionId, which a replication needs; "
            "let the inventory include all versions, or seed without it"
        )
        raise InvalidRequest("inventory", problem)
    for field, column in _NEEDS.items():
        if getattr(selection, field) not in (None, frozenset()) and not columns.has(column):
            problem = f"the inventory has no column {column}; add it to the inventory, or drop the filter"
            raise InvalidRequest(field, problem)


def _flag(cell: str) -> bool | None:
    if cell not in _FLAGS:
        raise ValueError(f"a flag that is {shown(cell)}, neither 'true' nor 'false'")
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
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read(MOST_MANIFEST_BYTES + 1)
    except ClientError as error:
        if code_of(error) in _ABSENT:
            return None
        raise

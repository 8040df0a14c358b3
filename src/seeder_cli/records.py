"""How many records a file holds: CSV, JSON lines and Parquet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import BinaryIO

from seeder_cli.errors import CommandError
from seeder_cli.thrift import member

CSV, LINES, PARQUET = {".csv"}, {".jsonl", ".ndjson"}, {".parquet"}
_MAGIC = b"PAR1"
_ROWS = 3
"""The number of `num_rows` in FileMetaData, in the Parquet format's own parquet.thrift."""


def count_records(path: Path, header: bool) -> int:
    """Return the records of a file, told by the end of its name; `header` says whether a CSV's first row is none.

    Raises CommandError for another kind of file, or one that is not what its name says; OSError.
    """
    ending = path.suffix.lower()
    if ending in CSV:
        return _rows(path, header)
    if ending in LINES:
        return _lines(path)
    if ending in PARQUET:
        return _parquet(path)
    known = ", ".join(sorted(CSV | LINES | PARQUET))
    raise CommandError(f"{path}: its records can't be counted (known: {known}); give --records")


def _rows(path: Path, header: bool) -> int:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = sum(1 for row in csv.reader(file) if row)
    except csv.Error as error:
        raise CommandError(f"{path}: not CSV: {error}; give --records") from error
    return max(rows - header, 0)


def _lines(path: Path) -> int:
    """Count lines that hold something; the last may lack its end."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _parquet(path: Path) -> int:
    with path.open("rb") as file:
        footer = _footer(file)
    rows = member(footer, _ROWS) if footer else None
    if rows is None:
        raise CommandError(f"{path}: not a Parquet file, or one whose footer is encrypted; give --records")
    return rows


def _footer(file: BinaryIO) -> bytes:
    """Return the metadata at the end: `<metadata> <its length, 4 bytes> PAR1`; b"" where there is none."""
    size = file.seek(0, 2)
    if size < len(_MAGIC) * 3:
        return b""
    file.seek(size - 8)
    length, magic = int.from_bytes(file.read(4), "little"), file.read(4)
    if magic != _MAGIC or length > size - 12:
        return b""
    file.seek(size - 8 - length)
    return file.read(length)

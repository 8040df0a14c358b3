"""The rows of a completion report, taken from its bytes in bulk.

Contract: S3 User Guide, "Examples: S3 Batch Operations completion reports" (CSV, no header, CRLF). `ReportSchema`
names the last columns in another order than the rows have them, so the HTTP status is told from the error code by its
content: three digits, 100 to 599. The key is that of the manifest, still encoded.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from seeder.errors import UnexpectedAnswer

NO_VERSION = rb"\N"
"""The version of a row whose manifest row had an empty one."""

_COLUMNS = 7


def _repeated(row: re.Pattern[bytes]) -> re.Pattern[bytes]:
    """Return the pattern of as many rows as follow one another, without groups."""
    return re.compile(rb"(?:%b)++" % re.sub(rb"\((?!\?)", b"(?:", row.pattern))


_STATUS = re.compile(rb"[1-5][0-9]{2}")
_SPECIAL = re.compile(rb'[",\r\n]')
_BREAKS = re.compile(rb"\r\n|\r|\n")

# What S3 says of a success, in the order it is seen to write. The fields are cut at commas alone, three times as fast
# as by exact classes: `_plain` proves afterwards that no quote and no line end was within one.
_ENDS = (b",succeeded,200,,Successful\r\n", b",succeeded,200,,success\r\n")
_PLAIN = re.compile(rb"(?:[^,]++,[^,]++,[^,]*+(?:%b|%b))++" % _ENDS)

_FULL, _BARE, _QUOTED = rb'[^",\r\n]++', rb'[^",\r\n]*+', rb'"(?:[^"]++|"")*+"'
_END = rb"\r?+\n"
_SUCCEEDED = re.compile(rb"(?:%b,%b,%b,succeeded,2[0-9]{2},,%b%b)++" % (_FULL, _FULL, _BARE, _BARE, _END))
_FAILED_CELLS = (
    rb"(%b,%b)" % (_FULL, _FULL),
    rb"(%b)" % _BARE,
    rb"failed",
    rb"([1-5][0-9]{2})",
    rb"(%b)" % _BARE,
    rb"(%b|%b)" % (_QUOTED, _BARE),
)
_FAILED = re.compile(b",".join(_FAILED_CELLS) + _END)
# As fast as `_PLAIN`, and proven in the same way, by `_plain_failures`.
_PLAIN_FAILED = re.compile(rb'([^,]++,[^,]++),([^,]*+),failed,([1-5][0-9]{2}),([^,]*+),([^",\r]*+)\r\n')
_ALL_PLAIN_FAILED = _repeated(_PLAIN_FAILED)
_ALL_FAILED = _repeated(_FAILED)
_ANY = re.compile(b",".join([rb"(%b|%b)" % (_QUOTED, _BARE)] * _COLUMNS) + _END)
_RECORD = re.compile(rb'(?:[^"\n]++|%b)*+\n' % _QUOTED)


FailedRow = tuple[bytes, bytes, bytes, bytes, bytes]
"""A failed task: `bucket,key` as a manifest holds them, version, HTTP status, error code, and the message on one line,
all as cells of CSV. A plain tuple, for there may be millions."""


class Taken(NamedTuple):
    """What the whole rows at the start of some bytes say; the first `end` bytes are those rows."""

    end: int
    succeeded: int
    failed: list[FailedRow]


def take(text: bytes) -> Taken:
    """Take all whole rows of bytes that begin with a row. Raises UnexpectedAnswer for a row not understood."""
    at, succeeded = 0, 0
    failed: list[FailedRow] = []
    while at < len(text):
        if end := _plain(text, at) or _end(_SUCCEEDED, text, at):
            succeeded += text.count(b"\n", at, end)
        elif found := _plain_failures(text, at):
            end, rows = found
            failed += rows
        elif end := _end(_ALL_FAILED, text, at):
            failed += map(_one_line, _FAILED.findall(text, at, end))
        elif end := _end(_RECORD, text, at):
            row = parse_row(text[at:end])
            failed += [row] if row else []
            succeeded += not row
        else:
            break
        at = end
    return Taken(at, succeeded, failed)


def parse_row(text: bytes) -> FailedRow | None:
    """Return a row, which ends with its line end, if it failed; None if it succeeded.

    Raises UnexpectedAnswer where it has not seven cells, a task status, an HTTP status, a bucket and a key.
    """
    match = _ANY.fullmatch(text)
    if not match:
        raise _refused(text, f"{_COLUMNS} columns are expected")
    bucket, key, version, outcome, first, second, message = map(_unquoted, match.groups())
    if _STATUS.fullmatch(second) and not _STATUS.fullmatch(first):
        first, second = second, first
    if not _STATUS.fullmatch(first):
        raise _refused(text, "no column is an HTTP status")
    if outcome not in (b"succeeded", b"failed") or not bucket or not key:
        raise _refused(text, "a bucket, a key and a task status are expected")
    if outcome == b"succeeded":
        return None
    place = b"%b,%b" % (_for_manifest(bucket), _for_manifest(key))
    return _one_line((place, _cell(version), first, _cell(second), _cell(message)))


def key_of(place: bytes) -> str:
    """Return the key, decoded once, of a `bucket,key`."""
    return unquote_to_bytes(place.partition(b",")[2]).decode("utf-8", "replace")


def text_of(cell: bytes) -> str:
    """Return what a cell says."""
    return _unquoted(cell).decode("utf-8", "replace")


def _plain(text: bytes, at: int) -> int:
    """Return the end of the successes at a row's start, 0 where it is not certain that there are any."""
    end = _end(_PLAIN, text, at)
    if not end or text.find(b'"', at, end) >= 0:
        return 0
    return end if _line_ends(text, at, end) == sum(text.count(own, at, end) for own in _ENDS) else 0


def _plain_failures(text: bytes, at: int) -> tuple[int, list[FailedRow]] | None:
    """Return the failures at a row's start and their end, None where it is not certain that there are any."""
    end = _end(_ALL_PLAIN_FAILED, text, at)
    if not end or text.find(b'"', at, end) >= 0:
        return None
    rows: list[FailedRow] = _PLAIN_FAILED.findall(text, at, end)
    return (end, rows) if len(rows) == _line_ends(text, at, end) else None


def _line_ends(text: bytes, at: int, end: int) -> int:
    """Return how many line ends there are, or -1 where a part of one stands alone.

    A field that crossed a line end leaves one behind that no row's own end accounts for.
    """
    count = text.count(b"\n", at, end)
    return count if text.count(b"\r", at, end) == count else -1


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else 0


def _one_line(row: FailedRow) -> FailedRow:
    """Return the row with a space for each line break of its message, so that readers of lines can read it."""
    place, version, status, code, message = row
    return place, version, status, code, _BREAKS.sub(b" ", message)


def _for_manifest(value: bytes) -> bytes:
    """Return a value as it was echoed, but for characters that would need quotes: a manifest has none."""
    return _SPECIAL.sub(lambda found: b"%%%02X" % found[0][0], value)


def _cell(value: bytes) -> bytes:
    return b'"%b"' % value.replace(b'"', b'""') if _SPECIAL.search(value) else value


def _unquoted(cell: bytes) -> bytes:
    return cell[1:-1].replace(b'""', b'"') if cell[:1] == b'"' else cell


def _refused(text: bytes, why: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"report row {text[:500].decode('utf-8', 'replace')!r}: {why}")

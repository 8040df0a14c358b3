"""The failures of a report: counted by code, and written as the rows of two files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from seeder import advice
from seeder.advice import Advice, Kind
from seeder.errors import UnexpectedAnswer
from seeder.report_rows import NO_VERSION, FailedRow, key_of, text_of

MOST_CODES = 30
OTHER_CODES = "(other codes)"
NO_CODE = "(no code)"
FIELDS = ["Bucket", "Key"]
VERSION_FIELDS = [*FIELDS, "VersionId"]
_CODE_CHARACTERS = 64
_KEY_BYTES = 250
_MESSAGE_BYTES = 250


class Failure(BaseModel):
    """Failed tasks of one error code and one advice; `example_key` and `message` are those of the first.

    `kind`: `retryable` by another job, `permanent` for these objects, or a `person` must change something first.
    A key or message too long for the state of an execution ends in `…`.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    count: int
    example_key: str
    message: str
    kind: Kind = "person"
    advice: str = ""


@dataclass
class _Group:
    """Failures counted together; `first` is how they are told."""

    first: Failure
    count: int = 0


class Tally:
    """Groups failed rows, going on from the groups and the retry manifest's `fields` of earlier calls."""

    header = b"bucket,key,version_id,error_code,http_status,message,operation,round\n"

    def __init__(
        self, failures: Iterable[Failure], fields: Sequence[str], operation: str, round_number: int
    ) -> None:
        self.fields = list(fields)
        self._operation = operation
        self._end = f"{operation},{round_number}\n".encode()
        self._groups = {(item.code, item.advice): _Group(item, item.count) for item in failures}
        self._known: dict[tuple[bytes, bytes], tuple[_Group, bool]] = {}

    def add(self, rows: Iterable[FailedRow]) -> tuple[bytes, bytes, int]:
        """Count rows; return those of the failures' file, those of the retry manifest, and how many the latter are.

        Raises UnexpectedAnswer where some rows to retry have a version and others none: no manifest can hold both.
        """
        lines: list[bytes] = []
        again: list[bytes] = []
        known, end, columns = self._known, self._end, len(self.fields)
        for row in rows:
            place, version, status, code, message = row
            of = known.get((status, code))
            if of is None or version == NO_VERSION:
                of = self._judge(row)
            group, is_retryable = of
            group.count += 1
            lines.append(b",".join((place, version, code, status, message, end)))
            if is_retryable:
                if columns != (3 if version else 2):
                    columns = self._settle_fields(VERSION_FIELDS if version else FIELDS, place)
                again.append(b"%b,%b\n" % (place, version) if version else place + b"\n")
        return b"".join(lines), b"".join(again), len(again)

    def failures(self) -> list[Failure]:
        """Return the groups, most frequent first."""
        groups = (group.first.model_copy(update={"count": group.count}) for group in self._groups.values())
        return sorted(groups, key=lambda item: (-item.count, item.code, item.advice))

    def _judge(self, row: FailedRow) -> tuple[_Group, bool]:
        """Return the group of a row and whether to retry it; remember both where its message plays no part."""
        place, version, status, code_cell, message_cell = row
        code, message = text_of(code_cell)[:_CODE_CHARACTERS], text_of(message_cell)
        if version == NO_VERSION:
            # What such a row would be retried with is a guess: `null` may name another version than was meant.
            told = advice.NO_VERSION
        else:
            told = advice.explain(code, int(status), message, self._operation)
        of = self._group(place, code or NO_CODE, message, told), told.kind == "retryable"
        if version != NO_VERSION and not advice.depends_on_message(code):
            self._known[status, code_cell] = of
        return of

    def _group(self, place: bytes, code: str, message: str, told: Advice) -> _Group:
        found = self._groups.get((code, told.text))
        if found is None and len(self._groups) >= MOST_CODES:
            code, told = OTHER_CODES, advice.OTHERS
            found = self._groups.get((code, told.text))
        if found is None:
            first = Failure(
                code=code,
                count=0,
                example_key=_shortened(key_of(place), _KEY_BYTES),
                message=_shortened(message, _MESSAGE_BYTES),
                kind=told.kind,
                advice=told.text,
            )
            found = self._groups[code, told.text] = _Group(first)
        return found

    def _settle_fields(self, fields: list[str], place: bytes) -> int:
        if self.fields:
            raise UnexpectedAnswer(
                f"the report's row of {place.decode('utf-8', 'replace')!r} has the columns {fields}, where others to "
                f"retry have {self.fields}: no manifest can hold both"
            )
        self.fields = fields
        return len(fields)


def _shortened(text: str, most: int) -> str:
    """Return the text, cut where it is more than `most` bytes of JSON."""
    if len(json.dumps(text)) <= most:
        return text
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(json.dumps(text[:middle])) < most else (low, middle - 1)
    return text[:low] + "…"

"""Objects to seed in a demo: made up, or read from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

from botocore.exceptions import ClientError, ParamValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seeder.documents import parsed, shown
from seeder.errors import one_line
from seeder_cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COUNT = 836
LARGEST_REAL = 64 * 1024**2
LARGE_BYTES = 6 * 1024**3
_PART_BYTES = 512 * 1024**2
_LONGEST_KEY = 1024

_AWKWARD = [
    " leading and trailing ",
    "100% sure.txt",
    "a+b=c.txt",
    "a%2Bb.txt",
    "a%252Bb.txt",
    "question?and#hash.txt",
    "semi;colon&ampersand.txt",
    'comma, "quotes", more.csv',
    "it's.txt",
    "new\nline.txt",
    "carriage\r\nreturn.txt",
    "tab\tkey.txt",
    "/leading slash.txt",
    "double//slash.txt",
    "trailing/slash/",
    "dots/./and/../more.txt",
    "emoji/🦊/🏔️.jpg",
    "umlaut/äöüß.txt",
    "中文/日本語/한국어.txt",
    "combining/e\u0301.txt",
    "brackets/[a]{b}(c)<d>.txt",
    "back\\slash.txt",
    "tilde~hat^pipe|.txt",
    "long/" + "x" * (_LONGEST_KEY - 5),
]


class Sample(BaseModel):
    """One object to put: its key, size in bytes, metadata and tags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[str, Field(min_length=1)]
    size: Annotated[int, Field(ge=0)]
    metadata: dict[str, str] = {}
    tags: dict[str, str] = {}
    storage_class: Literal[
        "STANDARD",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER_IR",
        "GLACIER",
        "DEEP_ARCHIVE",
    ] = "STANDARD"

    @property
    def is_declared(self) -> bool:
        """Whether the object is too large to hold its bytes: the local cloud only knows its size."""
        return self.size > LARGEST_REAL

    @property
    def body(self) -> bytes:
        """Bytes that depend on the key alone, so that no two objects are the same."""
        block = hashlib.sha256(self.key.encode()).digest()
        return (block * (self.size // len(block) + 1))[: self.size]


def made_up() -> list[Sample]:
    """Return the demo's own objects: nested prefixes, some metadata and tags, and awkward keys."""
    nested = [
        Sample(
            key=f"logs/year={2020 + number % 5}/month={number % 12 + 1:02}/part-{number:05}.csv",
            size=number % 700,
            metadata={"origin": f"import-{number}"} if number % 50 == 0 else {},
            tags={"team": "data", "batch": str(number)} if number % 70 == 0 else {},
        )
        for number in range(COUNT - len(_AWKWARD))
    ]
    return nested + [Sample(key=key, size=len(key)) for key in _AWKWARD]


def large(count: int) -> list[Sample]:
    """Return objects of 6 GiB, more than a job can copy."""
    return [Sample(key=f"large/disk-{number}.img", size=LARGE_BYTES) for number in range(count)]


def archived(count: int) -> list[Sample]:
    """Return objects in an archive, which must be restored before they can be copied."""
    return [
        Sample(key=f"archived/{number}.tar", size=1000 + number, storage_class="DEEP_ARCHIVE")
        for number in range(count)
    ]


def read(path: Path) -> list[Sample]:
    """Return the objects of a file with one JSON object a line. Raises CommandError naming line and field."""
    return list(_parse(path))


def _parse(path: Path) -> Iterator[Sample]:
    try:
        text = path.read_text("utf-8")
    except ValueError as error:
        raise CommandError(f"--keys {path}: not UTF-8: {error}") from error
    # Not `splitlines`: a key may hold what Python, and no reader of JSON lines, takes for a line's end.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"--keys {path}: line {number}"
        try:
            sample = Sample.model_validate_json(line)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in problem["loc"]) or "line"
            value = "" if problem["type"] == "missing" else f"{shown(problem['input'])}: "
            raise CommandError(
                one_line(f'{where}: {field}: {value}{problem["msg"]}; a line is {{"key": "a/b", "size": 10}}')
            ) from error
        if len(sample.key.encode()) > _LONGEST_KEY:
            raise CommandError(f"{where}: key: {len(sample.key.encode())} bytes; S3 takes {_LONGEST_KEY}")
        yield sample


def put(s3: S3Client, bucket: str, samples: Iterable[Sample], declare: Callable[..., Any]) -> None:
    """Put the objects into a bucket, the largest by `declare`. Raises CommandError for one that S3 refuses."""
    for sample in samples:
        try:
            if sample.is_declared:
                declare(
                    bucket,
                    sample.key,
                    sample.size,
                    storage_class=sample.storage_class,
                    metadata=sample.metadata,
                    tags=sample.tags,
                    part_size=_PART_BYTES,
                )
                continue
            s3.put_object(
                Bucket=bucket,
                Key=sample.key,
                Body=sample.body,
                Metadata=sample.metadata,
                Tagging=urlencode(sample.tags),
                StorageClass=sample.storage_class,
            )
        except (ClientError, ParamValidationError) as error:
            raise CommandError(f"object {sample.key!r} can't be put: {error}") from error


def read_faults(path: Path) -> list[dict[str, object]]:
    """Return the list in a file of faults. Raises CommandError when it is none."""
    try:
        document = parsed(path.read_text("utf-8"))
    except ValueError as error:
        raise CommandError(f"--faults {path}: not JSON: {error}") from error
    if not isinstance(document, list) or not all(isinstance(item, dict) for item in document):
        raise CommandError(f"--faults {path}: a list of objects is expected, such as {_FAULTS}")
    return document


_FAULTS = '[{"key_prefix": "logs/", "status": 403, "code": "AccessDenied", "times": null}]'

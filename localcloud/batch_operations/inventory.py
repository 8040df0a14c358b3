"""Manifests in S3 Inventory's format, genuine or made by hand.

Contract: S3 User Guide, "Inventory lists" (manifest.json, fileSchema) and "Using an S3 Inventory report as a
manifest".
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, cast

from localcloud.batch_operations.exceptions import JobFailedError
from localcloud.batch_operations.manifest import (
    Columns,
    TaskSource,
    counted,
    fetch,
    read_object,
    spooled,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from localcloud.batch_operations.job_session import JobSession
    from localcloud.batch_operations.settings import Settings
    from localcloud.batch_operations.task import Task

_GZIP = b"\x1f\x8b"


def open_inventory_manifest(location: dict[str, Any], session: JobSession, settings: Settings) -> TaskSource:
    """Fetch and check an inventory and all its data files. Raises JobFailedError."""
    with fetch(location, session, settings, kms=True) as file:
        document = _parse(file.read(), settings)
    columns = Columns.of([name.strip() for name in document["fileSchema"].split(",")], settings)
    bucket = document["destinationBucket"].rsplit(":", 1)[-1]
    with ExitStack() as opening:
        copies = [
            opening.enter_context(_data_file(entry, bucket, session, settings)) for entry in document["files"]
        ]
        close = opening.pop_all().close

    def tasks() -> Generator[Task, None, None]:
        for copy in copies:
            yield from _rows(copy, columns, settings)

    return counted(tasks, close, settings)


def _parse(body: bytes, settings: Settings) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(body)
        entries_complete = all({"key", "MD5checksum"} <= set(entry) for entry in document["files"])
        complete = entries_complete and {"fileSchema", "destinationBucket", "fileFormat"} <= set(document)
    except (ValueError, KeyError, TypeError) as error:
        raise _content(f"The inventory's manifest.json cannot be read: {error!r}", settings) from error
    if not complete:
        raise _content("The inventory's manifest.json lacks required fields", settings)
    if document["fileFormat"] != "CSV":
        raise _content(f"Inventory format {document['fileFormat']} is not supported; use CSV", settings)
    return document


def _data_file(entry: dict[str, Any], bucket: str, session: JobSession, settings: Settings) -> IO[bytes]:
    copy = spooled(read_object(session, bucket, entry["key"], None, settings))
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in iter(lambda: copy.read(1 << 20), b""):
        digest.update(chunk)
    if digest.hexdigest() != entry["MD5checksum"]:
        copy.close()
        raise _content(f"The MD5 of {entry['key']} does not match MD5checksum in the inventory", settings)
    return copy


def _rows(copy: IO[bytes], columns: Columns, settings: Settings) -> Iterator[Task]:
    copy.seek(0)
    zipped = copy.read(2) == _GZIP
    copy.seek(0)
    raw: IO[bytes] = cast("IO[bytes]", gzip.GzipFile(fileobj=copy)) if zipped else copy
    try:
        with text_of(raw) as text:
            yield from columns.tasks(text, settings)
    except (OSError, EOFError, zlib.error) as error:
        raise _content(f"A data file of the inventory cannot be unpacked: {error}", settings) from error


def _content(reason: str, settings: Settings) -> JobFailedError:
    return JobFailedError(settings.failure_codes.content, reason)

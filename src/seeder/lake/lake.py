"""A data lake that many write: files written once under `datasets/`, and registered by compare-and-swap.

    datasets/<name>/<k=v>/…/<file>
    metastore/dataset_registry.json       counts and newest files of each dataset, pointers to the others
    metastore/datasets/<name>/<id>.json   lists of older changes, written once

A file is written first, then registered: one that is not registered is no part of the lake. Whoever dies between the
two calls again, or leaves it to `upkeep.repair`: the object itself tells its records and schema version.

Revisions count changes of files. A lake that is split has one registry for each dataset, whose revisions are its own,
and a root that lists them: S3 takes about 15 swaps a second of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from seeder.errors import AlreadyExists, Gone, InvalidRequest
from seeder.lake import changelog, multipart, objects
from seeder.lake.changelog import Change
from seeder.lake.entry import Entry, key_of, names_of
from seeder.lake.lists import StoredLists
from seeder.lake.objects import Written
from seeder.lake.registries import Registries
from seeder.lake.retry import USUAL, Retry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGE_BYTES = 32 * 1024 * 1024
"""Files over this are uploaded in parts."""
RECORDS, SCHEMA = "seeder-records", "seeder-schema-version"
"""The names in an object's metadata of what the registry is to say of it."""


class View(NamedTuple):
    """The files that were registered in one revision, by key."""

    revision: int
    entries: dict[str, Entry]


class Dataset(NamedTuple):
    """What a registry says of a dataset without its lists; `schema_version` is the highest of its files."""

    partition_names: tuple[str, ...]
    files: int
    records: int
    bytes: int
    schema_version: int
    updated_at: str


class Lake:
    """The lake of a bucket. Threads may share it.

    `group` gathers the updates of this process's threads into fewer writes. `split` says what the lake is, or is to
    become with its first file; `Lake.open` finds out. Needs s3:GetObject, s3:PutObject, s3:ListBucket and
    s3:AbortMultipartUpload, and to remove files s3:DeleteObject. All methods raise what `Registry` does.
    """

    def __init__(
        self,
        s3: S3Client,
        bucket: str,
        *,
        split: bool = False,
        group: bool = False,
        retry: Retry = USUAL,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.s3, self.bucket, self.retry, self.now = s3, bucket, retry, now
        self.lists = StoredLists(s3, bucket, retry)
        self.registries = Registries(s3, bucket, split, group, retry)
        self._seen: dict[str, dict[str, Any]] = {}

    @classmethod
    def open(cls, s3: S3Client, bucket: str, **given: Any) -> Lake:
        """Return the lake as it stands, split or not; `given` is what the constructor takes besides."""
        return cls(s3, bucket, split=Registries.are_split(s3, bucket, given.get("retry", USUAL)), **given)

    def __enter__(self) -> Lake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what a group commit has waiting."""
        self.registries.close()

    def add_file(
        self,
        dataset: str,
        partition: Mapping[str, str],
        name: str,
        body: bytes | Path,
        records: int,
        schema_version: int = 1,
        *,
        tell: Callable[[int], None] | None = None,
    ) -> Entry:
        """Write a file once and register it; return its entry, which is the first one's where this is a repeat.

        `tell` is given the bytes sent so far. Raises AlreadyExists where the file has other bytes, records or schema
        version; InvalidRequest for names that make no key and partition names that the dataset has not.
        """
        key = key_of(dataset, partition, name)
        for field, value, least in (("records", records, 0), ("schema_version", schema_version, 1)):
            if value < least:
                raise InvalidRequest(field, f"{value} is less than {least}; give the file's own")
        before = self._seen.get(dataset) or self.registries.read(dataset)
        changelog.require_partition(before, dataset, list(partition))
        self.registries.of(dataset, is_new=True)
        metadata = {RECORDS: str(records), SCHEMA: str(schema_version)}
        size, written = self._write(key, body, metadata, tell or (lambda sent: None))
        entry = Entry(key, size, written.etag, records, schema_version)
        # What was not there is registered by none who came before.
        return self.register(entry, since=before.get("revision", 0) if written.is_new else 0)

    def register(self, entry: Entry, since: int = 0) -> Entry:
        """Register a file that stands; return its entry, the one that is registered where one is.

        `since` is a revision in which it was not registered. Raises AlreadyExists where it is registered otherwise.
        """
        registered = entry

        def swap(body: dict[str, Any]) -> dict[str, Any] | None:
            nonlocal registered
            found = changelog.find(body, entry.key, self.lists, since)
            if found is not None and not found.is_same_file(entry):
                raise AlreadyExists(f"s3://{self.bucket}/{entry.key} is registered otherwise: {found}")
            if found is not None:
                registered = found
                return None
            at = self._now()
            made = changelog.add(body, entry, at, self.lists)
            registered = entry._replace(added_at=at, revision=made["revision"])
            return made

        self._seen[entry.dataset] = self.registries.of(entry.dataset, is_new=True).update(swap).body
        return registered

    def remove_files(self, keys: Iterable[str]) -> list[Entry]:
        """Take files out of the registry, then delete them; return those that were registered.

        Files of one dataset go in one swap. Raises Lost where a file was written anew since it was registered.
        """
        by_dataset: dict[str, list[str]] = {}
        for key in keys:
            by_dataset.setdefault(names_of(key).dataset, []).append(key)
        removed = [entry for dataset, some in by_dataset.items() for entry in self._unregister(dataset, some)]
        for entry in removed:
            with suppress(Gone):
                objects.delete(self.s3, self.bucket, entry.key, entry.etag, retry=self.retry)
        return removed

    def read(self, dataset: str = "", revision: int | None = None) -> View:
        """Return the files of one revision, the last by default; of a dataset, or of all.

        Raises InvalidRequest for a revision that is not there yet, and without a dataset where the lake is split.
        """
        body = self.registries.read(dataset)
        last = body.get("revision", 0)
        revision = last if revision is None else revision
        if not 0 <= revision <= last:
            raise InvalidRequest("revision", f"{revision} is not there; give 0 to {last}")
        found = (change for change in self._changes(body, dataset, 0) if change.revision <= revision)
        return View(revision, changelog.standing(found))

    def changes(self, since: int = 0, dataset: str = "") -> list[Change]:
        """Return what became of a dataset, or of all, after a revision, oldest first; since 0 it is the history."""
        return sorted(self._changes(self.registries.read(dataset), dataset, since))

    def datasets(self) -> dict[str, Dataset]:
        """Return what the registries say of each dataset, by name; no list is read."""
        names = Dataset._fields
        return {
            dataset: Dataset(tuple(held["partition_names"]), *(held[name] for name in names[1:]))
            for shard in self.registries.names()
            for dataset, held in sorted(changelog.datasets(self.registries.read(shard)).items())
        }

    def _changes(self, body: dict[str, Any], dataset: str, since: int) -> Iterable[Change]:
        for name in [dataset] if dataset else changelog.datasets(body):
            yield from changelog.changes(body, name, self.lists, since)

    def _unregister(self, dataset: str, keys: list[str]) -> list[Entry]:
        removed: list[Entry] = []

        def swap(body: dict[str, Any]) -> dict[str, Any] | None:
            found = changelog.standing(changelog.changes(body, dataset, self.lists))
            removed[:] = [found[key] for key in dict.fromkeys(keys) if key in found]
            for entry in removed:
                body = changelog.remove(body, entry, self._now(), self.lists)
            return body if removed else None

        self._seen[dataset] = self.registries.of(dataset).update(swap).body
        return removed

    def _write(
        self, key: str, body: bytes | Path, metadata: Mapping[str, str], tell: Callable[[int], None]
    ) -> tuple[int, Written]:
        if isinstance(body, Path) and body.stat().st_size > LARGE_BYTES:
            with body.open("rb") as source:
                written = multipart.create(
                    self.s3, self.bucket, key, source, metadata=metadata, retry=self.retry, tell=tell
                )
                return source.seek(0, 2), written
        data = body.read_bytes() if isinstance(body, Path) else body
        written = objects.create(self.s3, self.bucket, key, data, metadata=metadata, retry=self.retry)
        tell(len(data))
        return len(data), written

    def _now(self) -> str:
        return self.now().isoformat(timespec="milliseconds")

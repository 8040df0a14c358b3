"""Whether a lake's registry and its objects agree, and what makes them.

Objects are listed first, then the registry is read, so that a file registered meanwhile is no orphan. An orphan
younger than a bound may still be registered by whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from seeder.errors import AlreadyExists, Gone, InvalidRequest, aws_errors
from seeder.lake import changelog, objects
from seeder.lake.conditional import Place
from seeder.lake.entry import ROOT, Entry, names_of
from seeder.lake.lake import RECORDS, SCHEMA, Lake
from seeder.lake.lists import FOLDER, list_key
from seeder.lake.retry import Attempts

SETTLED_AFTER = timedelta(hours=1)
"""By then whoever wrote an object has registered it, or died."""

Problem = Literal["missing", "different", "orphan", "foreign", "counts", "left-over"]


class Finding(NamedTuple):
    """Something that does not agree, and what to do.

    missing: a registered file is not there. different: its size or ETag is another. orphan: an object is not
    registered. foreign: neither, and it does not tell what a registration needs. counts: a dataset's are wrong.
    left-over: a list of changes to which no registry leads.
    """

    problem: Problem
    key: str
    detail: str


class _Object(NamedTuple):
    size: int
    etag: str
    written_at: datetime


def verify(lake: Lake, settled_after: timedelta = timedelta(0)) -> list[Finding]:
    """Return what does not agree, by key; nothing where all does. Reads all lists, and lists all objects.

    What is younger than `settled_after` is left out of account: what others write is an orphan for a moment.

    Needs s3:ListBucket and s3:GetObject. Raises what `Registry.read` raises.
    """
    listed, lists = _listed(lake, ROOT), _listed(lake, FOLDER)
    entries: dict[str, Entry] = {}
    findings: list[Finding] = []
    led_to: set[str] = set()
    for shard in lake.registries.names():
        body = lake.registries.read(shard)
        led_to |= {list_key(*name) for name in changelog.list_names(body, lake.lists)}
        for dataset in changelog.datasets(body):
            held = changelog.standing(changelog.changes(body, dataset, lake.lists))
            entries |= held
            if changelog.recounted(body, dataset, held):
                findings.append(Finding("counts", f"{ROOT}{dataset}/", "not those of its files; repair"))
    findings += _unequal(lake, entries, listed)
    findings += _orphans(lake, listed.keys() - entries.keys(), listed, settled_after)
    findings += [
        Finding("left-over", key, "no registry leads to it; repair")
        for key in _old(lake, lists, settled_after)
        if key not in led_to and not key.endswith("/registry.json")
    ]
    return sorted(findings, key=lambda finding: finding.key)


def repair(lake: Lake, settled_after: timedelta = SETTLED_AFTER) -> tuple[list[Finding], list[Finding]]:
    """Do what can be done about what `verify` finds; return that, and what is left for a person.

    Orphans are registered, or deleted where they were removed from the registry; counts made right; left-over lists
    deleted. Missing and different files are left. Needs what `Lake` does, and s3:DeleteObject; raises what its methods
    raise.
    """
    done: list[Finding] = []
    left: list[Finding] = []
    for finding in verify(lake, settled_after):
        (done if _repaired(lake, finding) else left).append(finding)
    return done, left


def _repaired(lake: Lake, finding: Finding) -> bool:
    if finding.problem == "counts":
        _recount(lake, finding.key.removeprefix(ROOT).strip("/"))
        return True
    if finding.problem not in {"orphan", "left-over"}:
        return False
    place = Place(lake.s3, lake.bucket, finding.key)
    stands = Attempts(lake.retry, place.url).read(place.look)
    if stands is None:
        return True
    if finding.problem == "left-over" or _was_removed(lake, finding.key):
        with suppress(Gone):
            objects.delete(lake.s3, lake.bucket, finding.key, stands.etag, retry=lake.retry)
        return True
    told = _told(lake, finding.key)
    if told is None:
        return False
    with suppress(AlreadyExists):
        lake.register(told)
        return True
    return False


def _recount(lake: Lake, dataset: str) -> None:
    def swap(body: dict[str, Any]) -> dict[str, Any] | None:
        held = changelog.standing(changelog.changes(body, dataset, lake.lists))
        return changelog.recounted(body, dataset, held)

    lake.registries.of(dataset).update(swap)


def _was_removed(lake: Lake, key: str) -> bool:
    found = [change for change in lake.changes(dataset=names_of(key).dataset) if change.entry.key == key]
    return bool(found) and not found[-1].is_added


def _unequal(lake: Lake, entries: dict[str, Entry], listed: dict[str, _Object]) -> Iterator[Finding]:
    for key, entry in entries.items():
        found = listed.get(key)
        if found is None:
            place = Place(lake.s3, lake.bucket, key)
            # It may have been written after the objects were listed.
            stands = Attempts(lake.retry, place.url).read(place.look)
            if stands is None:
                yield Finding("missing", key, "restore its version, or remove it from the registry")
                continue
            found = _Object(stands.size, stands.etag, lake.now())
        if (found.size, found.etag) != (entry.size, entry.etag):
            yield Finding(
                "different", key, f"{found.size} bytes, {found.etag}; registered: {entry.size}, {entry.etag}"
            )


def _orphans(
    lake: Lake, keys: set[str], listed: dict[str, _Object], settled_after: timedelta
) -> Iterator[Finding]:
    for key in _old(lake, {key: listed[key] for key in keys}, settled_after):
        if _told(lake, key) is None:
            yield Finding(
                "foreign",
                key,
                "not registered, and does not tell its records; add it by its bytes, or delete it",
            )
        else:
            yield Finding("orphan", key, "not registered; repair")


def _told(lake: Lake, key: str) -> Entry | None:
    """Return the entry that an object's own key and metadata make, None where they don't, or it is gone."""
    place = Place(lake.s3, lake.bucket, key)
    stands = Attempts(lake.retry, place.url).read(place.look)
    if stands is None:
        return None
    try:
        names_of(key)
        records, version = int(stands.metadata[RECORDS]), int(stands.metadata[SCHEMA])
    except (InvalidRequest, KeyError, ValueError):
        return None
    return Entry(key, stands.size, stands.etag, records, version)


def _old(lake: Lake, listed: dict[str, _Object], settled_after: timedelta) -> list[str]:
    bound = lake.now() - settled_after
    return sorted(key for key, found in listed.items() if found.written_at <= bound)


def _listed(lake: Lake, prefix: str) -> dict[str, _Object]:
    with aws_errors():
        pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix)
        return {
            item["Key"]: _Object(item["Size"], item["ETag"], item["LastModified"])
            for page in pages
            for item in page.get("Contents", [])
        }

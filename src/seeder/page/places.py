"""What a run was asked, and where the files stand that it has left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from seeder.page.markup import Child, Markup, key, tag
from seeder.page.words import listed, mapping, text_of
from seeder.page.work import Shown, shown

if TYPE_CHECKING:
    from seeder.record import Record

_MOST_FILES = 100


def request(record: Record) -> Shown | None:
    """Return the fields of the request that were given, as they were; None where none is known."""
    if not record.request:
        return None
    told = [tag("div", tag("dt", name), tag("dd", _value(value))) for name, value in record.request.items()]
    told = [*told, *([_entry("operation", record.operation)] if "operation" not in record.request else [])]
    return shown("request", "As it was asked", tag("dl", told, class_="pairs"))


def files(record: Record, state_bucket: str) -> Shown | None:
    """Return the addresses of the run's files; None where none is known."""
    found: list[tuple[str, str]] = []
    if state_bucket:
        folder = f"s3://{state_bucket}/runs/{record.run_id}/"
        found += [("Record", f"{folder}run.json"), ("This page", f"{folder}report.html")]
        found += [("Manifests, reports", folder)] if record.jobs else []
    found += [("Failed objects, a row each", address) for address in record.failure_files]
    differs = mapping(mapping(record.verification).get("differs"))
    if differs.get("etag"):
        found.append(
            ("Missing or different", f"s3://{text_of(differs.get('bucket'))}/{text_of(differs.get('key'))}")
        )
    found += [("Archived", address) for address in record.archived_manifests]
    if not found:
        return None
    told: dict[str, list[str]] = {}
    for name, address in found[:_MOST_FILES]:
        told.setdefault(name, []).append(address)
    entries = [
        tag("div", tag("dt", name), tag("dd", [tag("p", key(address)) for address in addresses]))
        for name, addresses in told.items()
    ]
    left = len(found) - _MOST_FILES
    more = tag("p", f"And {left} more: the record names them.", class_="quiet") if left > 0 else None
    return shown("files", "Where its files stand", tag("dl", entries, class_="pairs"), more)


def _entry(name: str, value: str) -> Markup:
    return tag("div", tag("dt", name), tag("dd", key(value)))


def _value(value: object) -> Child:
    """Return a value of the request: a text as it is, a list or mapping with each member apart."""
    if isinstance(value, str):
        return key(value)
    if isinstance(value, dict):
        return [tag("p", key(str(name)), " = ", _value(member)) for name, member in value.items()]
    if isinstance(value, (list, tuple)):
        return [tag("p", _value(member)) for member in listed(value)]
    return key(json.dumps(value, ensure_ascii=False, default=str))

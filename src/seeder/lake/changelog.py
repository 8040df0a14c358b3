"""What became of datasets, as a registry holds it: the newest changes inline, older ones in lists beside it.

A change adds a file or removes one. When the inline changes of all datasets exceed `INLINE_BYTES`, whoever made the
last of them writes those of the fullest dataset as one list, and in the same swap leaves a pointer in their place;
when a dataset has `FANOUT` pointers of one level, they go into a list of the level above. Lists are never changed, so
readers of older revisions need no copies. Each change is written inline while it is new, then once in a list, and its
share of a pointer once for each level: an update writes a registry of some 16 KiB, with a few KiB of pointers for each
level, and at times a list of the same size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from seeder.errors import InvalidRequest, UnexpectedAnswer
from seeder.lake.entry import Entry, names_of

INLINE_BYTES = 16 * 1024
FANOUT = 32

Body = dict[str, Any]


class Change(NamedTuple):
    """What one revision did: `entry` was registered, or is no more."""

    revision: int
    at: str
    is_added: bool
    entry: Entry


class Lists(Protocol):
    """Where lists are kept."""

    def write(self, dataset: str, items: list[Any]) -> str:
        """Keep a list; return its id, which follows from what it holds."""

    def read(self, dataset: str, name: str) -> list[Any]:
        """Return the list with that id."""

    def fetch(self, dataset: str, names: list[str]) -> None:
        """Make ready, at once, lists that are read next."""


def add(body: Body, entry: Entry, at: str, lists: Lists) -> Body:
    """Register a file in the body, and return that. Raises InvalidRequest as `require_partition` does."""
    names = names_of(entry.key)
    require_partition(body, names.dataset, list(names.partition))
    held = _begin(body, names.dataset, list(names.partition))
    held["schema_version"] = max(held["schema_version"], entry.schema_version)
    _note(body, names.dataset, entry, at, 1)
    return _spilled(body, lists)


def require_partition(body: Body, dataset: str, partition_names: list[str]) -> None:
    """Raise InvalidRequest for partition names that a dataset has not."""
    has = datasets(body).get(dataset, {}).get("partition_names", partition_names)
    if has != partition_names:
        raise InvalidRequest(
            "partition", f"{dataset} has {has}, not {partition_names}; give those, in that order"
        )


def remove(body: Body, entry: Entry, at: str, lists: Lists) -> Body:
    """Take a file that is registered out of the body, and return that."""
    _note(body, entry.dataset, entry, at, -1)
    return _spilled(body, lists)


def changes(body: Body, dataset: str, lists: Lists, since: int = 0) -> Iterator[Change]:
    """Yield what became of a dataset after a revision, oldest first; only lists with later changes are read."""
    held = datasets(body).get(dataset, {"lists": [], "recent": []})
    for source in (_items(held["lists"], dataset, lists, since), held["recent"]):
        for item in source:
            if item["revision"] > since:
                yield _change(item)


def find(body: Body, key: str, lists: Lists, since: int = 0) -> Entry | None:
    """Return the file if it is registered, as far as changes after a revision tell."""
    found = changes(body, names_of(key).dataset, lists, since)
    return standing(change for change in found if change.entry.key == key).get(key)


def standing(all_changes: Iterator[Change]) -> dict[str, Entry]:
    """Return the files that are registered after these changes, by key."""
    entries: dict[str, Entry] = {}
    for change in all_changes:
        if change.is_added:
            entries[change.entry.key] = change.entry
        else:
            entries.pop(change.entry.key, None)
    return entries


def datasets(body: Body) -> Mapping[str, Any]:
    """Return what the body holds of each dataset, by name."""
    found: Mapping[str, Any] = body.get("datasets", {})
    return found


def list_names(body: Body, lists: Lists) -> set[tuple[str, str]]:
    """Return dataset and id of each list that the body leads to."""
    names: set[tuple[str, str]] = set()

    def follow(dataset: str, pointers: list[Any]) -> None:
        for pointer in pointers:
            names.add((dataset, pointer["list"]))
            if pointer["level"]:
                follow(dataset, _under(pointer, dataset, lists))

    for dataset, held in datasets(body).items():
        follow(dataset, held["lists"])
    return names


def recounted(body: Body, dataset: str, entries: Mapping[str, Entry]) -> Body | None:
    """Return the body with the counts of these files, None where it has them."""
    held = body["datasets"][dataset]
    counts = {
        "files": len(entries),
        "records": sum(entry.records for entry in entries.values()),
        "bytes": sum(entry.size for entry in entries.values()),
    }
    if counts.items() <= held.items():
        return None
    return {**body, "datasets": {**body["datasets"], dataset: {**held, **counts}}}


def encoded(items: Any) -> bytes:
    """Return a list as it is kept."""
    return json.dumps(items, ensure_ascii=False, separators=(",", ":")).encode()


def _begin(body: Body, dataset: str, partition_names: list[str]) -> Body:
    """Make the members of a dataset where the body has none; return them."""
    body.setdefault("revision", 0)
    counts = {"files": 0, "records": 0, "bytes": 0, "schema_version": 0, "updated_at": ""}
    fresh = {"partition_names": partition_names, **counts, "lists": [], "recent": []}
    held: Body = body.setdefault("datasets", {}).setdefault(dataset, fresh)
    return held


def _note(body: Body, dataset: str, entry: Entry, at: str, sign: int) -> None:
    held = body["datasets"][dataset]
    body["revision"] += 1
    body["updated_at"] = held["updated_at"] = at
    held["files"] += sign
    held["records"] += sign * entry.records
    held["bytes"] += sign * entry.size
    what = "added" if sign > 0 else "removed"
    held["recent"].append({"revision": body["revision"], "at": at, what: entry.document()})


def _spilled(body: Body, lists: Lists) -> Body:
    sizes = {name: len(encoded(held["recent"])) for name, held in body["datasets"].items() if held["recent"]}
    if sum(sizes.values()) > INLINE_BYTES:
        name = max(sizes, key=lambda each: sizes[each])
        held = body["datasets"][name]
        changed = held["recent"]
        held["lists"].append(
            _pointer(changed[0]["revision"], changed[-1]["revision"], 0, changed, name, lists)
        )
        held["recent"] = []
        _fold(held, name, lists)
    return body


def _fold(held: Body, dataset: str, lists: Lists) -> None:
    level = 0
    while len(full := [one for one in held["lists"] if one["level"] == level]) >= FANOUT:
        above = _pointer(full[0]["first"], full[-1]["last"], level + 1, full, dataset, lists)
        held["lists"] = [one for one in held["lists"] if one["level"] > level] + [above]
        level += 1


def _pointer(first: int, last: int, level: int, items: list[Any], dataset: str, lists: Lists) -> Body:
    return {"list": lists.write(dataset, items), "level": level, "first": first, "last": last}


def _items(pointers: list[Body], dataset: str, lists: Lists, since: int) -> Iterator[Body]:
    wanted = [pointer for pointer in pointers if pointer["last"] > since]
    lists.fetch(dataset, [pointer["list"] for pointer in wanted])
    for pointer in wanted:
        items = _under(pointer, dataset, lists)
        yield from _items(items, dataset, lists, since) if pointer["level"] else items


def _under(pointer: Body, dataset: str, lists: Lists) -> list[Any]:
    """Return the list that a pointer leads to: of pointers of the level below, or of changes."""
    items = lists.read(dataset, pointer["list"])
    if any(item.get("level", -1) != pointer["level"] - 1 for item in items):
        raise UnexpectedAnswer(
            f"the list {pointer['list']} of {dataset} is not of the level that leads to it; restore both"
        )
    return items


def _change(item: Body) -> Change:
    is_added = "added" in item
    held = dict(item["added" if is_added else "removed"])
    del held["partition"]
    entry = Entry(**held)
    if is_added:
        entry = entry._replace(added_at=item["at"], revision=item["revision"])
    return Change(item["revision"], item["at"], is_added, entry)

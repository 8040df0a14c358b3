"""A file of a dataset, and the key that its names make: `datasets/<name>/<k=v>/…/<file>`.

In partition names and values what would end them is written as `%` and two hex digits, as Hive does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from seeder.errors import InvalidRequest

ROOT = "datasets/"
MOST_KEY_BYTES = 1024

_ESCAPED = re.compile(r"[%/=\x00-\x1f\x7f]")


class Names(NamedTuple):
    """What a key says: the dataset, the partition's names and values in their order, and the file's name."""

    dataset: str
    partition: dict[str, str]
    name: str


class Entry(NamedTuple):
    """A registered file. `size` is in bytes, `added_at` ISO 8601 in UTC, `revision` that which registered it."""

    key: str
    size: int
    etag: str
    records: int
    schema_version: int
    added_at: str = ""
    revision: int = 0

    @property
    def partition(self) -> dict[str, str]:
        """The partition's names and values."""
        return names_of(self.key).partition

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return names_of(self.key).dataset

    def document(self) -> dict[str, Any]:
        """Return what a registry holds of it."""
        held = self._asdict()
        del held["added_at"], held["revision"]
        return {**held, "partition": self.partition}

    def is_same_file(self, other: Entry) -> bool:
        """Whether both tell the same of the file."""
        return self._replace(added_at="", revision=0) == other._replace(added_at="", revision=0)


def key_of(dataset: str, partition: Mapping[str, str], name: str) -> str:
    """Return the key of a file. Raises InvalidRequest for names that make none."""
    if not dataset or "/" in dataset:
        raise InvalidRequest("dataset", f"'{dataset}' can't be a folder's name; give one without '/'")
    if not name or "/" in name:
        raise InvalidRequest("name", f"'{name}' can't be a file's name; give one without '/'")
    for part, value in partition.items():
        if not part or not value:
            raise InvalidRequest("partition", f"'{part}={value}' lacks a name or a value; give both")
    folders = "".join(f"{_escape(part)}={_escape(value)}/" for part, value in partition.items())
    key = f"{ROOT}{dataset}/{folders}{name}"
    if len(key.encode()) > MOST_KEY_BYTES:
        raise InvalidRequest(
            "name", f"its key has {len(key.encode())} bytes; S3 takes up to {MOST_KEY_BYTES}"
        )
    return key


def names_of(key: str) -> Names:
    """Return what a key says. Raises InvalidRequest for one that `key_of` does not make."""
    dataset, *folders, name = key.removeprefix(ROOT).split("/") if key.count("/") > 1 else ("", "")
    pairs = [folder.partition("=") for folder in folders]
    partition = {unquote(part): unquote(value) for part, _, value in pairs}
    try:
        is_ours = key_of(dataset, partition, name) == key
    except InvalidRequest:
        is_ours = False
    if not is_ours:
        raise InvalidRequest("key", f"'{key}' is no file of a dataset; give {ROOT}NAME/k=v/…/FILE")
    return Names(dataset, partition, name)


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)

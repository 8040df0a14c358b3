"""The lists of changes beside a registry, `metastore/datasets/<name>/<id>.json`: written once, never changed."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from seeder.errors import UnexpectedAnswer
from seeder.lake import objects
from seeder.lake.changelog import encoded
from seeder.lake.retry import Retry
from seeder.lake.shapes import read_list

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "metastore/datasets/"
MOST_CACHED = 512
READS_AT_ONCE = 10


class StoredLists:
    """Lists in S3; the last 512 that were used are kept in memory, some 50 MB. Threads may share it."""

    def __init__(self, s3: S3Client, bucket: str, retry: Retry) -> None:
        self._s3, self._bucket, self._retry = s3, bucket, retry
        self._cache: OrderedDict[str, list[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def write(self, dataset: str, items: list[Any]) -> str:
        """Write a list, or find it written; return its id. Raises what `objects.create` raises."""
        data = encoded(items)
        name = hashlib.sha256(data).hexdigest()[:32]
        objects.create(
            self._s3,
            self._bucket,
            list_key(dataset, name),
            data,
            content_type="application/json",
            retry=self._retry,
        )
        self._keep(list_key(dataset, name), items)
        return name

    def read(self, dataset: str, name: str) -> list[Any]:
        """Return a list. Raises UnexpectedAnswer where it is not there, and what `objects.read` raises."""
        key = list_key(dataset, name)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        stored = objects.read(self._s3, self._bucket, key, retry=self._retry)
        if stored is None:
            raise UnexpectedAnswer(
                f"s3://{self._bucket}/{key} is not there; restore it, the registry leads to it"
            )
        items = read_list(f"s3://{self._bucket}/{key}", stored.body)
        self._keep(key, items)
        return items

    def fetch(self, dataset: str, names: list[str]) -> None:
        """Read lists at once, so that `read` has them. Raises as `read` does."""
        with self._lock:
            lacking = [name for name in names if list_key(dataset, name) not in self._cache]
        if len(lacking) > 1:
            with ThreadPoolExecutor(READS_AT_ONCE, "lists") as pool:
                list(pool.map(lambda name: self.read(dataset, name), lacking))

    def _keep(self, key: str, items: list[Any]) -> None:
        with self._lock:
            self._cache[key] = items
            self._cache.move_to_end(key)
            while len(self._cache) > MOST_CACHED:
                self._cache.popitem(last=False)


def list_key(dataset: str, name: str) -> str:
    """Return the key of a list."""
    return f"{FOLDER}{dataset}/{name}.json"

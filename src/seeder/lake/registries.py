"""The registries of a lake: one for all datasets, or one for each and a root that lists them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seeder.errors import InvalidRequest
from seeder.lake.group import GroupCommit
from seeder.lake.lists import FOLDER
from seeder.lake.registry import Registry
from seeder.lake.retry import Retry
from seeder.lake.schema import Schema, shaped
from seeder.lake.shapes import Body

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGISTRY_KEY = "metastore/dataset_registry.json"
VERSION = 1
"""Of a lake's registries; a registry of a newer one is refused."""
_SCHEMA = Schema(VERSION, check=shaped(Body))


class Registries:
    """The registries of a bucket's lake; each is made when it is first used. Threads may share it."""

    def __init__(self, s3: S3Client, bucket: str, split: bool, group: bool, retry: Retry) -> None:
        self._s3, self._bucket, self._retry = s3, bucket, retry
        self._split, self._group = split, group
        self._made: dict[str, Registry | GroupCommit] = {}
        self._listed: set[str] = set()
        self._lock = threading.Lock()

    @staticmethod
    def are_split(s3: S3Client, bucket: str, retry: Retry) -> bool:
        """Whether the lake that stands there is split."""
        return "registries" in _registry(s3, bucket, REGISTRY_KEY, _SCHEMA, retry).read().body

    def of(self, dataset: str, is_new: bool = False) -> Registry | GroupCommit:
        """Return the registry that holds a dataset; with `is_new` the root lists it from now on.

        Raises InvalidRequest where the lake is split and no dataset is named.
        """
        if not self._split:
            return self._at(REGISTRY_KEY, _require_whole)
        if not dataset:
            raise InvalidRequest("dataset", "this lake has a registry for each; name one")
        key = f"{FOLDER}{dataset}/registry.json"
        if is_new and dataset not in self._listed:
            self._root().update(lambda body: _listing(body, dataset, key))
            self._listed.add(dataset)
        return self._at(key, _accept)

    def read(self, dataset: str) -> dict[str, Any]:
        """Return the body of the registry that holds a dataset. Raises as `of` does, and as `Registry.read`."""
        body = self.of(dataset).read().body
        if not self._split:
            _require_whole(body)
        return body

    def names(self) -> list[str]:
        """Return what `of` and `read` take to have each registry: the root's datasets, or "" alone if not split."""
        return sorted(self._root().read().body.get("registries", {})) if self._split else [""]

    def close(self) -> None:
        """Write what group commits have waiting."""
        with self._lock:
            for each in self._made.values():
                if isinstance(each, GroupCommit):
                    each.close()

    def _root(self) -> Registry:
        return _registry(self._s3, self._bucket, REGISTRY_KEY, _SCHEMA, self._retry)

    def _at(self, key: str, validate: Callable[[dict[str, Any]], None]) -> Registry | GroupCommit:
        with self._lock:
            if key not in self._made:
                schema = replace(_SCHEMA, validate=validate)
                plain = _registry(self._s3, self._bucket, key, schema, self._retry)
                self._made[key] = GroupCommit(plain) if self._group else plain
            return self._made[key]


def _registry(s3: S3Client, bucket: str, key: str, schema: Schema, retry: Retry) -> Registry:
    return Registry(
        s3,
        bucket,
        key,
        schema=schema,
        deadline_seconds=retry.deadline_seconds,
        sleep=retry.sleep,
        clock=retry.clock,
        uniform=retry.uniform,
        new_id=retry.new_id,
    )


def _require_whole(body: dict[str, Any]) -> None:
    if "registries" in body:
        raise InvalidRequest("split", "this lake has a registry for each dataset; give split=True")


def _listing(body: dict[str, Any], dataset: str, key: str) -> dict[str, Any] | None:
    if "datasets" in body:
        raise InvalidRequest("split", "this lake has one registry for all datasets; give split=False")
    registries = body.get("registries", {})
    return None if dataset in registries else {**body, "registries": {**registries, dataset: key}}


def _accept(body: dict[str, Any]) -> None:
    """Accept any body."""

from __future__ import annotations

from typing import Any

import pytest

from seeder.errors import InvalidRequest
from seeder.lake.registry import Registry
from seeder.lake.schema import Schema
from tests.unit.seeder.lake.store import Store


def registry(store: Any, schema: Schema) -> Registry:
    return Registry(store, "b", "r.json", schema=schema)


def named(body: dict[str, Any]) -> dict[str, Any]:
    return {"files": [{"key": key} for key in body.get("files", [])]}


def counted(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "count": len(body["files"])}


def test_a_body_is_written_with_its_version_and_one_without_has_the_first() -> None:
    store = Store()
    Registry(store, "b", "r.json").update(lambda body: {"files": ["a"]})  # type: ignore[arg-type]  # a store is no client
    assert registry(store, Schema(1)).read().body == {"files": ["a"], "schema_version": 1}
    written = registry(store, Schema(1)).update(lambda body: {"files": []})
    assert written.body == {"files": [], "schema_version": 1}


def test_an_older_body_is_migrated_step_by_step_when_read_and_stays_so_when_written() -> None:
    store = Store()
    registry(store, Schema(1)).update(lambda body: {"files": ["a"]})
    third = registry(store, Schema(3, {1: named, 2: counted}))
    migrated = {"files": [{"key": "a"}], "count": 1, "schema_version": 3}
    assert third.read().body == migrated
    assert len(store.history) == 1
    third.update(lambda body: body)
    assert registry(store, Schema(3)).read().body == migrated


def test_a_newer_body_is_refused_and_says_to_upgrade() -> None:
    store = Store()
    registry(store, Schema(2)).update(lambda body: {"files": []})
    for call in (registry(store, Schema(1)).read, lambda: registry(store, Schema(1)).update(lambda body: {})):
        with pytest.raises(InvalidRequest, match=r"version 2, and this writer knows up to 1; upgrade it"):
            call()
    assert len(store.history) == 1


def test_a_body_from_which_nothing_migrates_is_refused() -> None:
    store = Store()
    registry(store, Schema(1)).update(lambda body: {})
    with pytest.raises(InvalidRequest, match=r"give migrations\[1\]"):
        registry(store, Schema(2)).read()


def test_what_validation_refuses_leaves_the_registry_as_it_was() -> None:
    def require_files(body: dict[str, Any]) -> None:
        if "files" not in body:
            raise InvalidRequest("files", "there are none; name some")

    store = Store()
    checked = registry(store, Schema(1, validate=require_files))
    before = checked.update(lambda body: {"files": ["a"]})
    with pytest.raises(InvalidRequest, match="name some"):
        checked.update(lambda body: {"other": 1})
    assert checked.read() == before

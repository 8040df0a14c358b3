from __future__ import annotations

from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.errors import UnexpectedAnswer
from seeder.inventory_document import Columns, Entry
from seeder.listing.page import encode_key
from tests.keys import any_key

CSV = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass"
PARQUET = (
    "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);"
    "  optional boolean is_latest;  optional boolean is_delete_marker;  optional int64 size;"
    "  optional int64 last_modified_date (TIMESTAMP(MILLIS,true));  optional binary storage_class (STRING);}"
)
WRITTEN = "2026-01-31T00:00:00.000Z"


def entries(schema: str, *rows: list[str], form: str = "CSV") -> list[Entry]:
    return list(Columns(form, schema).entries(rows, "source"))


def test_a_row_is_read_by_the_schema() -> None:
    row = ["source", "a%2Fb+c", "v1", "true", "false", "5", WRITTEN, "etag", "GLACIER"]
    assert entries(CSV, row) == [Entry("a/b c", 5, "GLACIER", WRITTEN, "v1")]


@given(st.permutations(["Bucket", "Key", "IsLatest", "Size", "LastModifiedDate", "StorageClass", "ETag"]))
def test_columns_may_stand_in_any_order(names: list[str]) -> None:
    cells = {"Bucket": "source", "Key": "a", "IsLatest": "true", "Size": "5", "LastModifiedDate": WRITTEN}
    cells |= {"StorageClass": "STANDARD_IA", "ETag": "etag"}
    row = [cells[name] for name in names]
    assert entries(", ".join(names), row) == [Entry("a", 5, "STANDARD_IA", WRITTEN, "null")]


def test_columns_of_parquet_are_named_otherwise_and_its_keys_are_not_encoded() -> None:
    columns = Columns("Parquet", PARQUET)
    assert columns.names[:4] == ["bucket", "key", "is_latest", "is_delete_marker"]
    assert columns.has("LastModifiedDate")
    assert columns.has("StorageClass")
    assert not columns.has("ETag")
    rows = [["source", "a+b%20c", "True", "False", "5", WRITTEN, ""]]
    assert list(columns.entries(rows, "source")) == [Entry("a+b%20c", 5, "STANDARD", WRITTEN, "null")]


@pytest.mark.parametrize("schema", ["", "Bucket, Size", "Bucket, Key, Key"])
def test_a_schema_without_one_key_column_is_refused(schema: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="fileSchema"):
        Columns("CSV", schema)


@given(any_key, st.sampled_from([lambda key: quote_plus(key, safe="/*"), quote, lambda key: quote(key, "")]))
def test_every_key_comes_out_of_a_manifest_as_it_is(key: str, encode: object) -> None:
    assert callable(encode)
    (entry,) = entries("Bucket, Key", ["source", encode(key)])
    assert entry.key == key
    row = encode_key(entry.key)
    assert unquote(row) == key
    assert not set(row) & set('+,"\n\r ')


@pytest.mark.parametrize(
    ("latest", "marker", "taken"),
    [
        ("true", "false", True),
        ("false", "false", False),
        ("true", "true", False),
        ("false", "true", False),
        ("", "", True),
    ],
)
def test_only_current_versions_that_are_no_delete_markers_are_taken(
    latest: str, marker: str, taken: bool
) -> None:
    rows = entries("Bucket, Key, IsLatest, IsDeleteMarker", ["source", "a", latest, marker])
    assert bool(rows) == taken


@pytest.mark.parametrize(
    ("schema", "row", "taken"),
    [
        ("Key", ["a"], True),
        ("Key, VersionId", ["a", "v1"], True),
        ("Key, IsLatest", ["a", "false"], False),
        ("Key, IsDeleteMarker", ["a", "true"], False),
        ("Key, IsDeleteMarker", ["a", "false"], True),
    ],
)
def test_a_column_that_is_not_there_leaves_nothing_out(schema: str, row: list[str], taken: bool) -> None:
    assert [entry.key for entry in entries(schema, row)] == (["a"] if taken else [])


def test_all_versions_but_delete_markers_are_taken_where_asked_and_an_empty_id_is_null() -> None:
    schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker"
    rows = [
        ["source", "a", "v2", "true", "false"],
        ["source", "a", "", "false", "false"],
        ["source", "b", "v3", "true", "true"],
        ["source", "b", "v1", "false", "false"],
    ]
    taken = Columns("CSV", schema).entries(rows, "source", versions=True)
    assert [(entry.key, entry.version) for entry in taken] == [("a", "v2"), ("a", "null"), ("b", "v1")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["source", "a", "true"], "a row of 3 cells where 4 are expected"),
        (["other", "a", "true", "5"], "a row of the bucket 'other', not 'source'"),
        (["source", "a", "yes", "5"], "a flag that is 'yes'"),
        (["source", "a", "true", "five"], "key, size or version is none"),
        (["source", "%ff", "true", "5"], "can't decode byte"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_not_dropped(row: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        entries("Bucket, Key, IsLatest, Size", row)

"""Inventories: documents, checksums and data files of any kind. What goes into a manifest stood in the inventory."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from typing import Any
from urllib.parse import unquote, unquote_plus

import pyarrow  # type: ignore[import-untyped]  # it has no stubs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from seeder import inventory
from seeder.errors import InvalidRequest, UnexpectedAnswer
from seeder.inventory_document import Columns
from seeder.listing.selection import Selection
from seeder.manifest import Progress
from tests.fuzz.memory import MemoryS3
from tests.fuzz.refusals import MEBIBYTE, peak_of, refusals, require_sentence
from tests.fuzz.strategies import altered, any_json, fuzzed, texts, torn, written
from tests.inventories import SCHEMA, Row, packed, row_of
from tests.keys import any_key

NAMES = ["bucket", "key", "version_id", "is_latest", "is_delete_marker", "size", "storage_class"]
PARQUET_SCHEMA = f"message s3.inventory {{ {' '.join(f'required binary {name} (UTF8);' for name in NAMES)} }}"
rows = st.lists(
    st.builds(
        row_of,
        any_key,
        st.integers(0, 10**12),
        st.sampled_from(["STANDARD", "GLACIER", ""]),
        st.sampled_from(["true", "false", ""]),
        st.sampled_from(["true", "false"]),
        st.sampled_from(["", "null", "MPJOm_.lSga3Q"]),
    ),
    max_size=5,
)


def as_csv(some: list[Row], zipped: bool = True) -> bytes:
    return packed(some) if zipped else gzip.decompress(packed(some))


def as_parquet(some: list[Row]) -> bytes:
    columns = {name: [row[at] for row in some] for at, name in enumerate(NAMES[:6])}
    columns["key"] = [unquote_plus(row[1]) for row in some]
    columns["storage_class"] = [row[7] for row in some]
    out = io.BytesIO()
    strings = {name: pyarrow.array(values, pyarrow.string()) for name, values in columns.items()}
    parquet.write_table(pyarrow.table(strings), out)
    return out.getvalue()


@fuzzed(60)
@given(st.lists(st.tuples(rows, st.booleans()), max_size=3), st.booleans(), st.booleans(), st.data())
def test_an_inventory_is_read_as_it_was_written_or_refused(
    files: list[tuple[list[Row], bool]], by_parquet: bool, versions: bool, data: st.DataObject
) -> None:
    bodies = [as_parquet(some) if by_parquet else as_csv(some, zipped) for some, zipped in files]
    document = _document(bodies, "Parquet" if by_parquet else "CSV")
    changed = data.draw(altered(st.just(document), most=2))
    manifest = data.draw(torn(st.just(written(changed)), most=1))
    # What is damaged with the right MD5 is for the reader alone to find.
    damaged = [data.draw(torn(st.just(body), most=1)) for body in bodies]
    held = _memory(manifest, damaged if data.draw(st.booleans()) else bodies)
    with refusals():
        taken = _read(held, versions)
        if manifest == written(document) and damaged == bodies:
            assert taken == _expected([row for some, _ in files for row in some], versions)


@fuzzed(40)
@given(torn(rows.map(lambda some: as_csv(some, zipped=False)), most=3), st.booleans(), st.booleans())
def test_any_bytes_are_rows_of_their_bucket_or_refused(body: bytes, zipped: bool, versions: bool) -> None:
    packed_body = gzip.compress(body, mtime=0) if zipped else body
    held = _memory(written(_document([packed_body], "CSV")), [packed_body])
    with refusals():
        for bucket, key, version in _read(held, versions):
            assert (bucket, bool(key)) == ("source", True)
            assert bool(version) == versions


@fuzzed(40)
@given(torn(rows.map(as_parquet), most=2))
def test_any_bytes_are_a_parquet_file_or_refused(body: bytes) -> None:
    held = _memory(written(_document([body], "Parquet")), [body])
    with refusals():
        assert all(bucket == "source" and key for bucket, key, _ in _read(held, versions=True))


@fuzzed(40)
@given(
    st.one_of(texts, torn(st.just(PARQUET_SCHEMA.encode())).map(lambda body: body.decode("utf-8", "replace")))
)
def test_any_schema_names_a_key_or_is_refused(schema: str) -> None:
    with refusals():
        columns = Columns("Parquet" if "{" in schema else "CSV", schema)
        assert columns.has("Key")
        assert len(set(columns.names)) == len(columns.names)


@fuzzed(40)
@given(st.one_of(any_json.map(written), torn(st.just(written({"files": []})))), st.binary(max_size=50))
def test_any_document_and_checksum_are_an_inventory_or_refused(manifest: bytes, checksum: bytes) -> None:
    held = _memory(manifest, [])
    held.put("inventories", "daily/manifest.checksum", checksum)
    with refusals() as met:
        _read(held, versions=False)
        assert checksum.decode("latin-1").strip().lower() == hashlib.md5(manifest).hexdigest()
    assert all(LOCATION.removeprefix("s3://") in str(error) for error in met)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("Size", "-1"),
        ("Size", "1_000"),
        ("Size", "٣"),
        ("Size", "1e3"),
        ("Size", "9" * 5000),
        ("Key", ""),
        ("Key", "%ff"),
        ("VersionId", "v\nother,secret"),
        ("VersionId", "v,w"),
        ("IsLatest", "TRUE"),
        ("Bucket", "foreign"),
    ],
)
def test_a_cell_that_is_none_is_refused(column: str, cell: str) -> None:
    row = row_of("key", version="v")
    row[SCHEMA.split(", ").index(column)] = cell
    body = as_csv([row_of("key"), row])
    with pytest.raises(UnexpectedAnswer, match=r"^s3://inventories/data/0: ") as refused:
        _read(_memory(written(_document([body], "CSV")), [body]), versions=True)
    require_sentence(refused.value)


def test_a_file_that_unzips_to_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    body = gzip.compress(b'"' + b"x" * (64 * MEBIBYTE), mtime=0)
    held = _memory(written(_document([body], "CSV")), [body])

    def refuse() -> None:
        with pytest.raises(UnexpectedAnswer, match="a line of more than"):
            _read(held, versions=False)

    assert peak_of(refuse) < 8 * MEBIBYTE


@pytest.mark.parametrize("which", [0, 1])
def test_a_data_file_that_is_not_there_is_named(which: int) -> None:
    bodies = [as_csv([row_of("a")]), as_csv([row_of("b")])]
    held = _memory(written(_document(bodies, "CSV")), bodies)
    del held.objects["inventories", f"data/{which}"]
    with pytest.raises(
        UnexpectedAnswer, match=rf"^s3://inventories/data/{which}, a file of the inventory, is not th"
    ):
        _read(held, versions=False)


def test_a_column_that_a_parquet_file_lacks_is_told_with_the_file() -> None:
    out = io.BytesIO()
    parquet.write_table(pyarrow.table({"key": ["a"]}), out)
    held = _memory(written(_document([out.getvalue()], "Parquet")), [out.getvalue()])
    with pytest.raises(
        UnexpectedAnswer, match=r"^s3://inventories/data/0: it is no Parquet file with these columns"
    ):
        _read(held, versions=False)


def test_a_document_that_is_too_large_is_refused_and_not_read() -> None:
    held = _memory(b" " * (17 * MEBIBYTE), [])
    with pytest.raises(
        InvalidRequest, match=r"^inventory: .* give the manifest.json of an inventory"
    ) as refused:
        _read(held, versions=False)
    require_sentence(refused.value)


LOCATION = "s3://inventories/daily/manifest.json"


def _document(bodies: list[bytes], form: str) -> dict[str, Any]:
    return {
        "sourceBucket": "source",
        "destinationBucket": "arn:aws:s3:::inventories",
        "creationTimestamp": "1767225600000",
        "fileFormat": form,
        "fileSchema": PARQUET_SCHEMA if form == "Parquet" else SCHEMA,
        "files": [
            {"key": f"data/{number}", "MD5checksum": hashlib.md5(body).hexdigest()}
            for number, body in enumerate(bodies)
        ],
    }


def _memory(manifest: bytes, bodies: list[bytes]) -> MemoryS3:
    held = MemoryS3()
    held.put("inventories", "daily/manifest.json", manifest)
    for number, body in enumerate(bodies):
        held.put("inventories", f"data/{number}", body)
    return held


def _read(held: MemoryS3, versions: bool) -> list[tuple[str, str, str]]:
    """Return bucket, key and version of each row in the manifests, in their order."""
    progress = Progress.fresh("state", "runs/run/", "replicate" if versions else "copy")
    chosen = Selection(archived=False, largest=None)
    calls = 0
    while not progress.done:
        progress = inventory.write(
            held.s3, progress, held.s3, LOCATION, "source", "", chosen, lambda: True, versions
        )
        json.dumps(progress.model_dump())
        progress.up_to("2026-01-01T00:00:00Z")
        calls += 1
        assert calls < 100
    text = held.objects.get(("state", progress.copy_files[0].key), b"").decode()
    found = [(*row, "")[:3] for row in csv.reader(io.StringIO(text), strict=True)]
    assert len(found) == progress.count == text.count("\n")
    return [(bucket, unquote(key, errors="strict"), version) for bucket, key, version in found]


def _expected(some: list[Row], versions: bool) -> list[tuple[str, str, str]]:
    return [
        ("source", unquote_plus(row[1]), (row[2] or "null") if versions else "")
        for row in some
        if row[4] != "true" and (versions or row[3] != "false")
    ]

"""An inventory turned into manifests against S3: continued, repeated, died, and refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast
from urllib.parse import unquote

import pyarrow  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from seeder import inventory, sink
from seeder.errors import InvalidRequest, UnexpectedAnswer
from seeder.listing.counting import Tally
from seeder.listing.selection import LARGEST_COPY, Selection
from seeder.manifest import Limits, Progress
from tests.dying import Died, Dying
from tests.inventories import SCHEMA, packed, publish, row_of
from tests.keys import TRAPS
from tests.servers import Server, each_death

KEYS = [f"{number:04} +" + "x" * 200 for number in range(900)]


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.buckets("state", "inventories")


@pytest.fixture(autouse=True)
def part(server: Server, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(inventory, "ROWS_AT_ONCE", 40)
    return server.parts_of(monkeypatch, 40_000)


def fresh(name: str) -> Progress:
    return Progress.fresh("state", f"runs/{name}/", "copy")


def in_files(keys: list[str], files: int) -> list[bytes]:
    return [packed([row_of(key) for key in keys[number::files]]) for number in range(files)]


def keys_of(s3: Any, upload: sink.Upload) -> Counter[str]:
    body = s3.get_object(Bucket=upload.bucket, Key=upload.key)["Body"].read().decode("ascii")
    return Counter(unquote(row.split(",")[1]) for row in body.splitlines())


def written(s3: Any, name: str, location: str, **given: Any) -> Progress:
    return inventory.write(s3, fresh(name), s3, location, "source", **given)


def test_an_inventory_read_a_few_rows_at_a_time_is_in_the_manifest_once(s3: Any, part: int) -> None:
    location, progress = publish(s3, "inventories", in_files(KEYS, 4)), fresh("many")
    calls = 0
    while not progress.done:
        progress = inventory.write(s3, progress, s3, location, "source", out_of_time=lambda: True)
        assert len(progress.model_dump_json()) < 2000
        calls += 1
    assert calls >= len(KEYS) // 40
    assert keys_of(s3, progress.copy_files[0]) == Counter(KEYS)
    assert (progress.count, progress.inventory_created) == (len(KEYS), "1767225600000")
    head = s3.head_object(Bucket="state", Key=progress.copy_files[0].key)
    most = head["ContentLength"] // part + 1
    assert most // 2 < progress.copy_files[0].parts <= most


def test_an_inventory_is_counted_like_a_listing_however_many_calls_it_takes(s3: Any) -> None:
    rows = [row_of(f"{number % 3} +/{number:03}", number, "STANDARD_IA") for number in range(300)]
    rows += [row_of("large", LARGEST_COPY + 1), row_of("gone", marker="true"), row_of("asleep", 7, "GLACIER")]
    location, progress = publish(s3, "inventories", [packed(rows)]), fresh("census")
    while not progress.done:
        progress = inventory.write(s3, progress, s3, location, "source", out_of_time=lambda: True)
    census = progress.census
    large, rest = Tally(1, LARGEST_COPY + 1), Tally(300, sum(range(300)))
    assert (census.objects, census.size) == (301, rest.bytes + large.bytes) == rest.plus(*large)
    assert (census.large, census.large_bytes) == large
    assert census.classes == {"STANDARD": large, "STANDARD_IA": rest}
    assert census.prefixes == {
        "": large,
        **{f"{number} +/": Tally(100, sum(range(number, 300, 3))) for number in range(3)},
    }
    assert census.archived == {"GLACIER": Tally(1, 7)}


def test_an_inventory_without_sizes_counts_objects_and_no_bytes(s3: Any) -> None:
    rows = [["source", "a/1"], ["source", "a/2"]]
    location = publish(s3, "inventories", [packed(rows)], fileSchema="Bucket, Key")
    census = written(s3, "unsized", location).census
    assert (census.objects, census.size, census.unsized) == (2, None, 2)
    assert census.prefixes == {"a/": Tally(2, 0)}


def test_an_old_progress_given_again_changes_nothing(s3: Any) -> None:
    location, start = publish(s3, "inventories", in_files(KEYS, 2)), fresh("again")
    first = inventory.write(s3, start, s3, location, "source", out_of_time=lambda: True)
    done = inventory.write(s3, first, s3, location, "source")
    for stale in (start, first, done):
        assert inventory.write(s3, stale, s3, location, "source") == done
    assert keys_of(s3, done.copy_files[0]) == Counter(KEYS)


@each_death(range(1, 10))
def test_a_death_at_any_write_loses_and_doubles_no_key(s3: Any, at: int, after: bool) -> None:
    """The caller repeats the call that died with the progress it had before, as Step Functions does."""
    keys, dying = KEYS[:400], Dying(s3, at, after)
    location, progress = publish(s3, "inventories", in_files(keys, 3)), fresh(f"death-{at}-{after}")
    deaths, checks = 0, count(1)
    while not progress.done:
        try:
            progress = inventory.write(
                cast("Any", dying),
                progress,
                s3,
                location,
                "source",
                out_of_time=lambda: next(checks) % 2 == 0,
            )
        except Died:
            deaths += 1
    assert deaths == 1
    assert keys_of(s3, progress.copy_files[0]) == Counter(keys)
    assert progress.count == len(keys)


def test_rows_go_where_the_listing_would_send_the_objects(s3: Any) -> None:
    rows = [
        row_of("old", latest="false"),
        row_of("gone", marker="true"),
        row_of("large", LARGEST_COPY + 1),
        row_of("fits", LARGEST_COPY),
        row_of("cold", storage="DEEP_ARCHIVE"),
        row_of("instant", storage="GLACIER_IR"),
    ]
    done = written(s3, "sorted", publish(s3, "inventories", [packed(rows)]))
    assert keys_of(s3, done.copy_files[0]) == Counter(["fits", "instant"])
    assert keys_of(s3, done.large_files[0]) == Counter(["large"])
    assert keys_of(s3, done.archived_files[0]) == Counter(["cold"])


def test_prefix_and_filters_apply(s3: Any) -> None:
    rows = [row_of("a b/1.csv", 9), row_of("a b/2.csv", 1), row_of("a b/3.txt", 9), row_of("c/4.csv", 9)]
    location = publish(s3, "inventories", [packed(rows)])
    selection = Selection(suffix=".csv", size_at_least=5, created_after=datetime(2025, 1, 1, tzinfo=UTC))
    done = written(s3, "filtered", location, prefix="a b/", selection=selection)
    assert keys_of(s3, done.copy_files[0]) == Counter(["a b/1.csv"])
    none = Selection(created_before=datetime(2025, 1, 1, tzinfo=UTC))
    assert written(s3, "filtered away", location, selection=none).count == 0


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(size_at_least=0), "size_at_least: the inventory has no column Size; add it"),
        (Selection(storage_classes=frozenset({"STANDARD"})), "storage_classes: .* no column StorageClass"),
        (Selection(created_before=datetime.now(UTC)), "created_before: .* no column LastModifiedDate"),
    ],
)
def test_a_filter_that_needs_a_missing_column_is_refused(s3: Any, selection: Selection, message: str) -> None:
    location = publish(s3, "inventories", [], fileSchema="Bucket, Key")
    with pytest.raises(InvalidRequest, match=message):
        written(s3, "no-column", location, selection=selection)


@pytest.mark.parametrize("pack", [lambda body: body, gzip.decompress], ids=["gzip", "plain"])
def test_traps_come_out_as_they_went_in(s3: Any, pack: Any) -> None:
    body = pack(packed([row_of(key) for key in TRAPS]))
    done = written(s3, f"traps-{len(body)}", publish(s3, "inventories", [body]))
    assert keys_of(s3, done.copy_files[0]) == Counter(TRAPS)


def test_an_empty_inventory_creates_nothing(s3: Any) -> None:
    for name, files in (("nothing", []), ("no-rows", [packed([])])):
        location = publish(s3, "inventories", files)
        done = written(s3, name, location)
        assert (done.done, done.count) == (True, 0)
        assert inventory.write(s3, done, s3, location, "source") == done
        assert "Contents" not in s3.list_objects_v2(Bucket="state", Prefix=f"runs/{name}/")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sourceBucket": "other"}, "is of the bucket 'other'; give one of 'source'"),
        ({"fileFormat": "ORC"}, "is ORC, which can't be read; give a CSV inventory"),
        ({"fileFormat": "Parquet"}, "is Parquet; give a CSV inventory, or add pyarrow to the layer"),
    ],
)
def test_an_inventory_that_cannot_serve_is_refused(
    s3: Any, changes: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InvalidRequest, match=f"^inventory: 's3://.*/manifest.json' {message}$"):
        written(s3, "refused", publish(s3, "inventories", [], **changes))


def test_an_inventory_that_is_not_there_is_refused(s3: Any) -> None:
    with pytest.raises(
        InvalidRequest, match=r"^inventory: 's3://inventories/no/manifest.json' does not exist"
    ):
        written(s3, "absent", "s3://inventories/no/manifest.json")


def test_a_manifest_that_its_checksum_denies_or_that_is_none_is_refused(s3: Any) -> None:
    location = publish(s3, "inventories", in_files(KEYS[:3], 1))
    key = location.removeprefix("s3://inventories/")
    s3.put_object(Bucket="inventories", Key=key, Body=b"{}")
    with pytest.raises(UnexpectedAnswer, match=r"but manifest.checksum says"):
        written(s3, "denied", location)
    s3.delete_object(Bucket="inventories", Key=key.replace(".json", ".checksum"))
    for body in (b"{}", b"[]", b"not JSON"):
        s3.put_object(Bucket="inventories", Key=key, Body=body)
        with pytest.raises(UnexpectedAnswer, match=r"is not the manifest.json of an inventory"):
            written(s3, "none", location)


def damaged(body: bytes) -> dict[str, bytes]:
    return {
        "other rows": packed([row_of("other")]),
        "cut off": body[:-20],
        "not gzip": b"\x1f\x8b" + body[3:],
        "trailing bytes": body + b"\0" * 100,
    }


@pytest.mark.parametrize("kind", ["other rows", "cut off", "not gzip", "trailing bytes"])
def test_a_data_file_that_is_not_what_the_manifest_names_makes_no_manifest(s3: Any, kind: str) -> None:
    body = packed([row_of(key) for key in KEYS])
    location = publish(s3, "inventories", [body])
    key = f"source/daily/data/{hashlib.md5(body).hexdigest()}.csv.gz"
    s3.put_object(Bucket="inventories", Key=key, Body=damaged(body)[kind])
    with pytest.raises(UnexpectedAnswer, match=f"^s3://inventories/{key}: "):
        written(s3, f"damaged-{kind}", location)
    assert "Contents" not in s3.list_objects_v2(Bucket="state", Prefix=f"runs/damaged-{kind}/")


def test_an_inventory_that_changes_between_calls_is_refused(s3: Any) -> None:
    body = packed([row_of(key) for key in KEYS])
    location = publish(s3, "inventories", [body])
    progress = inventory.write(s3, fresh("changed"), s3, location, "source", out_of_time=lambda: True)
    key = f"source/daily/data/{hashlib.md5(body).hexdigest()}.csv.gz"
    s3.put_object(Bucket="inventories", Key=key, Body=packed([row_of(key) for key in reversed(KEYS)]))
    with pytest.raises(UnexpectedAnswer, match=f"{key} changed meanwhile; start another run"):
        inventory.write(s3, progress, s3, location, "source")
    publish(s3, "inventories", [body, packed([])])
    with pytest.raises(UnexpectedAnswer, match=r"manifest.json changed meanwhile; start another run"):
        inventory.write(s3, progress, s3, location, "source")


def as_csv(keys: list[str]) -> bytes:
    return packed([row_of(key, LARGEST_COPY + 1 if key == "large" else 1) for key in keys])


def as_parquet(keys: list[str]) -> bytes:
    size = len(keys)
    written = pyarrow.array([datetime(2026, 1, 1, tzinfo=UTC)] * size, pyarrow.timestamp("ms", "UTC"))
    columns = {
        "bucket": ["source"] * size,
        "key": keys,
        "is_latest": [True] * size,
        "size": [LARGEST_COPY + 1 if key == "large" else 1 for key in keys],
        "last_modified_date": written,
        "storage_class": [None] * size,
    }
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out, row_group_size=33)
    return out.getvalue()


PARQUET_SCHEMA = (
    "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  optional boolean "
    "is_latest;  optional int64 size;  optional int64 last_modified_date (TIMESTAMP(MILLIS,true));  optional "
    "binary storage_class (STRING);}"
)
FORMS = {"CSV": (as_csv, SCHEMA), "Parquet": (as_parquet, PARQUET_SCHEMA)}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_that_can_be_read_here_is_read_alike(s3: Any, form: str) -> None:
    packed_as, schema = FORMS[form]
    files = [packed_as([*TRAPS, "large"]), packed_as(KEYS)]
    location = publish(s3, "inventories", files, fileFormat=form, fileSchema=schema)
    selection = Selection(created_after=datetime(2025, 1, 1, tzinfo=UTC))
    progress = fresh(f"form-{form}")
    while not progress.done:
        progress = inventory.write(
            s3, progress, s3, location, "source", selection=selection, out_of_time=lambda: True
        )
    assert keys_of(s3, progress.copy_files[0]) == Counter([*TRAPS, *KEYS])
    assert keys_of(s3, progress.large_files[0]) == Counter(["large"])


def test_a_run_that_replicates_takes_all_versions_from_an_inventory(s3: Any) -> None:
    rows = [row_of("many", latest=str(number == 0).lower(), version=f"v{number}") for number in range(100)]
    rows += [row_of("old"), row_of("gone", marker="true", version="m"), row_of("cold", storage="GLACIER")]
    location, progress = publish(s3, "inventories", [packed(rows)]), fresh("replicate")
    while not progress.done:
        progress = inventory.write(
            s3,
            progress,
            s3,
            location,
            "source",
            out_of_time=lambda: True,
            versions=True,
            limits=Limits(copy=60),
        )
    body = b"".join(
        s3.get_object(Bucket=file.bucket, Key=file.key)["Body"].read() for file in progress.copy_files
    )
    expected = [f"source,many,v{number}" for number in range(100)] + ["source,old,null"]
    assert sorted(body.decode().splitlines()) == sorted(expected)
    assert [file.count for file in progress.copy_files] == [60, 41]
    (cold,) = progress.archived_files
    assert s3.get_object(Bucket=cold.bucket, Key=cold.key)["Body"].read() == b"source,cold,null\n"


def test_an_inventory_of_current_versions_alone_can_not_serve_a_replication(s3: Any) -> None:
    location = publish(s3, "inventories", [], fileSchema="Bucket, Key, Size")
    with pytest.raises(
        InvalidRequest, match=r"^inventory: .*no column VersionId, .*include all versions, or"
    ):
        written(s3, "no-versions", location, versions=True)

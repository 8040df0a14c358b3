from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # as above
import pytest

from seeder_cli.errors import CommandError
from seeder_cli.records import count_records
from seeder_cli.thrift import member


def file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"", 0),
        (b"a,b\n", 0),
        (b"a,b\n1,2\n3,4\n", 2),
        (b"a,b\r\n1,2\r\n3,4", 2),
        (b'a\n"one\nrecord"\n"of ""two"",\r\nlines"\n', 2),
        (b"\xef\xbb\xbfa\n\xff\n\n", 1),
    ],
)
def test_csv_has_its_rows_but_the_first(content: bytes, records: int, tmp_path: Path) -> None:
    path = file(tmp_path, "a.CSV", content)
    assert count_records(path, header=True) == records
    assert count_records(path, header=False) == records + (content != b"")


@pytest.mark.parametrize(
    ("content", "records"), [(b"", 0), (b"{}\n", 1), (b'{"a": "\\n"}\n\n {}\r\n  \n{}', 3)]
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson"])
def test_json_lines_are_those_that_hold_something(
    content: bytes, records: int, name: str, tmp_path: Path
) -> None:
    assert count_records(file(tmp_path, name, content), header=True) == records


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 10_000, 300_001])
@pytest.mark.parametrize(
    "given", [{}, {"version": "1.0", "compression": "zstd"}, {"row_group_size": 7_000}], ids=str
)
def test_parquet_says_its_rows_in_its_footer(rows: int, given: dict[str, Any], tmp_path: Path) -> None:
    columns = {
        "number": pa.array(range(rows), pa.int64()),
        "text": pa.array([f"é{n}" for n in range(rows)], pa.string()),
        "nested": pa.array(
            [{"a": [n], "b": True} for n in range(rows)],
            pa.struct([("a", pa.list_(pa.int8())), ("b", pa.bool_())]),
        )
        if rows < 100
        else pa.nulls(rows),
    }
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns).replace_schema_metadata({"k": "v"}), path, **given)
    assert count_records(path, header=True) == rows


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"PAR1" * 3, b"PAR1" + b"\xff\xff\xff\x7fPAR1", b"x" * 100]
)
def test_what_is_no_parquet_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="give --records"):
        count_records(file(tmp_path, "a.parquet", content), header=True)


def test_other_kinds_are_refused_and_say_which_are_known(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"\.csv, \.jsonl, \.ndjson, \.parquet\); give --records"):
        count_records(file(tmp_path, "a.orc", b""), header=True)


def test_a_damaged_footer_ends_in_no_other_way() -> None:
    drawn = random.Random(3)  # noqa: S311 - the same bytes in every run
    for _ in range(5000):
        data = bytes(
            drawn.choice((drawn.randrange(256), 0x19, 0x1C, 0x2C)) for _ in range(drawn.randrange(60))
        )
        found = member(data, 3)
        assert found is None or isinstance(found, int)
    assert member(b"\x1c" * 10_000, 3) is None
    assert member(b"\x29\xf1\xff\xff\xff\xff\xff\xff\x01", 3) is None

"""Requests and fleets, from a person, a schedule or a CSV file: whatever is given, taken as it says or refused."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.errors import InvalidRequest
from seeder.fleet import request as fleet_request
from seeder.fleet.request import parse_fleet, requests
from seeder.request import Request, parse_request
from tests.fuzz.memory import REGION, MemoryS3
from tests.fuzz.refusals import MEBIBYTE, peak_of, refusals, require_sentence
from tests.fuzz.strategies import LONG, altered, any_json, any_object, fuzzed, nested, texts, torn, written
from tests.requests import PAIR, wholes

FIELDS = list(Request.model_fields)
LARGE: dict[str, Any] = {
    "long": lambda: "x" * LONG,
    "unprintable": lambda: "\x1b[31m\n" * (LONG // 6),
    "deep": lambda: json.loads(b"[" * 900 + b"]" * 900),
}
documents = st.one_of(
    altered(wholes),
    any_json,
    st.dictionaries(st.one_of(st.sampled_from(FIELDS), texts), any_json, max_size=6).map(
        lambda more: PAIR | more
    ),
)
some_pairs = st.lists(altered(wholes, most=1), max_size=3)
fleets = st.one_of(
    st.fixed_dictionaries({"pairs": some_pairs}, optional={"options": any_object, "detached": st.booleans()}),
    st.fixed_dictionaries({"csv": st.sampled_from(["s3://lists/pairs.csv", "s3://lists/none.csv"])}),
    st.fixed_dictionaries(
        {"registry": st.fixed_dictionaries({}, optional={"names": texts, "tags": any_object})}
    ),
    st.fixed_dictionaries({"buckets": texts}, optional={"destination": texts}),
)
cells = st.one_of(
    texts,
    st.sampled_from(["[]", '["STANDARD"]', "true", "1e999", "NaN", "null", '{"a": "b"}']),
    st.integers(1000, 3000).map(lambda depth: "[" * depth),
)


def test_times_at_the_ends_of_the_calendar_filter_like_any_other() -> None:
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        asked = parse_request(PAIR | {"created_after": moment})
        asked.selection().wants("key", 1, "STANDARD", "2026-01-01T00:00:00.000Z")


@fuzzed(100)
@given(documents)
def test_a_request_is_taken_as_it_says_or_refused(document: Any) -> None:
    with refusals():
        asked = parse_request(document)
        assert isinstance(document, dict)
        dumped = asked.model_dump()
        assert {name: dumped[name] for name in document} == document
        assert parse_request(asked.model_dump(exclude_defaults=True)) == asked
        asked.selection().wants("key", 1, "STANDARD", datetime.now(UTC).isoformat())
        assert len(asked.prefix.encode()) <= 1024


@fuzzed(50)
@given(st.one_of(altered(fleets).filter(lambda drawn: isinstance(drawn, dict)), any_object))
def test_a_fleet_is_taken_as_it_says_or_refused(document: dict[str, Any]) -> None:
    with refusals():
        asked = parse_fleet(document)
        # As texts, for a number that is none is not equal to itself.
        held, given = (
            json.dumps(each, sort_keys=True) for each in (asked.model_dump(exclude_unset=True), document)
        )
        assert held == given
        found = requests(asked, memory().clients, "state")
        assert len(found) == len({one.model_dump_json() for one in found})


@fuzzed(50)
@given(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=5), st.data())
def test_each_row_of_a_csv_file_is_a_pair_with_what_its_cells_say(
    header: list[str], data: st.DataObject
) -> None:
    names = ["source", "destination", *header]
    rows = data.draw(st.lists(st.lists(cells, min_size=len(header), max_size=len(header)), max_size=3))
    filled = [["source", f"replica-{number}", *row] for number, row in enumerate(rows)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([names, *filled])
    with refusals():
        found = _of_csv(text.getvalue().encode("utf-8", "surrogatepass"))
        assert len(set(names)) == len(names)
        assert [one.destination for one in found] == [row[1] for row in filled]
        for one, row in zip(found, filled, strict=True):
            told = {name: cell for name, cell in zip(names, row, strict=True) if cell}
            for name, cell in told.items():
                held = getattr(one, name)
                assert held == cell or json.loads(cell) == held


@fuzzed(50)
@given(
    torn(st.just(b'source,destination,tags\r\na-bucket,b-bucket,"{""k"":""v""}"\r\nc-bucket,d-bucket,\r\n'))
)
def test_any_bytes_are_a_csv_file_or_refused(body: bytes) -> None:
    with refusals():
        found = _of_csv(body)
        assert len(found) <= body.count(b"\n") + body.count(b"\r") + 1


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("kind", LARGE)
def test_a_value_of_any_size_is_refused_in_a_sentence(name: str, kind: str) -> None:
    value = LARGE[kind]()
    if name == "rule_id" and isinstance(value, str):
        value = [value]
    with pytest.raises(InvalidRequest) as refused:
        parse_request(PAIR | {name: value})
    require_sentence(refused.value)
    assert refused.value.field.split(".")[0] == name


def test_a_field_name_of_any_size_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_request(PAIR | {"\x1b]0;" + "x" * LONG: 1})
    require_sentence(refused.value)


def test_a_refusal_holds_little_of_what_it_refuses() -> None:
    many: dict[str, Any] = {f"field-{number}": number for number in range(20_000)}

    def refuse() -> None:
        with pytest.raises(InvalidRequest):
            parse_request(PAIR | {"prefix": "x" * LONG})

    assert peak_of(refuse) < 8 * MEBIBYTE
    with pytest.raises(InvalidRequest, match=r"^field-0: unknown field"):
        parse_request(PAIR | many)


def test_a_csv_file_that_is_too_large_is_refused_and_not_read() -> None:
    with pytest.raises(InvalidRequest, match=r"^csv: ") as refused:
        _of_csv(b"x" * (fleet_request.MOST_CSV_BYTES + 1))
    require_sentence(refused.value)


@pytest.mark.parametrize("kind", ["[", "{"])
def test_a_cell_nested_without_end_is_refused(kind: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(
        [["source", "destination", "tags"], ["abc", "xyz", nested(kind).decode()[:100_000]]]
    )
    with pytest.raises(InvalidRequest) as refused:
        _of_csv(text.getvalue().encode())
    require_sentence(refused.value)


def memory() -> MemoryS3:
    held = MemoryS3(lambda method, bucket, key, query: _buckets if not bucket else None)
    held.put("lists", "pairs.csv", b"source,destination\r\none-bucket,two-bucket\r\n")
    body = {"pairs": {"a/b": {"request": PAIR, "last_run": {"run_id": "r", "state": "Complete"}}}}
    registry = {"format": 1, "revision": 1, "transactions": ["t"], "body": body}
    held.put("state", "metastore/pairs.json", written(registry))
    return held


_NAMES = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in ("app-1", "app-2", "app-1-replica"))
_buckets = 200, f"<R><Buckets>{_NAMES}</Buckets></R>".encode(), {"x-amz-bucket-region": REGION}


def _of_csv(body: bytes) -> list[Request]:
    held = memory()
    held.put("lists", "pairs.csv", body)
    return requests(parse_fleet({"csv": "s3://lists/pairs.csv"}), held.clients, "state")

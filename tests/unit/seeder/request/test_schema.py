from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has neither types nor stubs installed

from seeder.errors import InvalidRequest
from seeder.request import Request, parse_request, schema
from tests.keys import any_key
from tests.requests import PAIR, wholes

# The end of a text is \Z in Python where $ is in ECMA 262, by which JSON Schema reads its patterns.
VALIDATOR = Draft202012Validator(json.loads(json.dumps(schema.document()).replace('$"', '\\\\Z"')))
FIELDS = schema.fields()

# What fits some field, and what nearly does.
VALUES: list[Any] = [
    *(value for member in schema.document()["properties"].values() for value in member.get("examples", [])),
    *(choice for field in FIELDS.values() for choice in field.choices),
    *(None, True, False, 0, 1, -1, 7, 365, 366, 2**31 - 1, 2**31, 10**20, 0.5, -0.5, 1e300, "", "\n", " "),
    *(
        [],
        ["STANDARD"],
        ["STANDARD", "STANDARD"],
        ["COLD"],
        [1],
        {},
        {"k": "v"},
        {"k": 1},
        {"": "v"},
        {"k": "v" * 257},
    ),
    *({str(number): "" for number in range(count)} for count in (10, 11)),
    *("2026-01-31T00:00:00", "2026-01-31T00:00:00Z\n", "2026-01-31 00:00:00Z", "2026-01-31T00:00:00.5+02:00"),
    *(
        "20260131T000000Z",
        "2026-01-31T00:00Z",
        "٢026-01-31T00:00:00Z",
        "arn:aws:iam::111122223333:role/a/b\n",
    ),
    *(
        "arn:aws-cn:iam::111122223333:role/a",
        "arn:aws:iam::١١١١٢٢٢٢٣٣٣٣:role/a",
        "arn:aws:iam::111122223333:role/é",
    ),
    *("arn:aws:kms:eu-west-1:111122223333:key/mrk-1234", "arn:aws:kms:eu-west-1:111122223333:alias/a"),
    *(
        "s3://my-inventories/a\nb/manifest.json",
        "s3://my-inventories/manifest.json",
        "ab",
        "abc",
        "a" * 63,
        "a" * 64,
    ),
    *("my-bucket\n", "My-Bucket", "11112222333", "111122223333", "111122223333\n", "x" * 1024, "x" * 1025),
]
values = st.one_of(
    st.sampled_from(VALUES),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    any_key,
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


def is_taken(document: Any) -> bool:
    try:
        parse_request(document)
    except InvalidRequest:
        return False
    return True


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema.document())
    assert schema.document()["additionalProperties"] is False
    json.dumps(schema.document(), allow_nan=False)


@given(st.dictionaries(st.sampled_from([*FIELDS, "unknown"]), values, max_size=4))
def test_whatever_is_taken_fits_the_schema(fields: dict[str, Any]) -> None:
    document = PAIR | fields
    assert VALIDATOR.is_valid(document) or not is_taken(document)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_takes_alone_what_the_schema_says(name: str) -> None:
    pair = {"source": "a-bucket", "destination": "a-replica"}
    rule = {} if name in ("operation", "enable_replication") else {"enable_replication": True}
    for value in VALUES:
        document = {**pair, **rule, name: value}
        # To JSON Schema, 1e300 is an integer; to a request it is not.
        fits = VALIDATOR.is_valid(document) and not (
            isinstance(value, float) and FIELDS[name].kind == "integer"
        )
        assert is_taken(document) is fits, value


@given(wholes)
def test_whole_requests_fit_the_schema(document: dict[str, Any]) -> None:
    assert is_taken(document)
    assert VALIDATOR.is_valid(document)


def test_a_default_is_what_a_request_has_without_the_field() -> None:
    document = schema.defaults(**PAIR)
    assert parse_request(document) == parse_request(PAIR)
    assert set(document) == {name for name, field in FIELDS.items() if not field.internal}


def test_every_example_is_taken() -> None:
    for name, member in schema.document()["properties"].items():
        for example in member.get("examples", []):
            assert is_taken(PAIR | {"enable_replication": True, name: example}), name


def test_every_field_is_described_in_one_group() -> None:
    grouped = [name for group in schema.GROUPS for name in group.fields]
    assert grouped == [name for name, field in FIELDS.items() if not field.internal]
    assert list(FIELDS) == list(Request.model_fields)
    for field in FIELDS.values():
        assert field.description.endswith("."), field.name


def test_what_triggers_set_is_marked_as_internal() -> None:
    assert [name for name, field in FIELDS.items() if field.internal] == ["trigger", "rule_id"]


def test_a_field_knows_its_kind_choices_and_bounds() -> None:
    days, classes, cost = FIELDS["restore_days"], FIELDS["storage_classes"], FIELDS["max_cost_usd"]
    assert (days.kind, days.default, days.minimum, days.maximum) == ("integer", 7, 1, 365)
    assert (classes.kind, classes.default, "GLACIER_IR" in classes.choices) == ("list", [], True)
    assert (cost.kind, cost.default, cost.minimum, cost.required) == ("number", None, 0, False)
    assert (FIELDS["source"].required, FIELDS["tags"].kind, FIELDS["confirm"].kind) == (True, "map", "flag")

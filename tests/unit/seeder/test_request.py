from __future__ import annotations

from typing import Any

import pytest

from seeder.errors import InvalidRequest
from seeder.request import parse_request


def test_source_and_destination_are_enough() -> None:
    request = parse_request({"source": "my-bucket", "destination": "my-replica"})
    assert request.model_dump() == {
        "source": "my-bucket",
        "destination": "my-replica",
        "prefix": "",
        "enable_replication": False,
        "trigger": "manual",
        "rule_id": "",
    }


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "input: [] is not an object; give {"),
        ({}, "source: missing; give at least"),
        (
            {"source": "abc", "destnation": "x"},
            "destnation: unknown field (value 'x'); did you mean 'destination'?",
        ),
        ({"source": "abc", "zzz": 1}, "zzz: unknown field (value 1); known fields: destination,"),
        ({"source": 3, "destination": "abc"}, "source: 3 won't do: Input should be a valid string"),
        (
            {"source": "abc", "destination": "abc"},
            "destination: 'abc' is also the source; give another bucket",
        ),
        (
            {"source": "arn:aws:s3:::abc", "destination": "d"},
            "source: 'arn:aws:s3:::abc' is not a bucket name",
        ),
        ({"source": "abc", "destination": "xyz", "prefix": "x" * 1025}, "prefix: "),
        ({"source": "abc", "destination": "xyz", "trigger": "cron"}, "trigger: 'cron' won't do"),
    ],
)
def test_bad_input_names_the_field_the_value_and_the_fix(document: Any, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(document)
    assert str(caught.value).startswith(message)


def test_a_name_given_as_an_arn_or_uri_is_suggested_alone() -> None:
    for given in ("arn:aws:s3:::my-bucket", "s3://my-bucket/some/prefix"):
        with pytest.raises(InvalidRequest, match="give the name alone: 'my-bucket'"):
            parse_request({"source": given, "destination": "my-replica"})

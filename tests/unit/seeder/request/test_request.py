from __future__ import annotations

from typing import Any

import pytest

from seeder.errors import InvalidRequest
from seeder.request import RULE_OPTIONS, parse_request

PAIR = {"source": "abc", "destination": "xyz"}


def test_source_and_destination_are_enough() -> None:
    request = parse_request({"source": "my-bucket", "destination": "my-replica"})
    assert request.model_dump() == {
        "source": "my-bucket",
        "destination": "my-replica",
        "prefix": "",
        "suffix": "",
        "created_after": None,
        "created_before": None,
        "size_at_least": None,
        "size_at_most": None,
        "storage_classes": [],
        "tags": {},
        "inventory": "",
        "operation": "auto",
        "resync": False,
        "overlap": "fail",
        "restore": False,
        "restore_days": 7,
        "restore_tier": "BULK",
        "enable_replication": False,
        "replicate_delete_markers": True,
        "replica_storage_class": None,
        "replica_kms_key": "",
        "replication_time_control": False,
        "replica_owner": "source",
        "destination_account": "",
        "rounds": 3,
        "priority": 10,
        "confirm": False,
        "manifest_location": "state",
        "report_location": "state",
        "job_role_arn": "",
        "replication_role_arn": "",
        "max_cost_usd": None,
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
        (
            {"source": "abc", "zzz": 1},
            "zzz: unknown field (value 1); known fields: confirm, created_after, created_before,",
        ),
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
        (PAIR | {"created_after": "yesterday"}, "created_after: 'yesterday' is not a time; give one such as"),
        (
            PAIR | {"created_after": "2026-01-31T00:00:00"},
            "created_after: '2026-01-31T00:00:00' has no time zone",
        ),
        (PAIR | {"size_at_least": -1}, "size_at_least: -1 won't do"),
        (PAIR | {"size_at_least": 5, "size_at_most": 4}, "size_at_most: 4 is less than size_at_least, 5"),
        (PAIR | {"storage_classes": ["COLD"]}, "storage_classes.0: 'COLD' won't do"),
        (
            PAIR | {"created_after": "2026-02-01T00:00:00Z", "created_before": "2026-01-01T00:00:00Z"},
            "created_before: '2026-01-01T00:00:00Z' is not after created_after",
        ),
        (
            PAIR | {"inventory": "s3://inventories/abc/daily/"},
            "inventory: 's3://inventories/abc/daily/' is not the address of an inventory; give",
        ),
        (
            PAIR | {"inventory": "s3://B/a/manifest.json"},
            "inventory: 's3://B/a/manifest.json' is not the addr",
        ),
        (
            PAIR | {"inventory": "inventories/abc/manifest.json"},
            "inventory: 'inventories/abc/manifest.json' is not",
        ),
        (PAIR | {"inventory": 4}, "inventory: 4 won't do: Input should be a valid string"),
        ({"source": "abc", "destination": "xyz", "trigger": "cron"}, "trigger: 'cron' won't do"),
        (PAIR | {"operation": "move"}, "operation: 'move' won't do: Input should be 'auto', 'replicate' or"),
        (PAIR | {"rounds": 11}, "rounds: 11 won't do"),
        (PAIR | {"rounds": -1}, "rounds: -1 won't do"),
        (PAIR | {"priority": -1}, "priority: -1 won't do"),
        (PAIR | {"priority": 2**31}, "priority: 2147483648 won't do"),
        (PAIR | {"confirm": "yes"}, "confirm: 'yes' won't do"),
        (PAIR | {"restore_days": 0}, "restore_days: 0 won't do"),
        (PAIR | {"restore_tier": "EXPEDITED"}, "restore_tier: 'EXPEDITED' won't do"),
        (PAIR | {"max_cost_usd": -0.01}, "max_cost_usd: -0.01 won't do"),
        (PAIR | {"max_cost_usd": float("nan")}, "max_cost_usd: nan won't do"),
        (PAIR | {"max_cost_usd": "5"}, "max_cost_usd: '5' won't do"),
        (PAIR | {"manifest_location": "elsewhere"}, "manifest_location: 'elsewhere' won't do"),
        (PAIR | {"report_location": "xyz"}, "report_location: 'xyz' won't do"),
        (
            PAIR | {"prefix": "é" * 513},
            f"prefix: '{'é' * 40}…' has 1026 bytes, and a key has 1024 at most; shorten",
        ),
        (
            PAIR | {"created_after": "2026-02-30T00:00:00Z"},
            "created_after: '2026-02-30T00:00:00Z' is not a time; giv",
        ),
        (
            PAIR | {"created_after": "2026-W05-1T00:00Z"},
            "created_after: '2026-W05-1T00:00Z' is not a time; give one",
        ),
        (
            PAIR | {"tags": {"": "v"}},
            "tags: '=v' is not a tag of an object; give keys of 1 to 128 characters and val",
        ),
        (PAIR | {"tags": {"k": "v" * 257}}, f"tags: 'k={'v' * 257}' is not a tag"),
        (
            PAIR | {"tags": {str(n): "" for n in range(11)}},
            "tags: 11 tags, and an object has 10 at most; give fewer",
        ),
        (
            PAIR | {"tags": [{"Key": "k", "Value": "v"}]},
            "tags: [{'Key': 'k', 'Value': 'v'}] won't do: Input should be",
        ),
        (
            PAIR | {"job_role_arn": "my-role"},
            "job_role_arn: 'my-role' is not the ARN of a role; give one such as arn:",
        ),
        (
            PAIR | {"job_role_arn": "arn:aws:iam::" + "\u0661" * 12 + ":role/r"},
            "job_role_arn: 'arn:aws:iam::\u0661",
        ),
        (
            PAIR | {"replication_role_arn": "arn:aws:iam::111122223333:user/u"},
            "replication_role_arn: 'arn:aws:iam::11",
        ),
        (
            PAIR | {"replica_kms_key": "arn:aws:kms:eu-west-1:111122223333:alias/a"},
            "replica_kms_key: 'arn:aws:kms:eu-west-1:111122223333:alias/a' is not the ARN of a KMS key; give",
        ),
        (
            PAIR | {"destination_account": "1111"},
            "destination_account: '1111' is not the id of an account; give its",
        ),
        (PAIR | {"overlap": "both"}, "overlap: 'both' won't do"),
        (
            PAIR | {"resync": True, "inventory": "s3://inventories/abc/manifest.json"},
            "resync: true lists both buckets, and inventory says to list none; give one of the two",
        ),
        (
            PAIR | {"enable_replication": True, "operation": "copy"},
            "operation: 'copy' would not use the rule that enable_replication adds; leave one of the two out",
        ),
        (
            PAIR | {"replicate_delete_markers": False},
            "replicate_delete_markers: False is for the rule that enable_replication adds, and that is false; set it",
        ),
    ],
)
def test_bad_input_names_the_field_the_value_and_the_fix(document: Any, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(document)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("replicate_delete_markers", False),
        ("replica_storage_class", "GLACIER_IR"),
        ("replica_kms_key", "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234"),
        ("replication_time_control", True),
        ("replica_owner", "destination"),
    ],
)
def test_options_of_the_added_rule_are_taken_only_with_it(option: str, value: Any) -> None:
    assert option in RULE_OPTIONS
    assert getattr(parse_request(PAIR | {option: value, "enable_replication": True}), option) == value
    with pytest.raises(InvalidRequest, match=f"^{option}: .*is for the rule that enable_replication adds"):
        parse_request(PAIR | {option: value})


def test_tags_of_every_character_are_taken_as_they_are() -> None:
    tags = {"k" * 128: "v" * 256, "a=b": "c=d", "😀": "", " ": ","}
    assert parse_request(PAIR | {"tags": tags}).tags == tags


def test_a_name_given_as_an_arn_or_uri_is_suggested_alone() -> None:
    for given in ("arn:aws:s3:::my-bucket", "s3://my-bucket/some/prefix"):
        with pytest.raises(InvalidRequest, match="give the name alone: 'my-bucket'"):
            parse_request({"source": given, "destination": "my-replica"})


def test_an_inventory_is_given_by_its_manifest() -> None:
    address = "s3://my-inventories/abc/daily/2026-01-31T01-00Z/manifest.json"
    assert parse_request(PAIR | {"inventory": address}).inventory == address


def test_what_a_run_is_asked_comes_back_from_a_document() -> None:
    asked = {
        "operation": "copy",
        "rounds": 0,
        "max_cost_usd": 5,
        "restore": True,
        "report_location": "destination",
    }
    request = parse_request(PAIR | asked)
    assert (request.rounds, request.max_cost_usd, request.report_location) == (0, 5.0, "destination")
    assert parse_request(request.model_dump()) == request

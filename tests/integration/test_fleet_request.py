"""From what a fleet is asked to the pairs of the account."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder.clients import Clients
from seeder.errors import InvalidRequest
from seeder.fleet import pairs
from seeder.fleet.request import parse_fleet, requests
from seeder.fleet.seen import Seen
from seeder.record import Record
from seeder.request import Request
from tests.keys import TRAPS

STATE = "the-state-bucket"
BUCKETS = ["app-a", "app-b", "app-a-replica", "app-b-replica", "web", "europe"]


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        client = cloud.client("s3")
        for bucket in [STATE, *BUCKETS[:-1]]:
            client.create_bucket(Bucket=bucket)
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        cloud.client("s3", "eu-west-1").create_bucket(
            Bucket="europe", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        client.put_bucket_tagging(Bucket="app-a", Tagging={"TagSet": [{"Key": "team", "Value": "x"}]})
        yield client


@pytest.fixture
def clients(s3: Any) -> Clients:
    return Clients()


def asked(clients: Clients, **fleet: Any) -> list[Request]:
    return requests(parse_fleet(fleet), clients, STATE)


def put_csv(s3: Any, *rows: list[str], bucket: str = "web") -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    s3.put_object(Bucket=bucket, Key="pairs.csv", Body=written.getvalue().encode())
    return f"s3://{bucket}/pairs.csv"


def put_rules(s3: Any, source: str, *rules: tuple[str, str, str]) -> None:
    s3.put_bucket_replication(
        Bucket=source,
        ReplicationConfiguration={
            "Role": "arn:aws:iam::123456789012:role/replication",
            "Rules": [
                {
                    "ID": name,
                    "Priority": number,
                    "Status": status,
                    "Filter": {"Prefix": f"{name}/"},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                    "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
                }
                for number, (name, status, destination) in enumerate(rules)
            ],
        },
    )


def test_a_pattern_over_names_takes_every_source_and_no_replica_of_another(clients: Clients) -> None:
    found = asked(clients, buckets="app-*")
    assert [(pair.source, pair.destination) for pair in found] == [
        ("app-a", "app-a-replica"),
        ("app-b", "app-b-replica"),
    ]


def test_a_pattern_that_matches_no_bucket_is_an_error(clients: Clients) -> None:
    with pytest.raises(InvalidRequest, match=r"buckets: 'nothing-\*' matches no bucket"):
        asked(clients, buckets="nothing-*")


@pytest.mark.parametrize("prefix", [key for key in TRAPS if len(key) <= 1000][:12])
def test_a_csv_file_gives_a_pair_a_row_with_any_key(s3: Any, clients: Clients, prefix: str) -> None:
    address = put_csv(
        s3,
        ["source", "destination", "prefix", "rounds", "confirm", "tags", "created_after"],
        ["app-a", "app-a-replica", prefix, "1", "true", '{"k": "v"}', "2026-01-31T00:00:00Z"],
        ["app-b", "app-b-replica", "", "", "", "", ""],
    )
    first, second = asked(clients, csv=address)
    assert (first.prefix, first.rounds, first.confirm, first.tags) == (prefix, 1, True, {"k": "v"})
    assert first.created_after == "2026-01-31T00:00:00Z"
    assert second.model_dump(exclude_defaults=True).keys() == {"source", "destination", "overlap"}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (["", "app-b"], "csv line 2.source: missing"),
        (["App", "app-b"], "csv line 2.source: 'App' is not a bucket name"),
        (["app-a", "app-b", "more"], "csv line 2."),
    ],
)
def test_a_wrong_row_is_named_by_its_line(s3: Any, clients: Clients, row: list[str], problem: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked(clients, csv=put_csv(s3, ["source", "destination"], row))
    assert str(caught.value).startswith(problem)


def test_a_csv_file_that_is_not_there_or_no_text_is_an_error(s3: Any, clients: Clients) -> None:
    with pytest.raises(InvalidRequest, match=r"csv: 's3://web/other\.csv' is not there"):
        asked(clients, csv="s3://web/other.csv")
    s3.put_object(Bucket="web", Key="binary.csv", Body=b"\xff\xfe\x00")
    with pytest.raises(InvalidRequest, match=r"csv: 's3://web/binary\.csv' is not a CSV file in UTF-8"):
        asked(clients, csv="s3://web/binary.csv")


def enter(s3: Any, **fields: Any) -> None:
    record = Record(run_id="run", state="Complete", event="", subject="", ended_at="2026-01-31T00:00:00Z")
    pairs.enter(s3, STATE, Request(**fields), record)


def test_the_registry_gives_its_pairs_by_name_and_by_the_buckets_tags(s3: Any, clients: Clients) -> None:
    enter(s3, source="app-a", destination="app-a-replica", prefix="logs/", operation="copy")
    enter(s3, source="web", destination="app-b-replica")
    enter(s3, source="deleted-since", destination="app-b-replica")
    chosen = {
        name: [pair.source for pair in asked(clients, registry=choice)]
        for name, choice in {
            "all": {},
            "app": {"names": "app-*"},
            "tagged": {"tags": {"team": "x"}},
        }.items()
    }
    assert chosen == {"all": ["app-a", "deleted-since", "web"], "app": ["app-a"], "tagged": ["app-a"]}
    (pair,) = asked(clients, registry={"names": "app-a"}, trigger="schedule")
    assert (pair.prefix, pair.operation, pair.resync, pair.overlap) == ("logs/", "copy", True, "skip")


def test_rules_that_are_there_are_seeded_and_count_as_seen(s3: Any, clients: Clients) -> None:
    put_rules(s3, "app-a", ("one", "Enabled", "app-a-replica"), ("off", "Disabled", "web"))
    put_rules(s3, "app-b", ("two", "Enabled", "app-b-replica"), ("three", "Enabled", "web"))
    found = asked(clients, rules=["app-a", "app-b/three"])
    assert [(pair.source, pair.rule_id, pair.prefix) for pair in found] == [
        ("app-a", "one", "one/"),
        ("app-b", "three", "three/"),
    ]
    assert all(pair.resync and pair.trigger == "rule-added" for pair in found)
    seen = Seen(s3, STATE, "app-b").rules()
    assert seen is not None
    assert [rule.id for rule in seen] == ["three"]


@pytest.mark.parametrize("selector", ["none-*", "app-a/none", "web"])
def test_a_selector_that_names_no_rule_is_an_error(s3: Any, clients: Clients, selector: str) -> None:
    put_rules(s3, "app-a", ("one", "Enabled", "app-a-replica"))
    with pytest.raises(InvalidRequest) as caught:
        asked(clients, rules=["app-a", selector])
    assert str(caught.value).startswith(f"rules: '{selector}' names no replication rule")

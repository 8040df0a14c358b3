"""Events of replication rules, handled by many at once: what was added is seeded once. SEEDER_RACES says how often."""

from __future__ import annotations

import itertools
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder.clients import Clients
from seeder.triggers import Pair, resolve

RACES = int(os.environ.get("SEEDER_RACES", "4"))
DELIVERIES = 20
STATE = "the-state-bucket"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        client = cloud.client("s3")
        for name in (STATE, "replica"):
            client.create_bucket(Bucket=name)
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture
def source(s3: Any) -> str:
    name = f"source-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def rule(name: str, priority: int) -> dict[str, Any]:
    return {
        "ID": name,
        "Priority": priority,
        "Status": "Enabled",
        "Filter": {"Prefix": f"{name}/"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::replica"},
    }


def put(s3: Any, source: str, *names: str) -> dict[str, Any]:
    """Put these rules, and return the event that tells of it."""
    rules = [rule(name, number) for number, name in enumerate(names)]
    configuration = {"Role": "arn:aws:iam::123456789012:role/replication", "Rules": rules}
    s3.put_bucket_replication(Bucket=source, ReplicationConfiguration=configuration)
    told = {"Role": configuration["Role"], "Rule": rules if len(rules) > 1 else rules[0]}
    detail = {
        "eventName": "PutBucketReplication",
        "eventID": f"{source}-{'-'.join(names)}",
        "awsRegion": "us-east-1",
        "requestParameters": {"bucketName": source, "ReplicationConfiguration": told},
    }
    return {"detail-type": "AWS API Call via CloudTrail", "detail": detail}


def at_once(events: list[dict[str, Any]]) -> list[list[Pair]]:
    """Handle events as so many functions would, each with clients of its own, all at the same moment."""
    together = threading.Barrier(len(events))
    clients = Clients()

    def handle(numbered: tuple[int, dict[str, Any]]) -> list[Pair]:
        together.wait()
        number, event = numbered
        return resolve(event, f"execution-{number}", clients, STATE)

    with ThreadPoolExecutor(len(events)) as pool:
        return list(pool.map(handle, enumerate(events)))


@pytest.mark.parametrize("race", range(RACES))
def test_twenty_deliveries_of_one_event_at_once_give_one_run(s3: Any, source: str, race: int) -> None:
    resolve(put(s3, source, "old"), "before", Clients(), STATE)
    made = at_once([put(s3, source, "old", "new")] * DELIVERIES)
    assert {pair.request["rule_id"] for pairs in made for pair in pairs} == {"new"}
    assert len({pair.run_id for pairs in made for pair in pairs}) == 1
    assert all(len(pairs) == 1 for pairs in made)


@pytest.mark.parametrize("race", range(RACES))
def test_two_changes_within_a_moment_give_what_both_added_once_each(s3: Any, source: str, race: int) -> None:
    resolve(put(s3, source, "old"), "before", Clients(), STATE)
    events = [put(s3, source, "old", "first"), put(s3, source, "old", "first", "second")]
    made = at_once(events * (DELIVERIES // 4))
    runs = {pair.run_id: pair.request["rule_id"] for pairs in made for pair in pairs}
    assert Counter(runs.values()) == {"first": 1, "second": 1}

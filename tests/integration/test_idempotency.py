"""Idempotency records in S3, held against those in DynamoDB: the same calls get the same answers."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.faults import Fault
from seeder.lake.idempotency import S3PersistenceLayer, lifecycle_rule
from seeder.lake.policies import Rules, bucket_arn, merged, statements
from seeder.lake.retry import Retry
from tests import idempotent as situations
from tests.idempotent import SITUATIONS, Function, Stores, context, fails

ROOT = Path(__file__).parents[2]
BUCKET, TABLE = "state", "records"
FOLDERS = ("idempotency/", "lost/", "409/")
CONFLICTS = 3
FAULTS = [
    Fault(operation="PutObject", key_prefix="lost/", committed=True, times=1, effect="timeout"),
    Fault(operation="DeleteObject", key_prefix="lost/", committed=True, times=1, effect="timeout"),
    Fault(
        operation="PutObject",
        key_prefix="409/",
        status=409,
        code="ConditionalRequestConflict",
        times=CONFLICTS,
    ),
]
RETRY = Retry(deadline_seconds=5, sleep=lambda _: None)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000), faults=FAULTS) as running:
        s3 = running.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        # Records are made, replaced and deleted by condition alone.
        enforced = merged({}, statements(bucket_arn(BUCKET), Rules(level="bucket", registries=FOLDERS)))
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(enforced))
        running.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield running


def in_s3(s3: Any, folder: str = "idempotency") -> Stores:
    """Return what makes layers that share records of their own, as functions of their own would."""
    prefix = f"{folder}/{next(_numbers)}/"
    return lambda: S3PersistenceLayer(BUCKET, prefix, boto3_client=s3, retry=RETRY)


def in_dynamodb(cloud: LocalCloud) -> Stores:
    client = cloud.client("dynamodb")
    for item in client.scan(TableName=TABLE)["Items"]:
        client.delete_item(TableName=TABLE, Key={"id": item["id"]})
    return lambda: DynamoDBPersistenceLayer(TABLE, boto3_client=client)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.__name__)
def test_answers_are_those_of_dynamodb(cloud: LocalCloud, situation: Callable[[Stores], list[Any]]) -> None:
    answers = situation(in_s3(cloud.client("s3")))
    assert answers == situation(in_dynamodb(cloud))
    assert answers


def test_the_situations_are_what_they_say(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    assert [answer["run"] for answer in situations.first_repeated_and_another(in_s3(s3))[:4]] == [1, 1, 2, 1]
    told = situations.at_the_same_time(in_s3(s3))[0]["during"]
    assert told.startswith("IdempotencyAlreadyInProgressError: ")
    assert [answer["run"] for answer in situations.expired(in_s3(s3))[:4]] == [1, 2, 3, 3]
    assert situations.failed(in_s3(s3))[0] == "ValueError: the function fails"
    assert situations.out_of_time(in_s3(s3))[0]["during"] == {"run": 2, "during": None}
    assert situations.another_payload(in_s3(s3))[2].startswith("IdempotencyValidationError: ")


@pytest.mark.parametrize("before", ["nothing", "expired", "out of time"])
def test_of_twenty_calls_at_the_same_moment_one_runs(cloud: LocalCloud, before: str) -> None:
    function, writers = Function(in_s3(cloud.client("s3"))), 20
    start, refused = threading.Barrier(writers), threading.Semaphore(0)
    if before == "expired":
        function({"a": 1}, expires_after_seconds=-60)
    if before == "out of time":
        # Nobody ends it: the environment is gone with its call.
        with contextlib.suppress(SystemExit):
            function({"a": 1}, during=lambda: sys.exit(1), left=-1000)
    runs = function.runs

    def call(_: int) -> Any:
        start.wait(30)
        answer = function({"a": 1}, during=lambda: [refused.acquire(timeout=30) for _ in range(writers - 1)])
        refused.release()
        return answer

    with ThreadPoolExecutor(writers) as pool:
        answers = list(pool.map(call, range(writers)))
    assert function.runs == runs + 1
    told = [answer for answer in answers if str(answer).startswith("IdempotencyAlreadyInProgressError: ")]
    assert len(told) == writers - 1


def test_a_call_that_fails_after_another_took_over_leaves_its_record(cloud: LocalCloud) -> None:
    function = Function(in_s3(cloud.client("s3")))

    def taken_over() -> None:
        function({"a": 1})
        fails()

    assert function({"a": 1}, during=taken_over, left=-1000) == "ValueError: the function fails"
    assert function({"a": 1}) == {"run": 2, "during": None}


def test_what_another_environment_did_is_asked_for_once_where_there_is_a_cache(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    function = Function(in_s3(s3), use_local_cache=True)
    first = function({"a": 1})
    function.store = store = function.stores()
    assert function({"a": 1}) == first
    (record,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=store.prefix)["Contents"]
    s3.delete_object(Bucket=BUCKET, Key=record["Key"], IfMatch=record["ETag"])
    assert function({"a": 1}) == first


@pytest.mark.parametrize("folder", ["lost", "409"])
def test_a_lost_answer_or_a_conflict_runs_nothing_twice(cloud: LocalCloud, folder: str) -> None:
    for situation in (situations.first_repeated_and_another, situations.failed):
        assert situation(in_s3(cloud.client("s3"), folder)) == situation(in_s3(cloud.client("s3")))


def test_what_is_refused_is_an_error_of_the_layer(cloud: LocalCloud) -> None:
    function = Function(lambda: S3PersistenceLayer("not-there", boto3_client=cloud.client("s3"), retry=RETRY))
    answer = function({"a": 1})
    assert answer.startswith("IdempotencyPersistenceLayerError: ")
    assert "NoSuchBucket" in answer
    assert function.runs == 0


def test_an_object_that_is_no_record_is_not_touched(cloud: LocalCloud) -> None:
    s3, ran = cloud.client("s3"), []
    store = in_s3(s3)()
    key = f"{store.prefix}mine#{'0' * 32}"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"somebody's", IfNoneMatch="*")

    @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools has no types there
        data_keyword_argument="order",
        persistence_store=store,
        config=IdempotencyConfig(lambda_context=context()),
        key_prefix="mine",
    )
    def pay(order: Any) -> None:
        ran.append(order)

    store._generate_hash = lambda data: "0" * 32
    with pytest.raises(IdempotencyPersistenceLayerError, match="give this layer a prefix of its own"):
        pay(order=1)
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"somebody's"
    assert ran == []


def test_records_are_removed_not_before_they_expire() -> None:
    days = [lifecycle_rule("p/", seconds)["Expiration"]["Days"] for seconds in (1, 86_400, 86_401, 864_000)]
    assert days == [1, 1, 2, 10]


def test_the_lifecycle_rule_is_one_that_a_bucket_takes(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [lifecycle_rule()]})
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert rule == lifecycle_rule()


def test_no_other_module_imports_it() -> None:
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    assert len(files) > 50
    using = [
        file.name for file in files if re.search(r"import.*idempotency|idempotency.*import", file.read_text())
    ]
    assert using == ["idempotency.py"]

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from localcloud import fault_injection
from localcloud.faults import CALL_EFFECTS, JOB_EFFECTS, Fault, Faults
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import ACCOUNT, careless_client, client

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW = Fault(status=503, code="SlowDown")


class Injection:
    """Faults in force while a test runs."""

    def __init__(self) -> None:
        self.faults = Faults()

    def set(self, **description: Any) -> None:
        self.faults = Faults([Fault.from_dict(description)])


@pytest.fixture
def injection() -> Iterator[Injection]:
    patches, made = Patches(), Injection()
    with mock_aws():
        client("s3").create_bucket(Bucket="bucket")
        fault_injection.install(patches, lambda: made.faults)
        yield made
        patches.undo()


def test_the_smallest_description() -> None:
    fault = Fault.from_dict({"key_prefix": "a/", "status": 503, "code": "SlowDown", "times": None})
    assert fault == Fault(key_prefix="a/", status=503, code="SlowDown")


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"status": "503", "code": "X"}, "fault status is '503'; give an HTTP status such as 503"),
        ({"status": 5, "code": "X"}, "fault status is 5; give an HTTP status from 100 to 599"),
        ({"code": "X"}, "fault status is 0; give an HTTP status from 100 to 599"),
        ({"status": 500}, "fault code is ''; give the AWS error code, such as 'SlowDown'"),
        ({"status": 500, "code": 1}, "fault code is 1; give a string"),
        ({"status": 500, "code": "X", "times": 0}, "fault times is 0; give a whole number from 1, or null"),
        (
            {"status": 500, "code": "X", "times": True},
            "fault times is True; give a whole number from 1, or null",
        ),
        ({"status": 500, "code": "X", "key_prefix": None}, "fault key_prefix is None; give a string"),
        ({"status": 500, "code": "X", "prefix": "a"}, "fault field 'prefix' is not known; use one of code, "),
        ({"effect": "explode"}, "fault effect is 'explode'; use one of error, timeout, exit"),
        ({"effect": "exit"}, "fault effect is 'exit' but function is None; name a function"),
        ({"effect": "fail"}, "fault code is ''; give the AWS error code"),
        ({"effect": "pause", "seconds": "9"}, "fault seconds is '9'; give a number from 0"),
        ({"effect": "pause", "seconds": -1}, "fault seconds is -1; give a number from 0"),
        (
            {"effect": "pause", "key_prefix": "a"},
            "fault key_prefix is 'a' but effect 'pause' strikes whole jobs; leave key_prefix out",
        ),
    ],
)
def test_a_wrong_description_is_refused_naming_field_value_and_fix(
    description: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        Fault.from_dict(description)


@given(
    st.builds(
        Fault,
        status=st.integers(100, 599),
        code=st.text(min_size=1),
        key_prefix=st.text(),
        times=st.none() | st.integers(1, 5),
        operation=st.none() | st.text(min_size=1),
        job=st.none() | st.text(min_size=1),
        function=st.text(min_size=1),
        effect=st.sampled_from(CALL_EFFECTS),
        committed=st.booleans(),
    )
)
def test_every_fault_is_its_own_description(fault: Fault) -> None:
    assert Fault.from_dict(asdict(fault)) == fault


@given(
    st.builds(
        Fault,
        code=st.text(min_size=1),
        times=st.none() | st.integers(1, 5),
        job=st.none() | st.text(min_size=1),
        effect=st.sampled_from(JOB_EFFECTS),
        seconds=st.floats(0, 1e6) | st.integers(0, 10),
    )
)
def test_every_fault_of_a_job_is_its_own_description(fault: Fault) -> None:
    assert Fault.from_dict(asdict(fault)) == fault


@pytest.mark.parametrize("effect", JOB_EFFECTS)
def test_a_fault_of_a_job_strikes_no_task_and_no_call(effect: str) -> None:
    faults = Faults([Fault(effect=effect, job="mine", times=1)])
    assert faults.strike(job=("mine",)) is None
    assert faults.strike(operation="CreateJob", job=("mine",)) is None
    assert faults.strike_job(effect, ("other",)) is None
    assert faults.strike_job(effect, ("id", "mine")) is not None
    assert faults.strike_job(effect, ("id", "mine")) is None


@given(times=st.integers(1, 4), calls=st.integers(0, 8))
def test_a_fault_strikes_as_often_as_it_says(times: int, calls: int) -> None:
    faults = Faults([Fault(status=503, code="SlowDown", times=times)])
    assert sum(faults.strike(key="k") is not None for _ in range(calls)) == min(times, calls)


def test_a_fault_without_times_strikes_always() -> None:
    faults = Faults([SLOW])
    assert all(faults.strike(key="k") is SLOW for _ in range(10))


@pytest.mark.parametrize(
    ("fault", "call", "strikes"),
    [
        ({"key_prefix": "a b/"}, {"key": "a b/c"}, True),
        ({"key_prefix": "a b/"}, {"key": "a%20b/c"}, False),
        ({"job": "mine"}, {"job": ("id", "mine")}, True),
        ({"job": "mine"}, {"job": ("id",)}, False),
        ({"operation": "PutObject"}, {"operation": "PutObject"}, True),
        ({"operation": "PutObject"}, {"operation": "GetObject"}, False),
        ({"operation": "PutObject"}, {}, False),
        ({}, {"operation": "PutObject"}, False),
        ({"function": "f"}, {"operation": "Invoke", "function": "f"}, True),
        ({"function": "f"}, {"operation": "Invoke", "function": "g"}, False),
        ({"function": "f"}, {}, False),
        ({"operation": "Invoke"}, {"operation": "Invoke", "function": "g"}, True),
    ],
    ids=str,
)
def test_a_fault_strikes_what_it_names(fault: dict[str, Any], call: dict[str, Any], strikes: bool) -> None:
    faults = Faults([Fault(status=500, code="X", **fault)])
    assert (faults.strike(**call) is not None) == strikes


def test_the_first_fault_that_fits_strikes_then_the_next() -> None:
    once = Fault(status=500, code="InternalError", times=1)
    faults = Faults([once, SLOW])
    assert [faults.strike(), faults.strike()] == [once, SLOW]


def test_counting_is_safe_between_threads() -> None:
    faults = Faults([Fault(status=503, code="SlowDown", times=100)])
    struck: list[bool] = []

    def strike() -> None:
        struck.extend(faults.strike() is not None for _ in range(50))

    threads = [threading.Thread(target=strike) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(struck) == 100


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "SlowDown"),
        (500, "InternalError"),
        (409, "ConditionalRequestConflict"),
        (403, "AccessDenied"),
    ],
)
def test_an_s3_call_answers_the_status_and_code(injection: Injection, status: int, code: str) -> None:
    injection.set(operation="PutObject", key_prefix="a b", status=status, code=code, times=1)
    put = client("s3").put_object
    put(Bucket="bucket", Key="other")
    with pytest.raises(ClientError) as caught:
        put(Bucket="bucket", Key="a b/c", Body=b"1")
    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    assert [each["Key"] for each in client("s3").list_objects_v2(Bucket="bucket")["Contents"]] == ["other"]
    put(Bucket="bucket", Key="a b/c", Body=b"1")


def test_a_timeout_after_the_write_was_committed(injection: Injection) -> None:
    injection.set(operation="PutObject", effect="timeout", committed=True, times=1)
    with pytest.raises(ReadTimeoutError):
        client("s3").put_object(Bucket="bucket", Key="k", Body=b"1")
    assert client("s3").get_object(Bucket="bucket", Key="k")["Body"].read() == b"1"
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client("s3").put_object(Bucket="bucket", Key="k", Body=b"1", IfNoneMatch="*")


def test_a_timeout_before_the_write(injection: Injection) -> None:
    injection.set(operation="PutObject", effect="timeout")
    with pytest.raises(ReadTimeoutError):
        client("s3").put_object(Bucket="bucket", Key="k", Body=b"1")
    assert client("s3").list_objects_v2(Bucket="bucket")["KeyCount"] == 0


def test_a_copy_is_told_from_a_put(injection: Injection) -> None:
    injection.set(operation="CopyObject", status=503, code="SlowDown")
    client("s3").put_object(Bucket="bucket", Key="k")
    with pytest.raises(ClientError, match="SlowDown"):
        client("s3").copy_object(Bucket="bucket", Key="k2", CopySource={"Bucket": "bucket", "Key": "k"})


@pytest.mark.parametrize("key", ["a%2Fb", "a+b", "line\nbreak", "/leading", "//", "ü%"])
def test_keys_are_compared_decoded(injection: Injection, key: str) -> None:
    injection.set(operation="GetObject", key_prefix=key, status=500, code="InternalError")
    client("s3").put_object(Bucket="bucket", Key=key)
    with pytest.raises(ClientError, match="InternalError"):
        client("s3").get_object(Bucket="bucket", Key=key)


def test_a_head_request_fails_without_a_body(injection: Injection) -> None:
    injection.set(operation="HeadObject", status=503, code="SlowDown")
    with pytest.raises(ClientError) as caught:
        client("s3").head_object(Bucket="bucket", Key="k")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_an_s3_control_call_answers_the_status_and_code(injection: Injection) -> None:
    injection.set(operation="DescribeJob", job="12345", status=503, code="SlowDown")
    control = careless_client()
    with pytest.raises(ClientError, match="SlowDown"):
        control.describe_job(AccountId=ACCOUNT, JobId="12345")
    with pytest.raises(control.exceptions.NotFoundException):
        control.describe_job(AccountId=ACCOUNT, JobId="54321")


def test_other_services_are_left_alone(injection: Injection) -> None:
    injection.set(operation="GetCallerIdentity", status=503, code="SlowDown")
    assert client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_after_the_patches_are_undone_nothing_fails() -> None:
    patches = Patches()
    fault_injection.install(patches, lambda: Faults([Fault(operation="ListBuckets", status=500, code="X")]))
    with mock_aws():
        with pytest.raises(ClientError):
            client("s3").list_buckets()
        patches.undo()
        assert client("s3").list_buckets()["Buckets"] == []


def test_a_function_is_named_with_or_without_what_its_stack_added() -> None:
    faults = Faults([Fault(function="seeder-Copy", effect="exit")])
    assert faults.strike(operation="Invoke", function="seeder-Copy")
    assert faults.strike(operation="Invoke", function="seeder-Copy-ABCDEFGHIJKL")
    assert not faults.strike(operation="Invoke", function="seeder-CopyLarge-ABCDEFGHIJKL")


def test_how_often_each_fault_struck_is_counted() -> None:
    once, always = Fault(status=503, code="SlowDown", times=1), Fault(status=500, code="InternalError")
    faults = Faults([once, always])
    for _ in range(3):
        faults.strike()
    assert faults.struck == {once: 1, always: 2}

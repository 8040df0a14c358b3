from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localcloud.clock import ManualClock
from localcloud.cloud import LocalCloud
from localcloud.iam_conditions import like
from localcloud.role_settling import seconds_since_change
from seeder.roles.policies import job_trust

TRUST = json.dumps(job_trust("123456789012"))
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
)


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def iam(clock: ManualClock) -> Iterator[Any]:
    with LocalCloud(clock) as cloud:
        yield cloud.client("iam")


def test_a_role_is_as_old_as_its_last_change(iam: Any, clock: ManualClock) -> None:
    arn = iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    changes: list[Callable[[], Any]] = [
        lambda: iam.put_role_policy(RoleName="role", PolicyName="p", PolicyDocument=POLICY),
        lambda: iam.update_assume_role_policy(RoleName="role", PolicyDocument=TRUST),
        lambda: iam.delete_role_policy(RoleName="role", PolicyName="p"),
    ]
    for change in changes:
        clock.advance(20)
        assert seconds_since_change(arn, clock.now()) == 20
        change()
        assert seconds_since_change(arn, clock.now()) == 0


def test_to_look_at_a_role_is_no_change(iam: Any, clock: ManualClock) -> None:
    arn = iam.create_role(RoleName="seen", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    clock.advance(5)
    iam.get_role(RoleName="seen")
    iam.tag_role(RoleName="seen", Tags=[{"Key": "k", "Value": "v"}])
    assert seconds_since_change(arn, clock.now()) == 5


def test_a_role_that_is_not_there_has_no_change_to_wait_for(iam: Any, clock: ManualClock) -> None:
    assert seconds_since_change("arn:aws:iam::123456789012:role/none", clock.now()) == float("inf")


@pytest.mark.parametrize(
    ("pattern", "covered", "other"),
    [
        ("a${*}b", "a*b", "axb"),
        ("a${?}b", "a?b", "axb"),
        ("a${$}{x}*", "a${x}more", "a{x}"),
        ("${*}*", "*anything", "anything"),
        ("a$b?", "a$bc", "a$b"),
        ("${aws:username}", "${aws:username}", "me"),
        ("a\n*", "a\nb\nc", "ab"),
    ],
)
def test_an_escaped_wildcard_of_a_policy_is_that_character(pattern: str, covered: str, other: str) -> None:
    assert like(pattern, covered)
    assert not like(pattern, other)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from localcloud.iam import Access, Decision, Policy, Principal, UnsupportedPolicy, allowed, evaluate
from localcloud.iam_roles import bucket_policy, read_role
from tests.unit.localcloud.batch_world import ACCOUNT, TRUST, allow, client, deny, document

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = Principal(arn=f"arn:aws:iam::{ACCOUNT}:role/r")
ARN = "arn:aws:s3:::bucket/key"


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": list(statements)})


def get(resource: str = ARN, **context: Any) -> Access:
    return Access(
        "s3:GetObject", resource, ROLE, {name.replace("_", ":"): each for name, each in context.items()}
    )


def test_nothing_said_is_an_implicit_deny() -> None:
    assert policy(allow("s3:PutObject")).decide(get()) is Decision.SILENT
    assert not allowed(get(), [policy(allow("s3:PutObject"))])


def test_an_allow_allows_and_a_deny_anywhere_wins() -> None:
    may, may_not = policy(allow("s3:GetObject")), policy(deny("s3:Get*"))
    assert evaluate([may], get()) is Decision.ALLOW
    assert evaluate([may, may_not], get()) is Decision.DENY
    assert evaluate([may_not, may], get()) is Decision.DENY


@pytest.mark.parametrize(
    ("action", "fits"),
    [
        ("s3:GetObject", True),
        ("S3:getobject", True),
        ("s3:Get*", True),
        ("s3:GetObjec?", True),
        ("*", True),
        ("s3:GetObjectVersion", False),
        ("s3:Get", False),
        ("s3x:GetObject", False),
    ],
)
def test_actions_match_with_wildcards_and_in_any_case(action: str, fits: bool) -> None:
    assert (policy(allow(action)).decide(get()) is Decision.ALLOW) == fits


@pytest.mark.parametrize(
    ("resource", "fits"),
    [
        (ARN, True),
        ("arn:aws:s3:::bucket/*", True),
        ("arn:aws:s3:::*", True),
        ("*", True),
        ("arn:aws:s3:::bucket", False),
        ("arn:aws:s3:::Bucket/key", False),
        ("arn:aws:s3:::bucket/k", False),
    ],
)
def test_resources_match_with_wildcards_and_in_their_case(resource: str, fits: bool) -> None:
    assert (policy(allow("s3:GetObject", resource=resource)).decide(get()) is Decision.ALLOW) == fits


@given(st.text(alphabet="ab*?[].\n/", max_size=8))
def test_any_key_matches_itself_where_it_has_no_wildcards(key: str) -> None:
    arn = f"arn:aws:s3:::bucket/{key}"
    assert policy(allow("s3:GetObject", resource=arn)).decide(get(arn)) is Decision.ALLOW


def test_not_action_and_not_resource_cover_the_rest() -> None:
    others = {"Effect": "Allow", "NotAction": "s3:PutObject", "NotResource": "arn:aws:s3:::other/*"}
    assert policy(others).decide(get()) is Decision.ALLOW
    assert policy(others).decide(Access("s3:PutObject", ARN)) is Decision.SILENT
    assert policy(others).decide(get("arn:aws:s3:::other/key")) is Decision.SILENT


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"aws:ResourceAccount": ["1", "2"]}}, {"aws_ResourceAccount": "2"}, True),
        ({"StringEquals": {"AWS:resourceaccount": "1"}}, {"aws_ResourceAccount": "1"}, True),
        ({"StringEquals": {"s3:prefix": "A"}}, {"s3_prefix": "a"}, False),
        ({"StringEqualsIgnoreCase": {"s3:prefix": "A"}}, {"s3_prefix": "a"}, True),
        ({"StringNotEquals": {"s3:prefix": "a"}}, {"s3_prefix": "b"}, True),
        ({"StringNotEquals": {"s3:prefix": ["a", "b"]}}, {"s3_prefix": "b"}, False),
        ({"StringNotEquals": {"s3:prefix": "a"}}, {"s3_prefix": None}, True),
        ({"StringLike": {"s3:prefix": "runs/*"}}, {"s3_prefix": "runs/1"}, True),
        ({"StringLike": {"s3:prefix": "runs/*"}}, {"s3_prefix": None}, False),
        ({"StringLikeIfExists": {"s3:prefix": "runs/*"}}, {"s3_prefix": None}, True),
        ({"StringNotLike": {"s3:prefix": "runs/*"}}, {"s3_prefix": "runs/1"}, False),
        (
            {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:job/*"}},
            {"aws_SourceArn": "arn:aws:s3:r:1:job/2"},
            True,
        ),
        (
            {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:*:*:job/*"}},
            {"aws_SourceArn": "arn:aws:sqs:r:1:q"},
            False,
        ),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}, {"aws_PrincipalArn": ROLE.arn}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws_SecureTransport": "true"}, False),
        ({"Bool": {"aws:SecureTransport": True}}, {"aws_SecureTransport": "true"}, True),
        ({"Null": {"s3:if-none-match": "true"}}, {"s3_if-none-match": None}, True),
        ({"Null": {"s3:if-none-match": "false"}}, {"s3_if-none-match": "*"}, True),
        ({"Null": {"s3:if-none-match": False}}, {"s3_if-none-match": None}, False),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3_max-keys": "10"}, True),
        ({"NumericGreaterThan": {"s3:max-keys": 10}}, {"s3_max-keys": "10"}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws_TagKeys": ["a", "b"]}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws_TagKeys": ["a", "b"]}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws_TagKeys": None}, True),
        (
            {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"s3:prefix": "x"}},
            {"aws_SecureTransport": "true", "s3_prefix": "y"},
            False,
        ),
    ],
    ids=str,
)
def test_conditions(condition: dict[str, Any], context: dict[str, Any], holds: bool) -> None:
    decision = policy(allow("s3:*", Condition=condition)).decide(get(**context))
    assert (decision is Decision.ALLOW) == holds


@pytest.mark.parametrize(
    "condition",
    [
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"ForEachValue:StringEquals": {"aws:SourceIp": "x"}},
        {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    ],
    ids=str,
)
def test_what_cannot_be_evaluated_is_refused_naming_the_statement(condition: dict[str, Any]) -> None:
    statement = allow("s3:GetObject", Sid="Office", Condition=condition)
    with pytest.raises(UnsupportedPolicy, match=r"statement Office: condition .* is not evaluated"):
        policy(statement).decide(get(aws_SourceIp="203.0.113.9"))


def test_an_odd_condition_on_another_action_is_no_obstacle() -> None:
    odd = allow("s3:PutObject", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    assert policy(odd, allow("s3:GetObject")).decide(get()) is Decision.ALLOW


@pytest.mark.parametrize("change", [{"NotPrincipal": "*"}, {"Effect": "Maybe"}, {"Principals": "*"}], ids=str)
def test_unknown_elements_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedPolicy, match="not evaluated"):
        policy({**allow("s3:*"), **change})


def test_a_boundary_must_allow_too_and_grants_nothing() -> None:
    may, limit = policy(allow("s3:GetObject")), policy(allow("s3:*"))
    assert allowed(get(), [may], boundary=limit)
    assert not allowed(get(), [may], boundary=policy(allow("s3:PutObject")))
    assert not allowed(get(), [], boundary=limit)


def test_a_single_statement_may_stand_without_a_list() -> None:
    assert Policy({"Statement": allow("s3:*")}).decide(get()) is Decision.ALLOW


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE.arn}, True),
        ({"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]}, False),
        ({"AWS": ACCOUNT}, False),
        ({"AWS": "999999999999"}, False),
        ({"Service": "s3.amazonaws.com"}, False),
    ],
    ids=str,
)
def test_a_resource_policy_suffices_where_it_names_the_principal_not_its_account(
    principal: Any, named: bool
) -> None:
    resource = policy({**allow("s3:GetObject"), "Principal": principal})
    assert allowed(get(), [], resource=resource) == named


def test_another_accounts_resource_needs_both_policies() -> None:
    may = policy(allow("s3:GetObject"))
    shared = policy({**allow("s3:GetObject"), "Principal": {"AWS": ROLE.arn}})
    other = {"resource_account": "999999999999"}
    assert not allowed(get(), [may], **other)  # type: ignore[arg-type]
    assert not allowed(get(), [], resource=shared, **other)  # type: ignore[arg-type]
    assert allowed(get(), [may], resource=shared, **other)  # type: ignore[arg-type]


def test_a_trust_policy_names_a_service() -> None:
    trust = Policy(TRUST)
    service = Principal(service="batchoperations.s3.amazonaws.com")
    assert trust.decide(Access("sts:AssumeRole", ROLE.arn, service)) is Decision.ALLOW
    other = Principal(service="lambda.amazonaws.com")
    assert trust.decide(Access("sts:AssumeRole", ROLE.arn, other)) is Decision.SILENT


@pytest.mark.usefixtures("aws")
def test_a_role_is_read_with_inline_attached_and_boundary_policies() -> None:
    iam = client("iam")
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    managed = iam.create_policy(PolicyName="read", PolicyDocument=document(allow("s3:GetObject")))["Policy"][
        "Arn"
    ]
    iam.create_policy_version(
        PolicyArn=managed, PolicyDocument=document(allow("s3:ListBucket")), SetAsDefault=True
    )
    trust = json.dumps(TRUST)
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust, PermissionsBoundary=limit)["Role"][
        "Arn"
    ]
    iam.attach_role_policy(RoleName="r", PolicyArn=managed)
    iam.put_role_policy(
        RoleName="r", PolicyName="p", PolicyDocument=document(allow("s3:PutObject", "sqs:SendMessage"))
    )

    role = read_role(arn)
    assert role
    actions = ("s3:PutObject", "s3:ListBucket", "s3:GetObject", "sqs:SendMessage")
    assert [role.may(action, ARN, {}) for action in actions] == [True, True, False, False]
    assert role.trusts("batchoperations.s3.amazonaws.com", {})
    assert not role.trusts("s3.amazonaws.com", {})


@pytest.mark.usefixtures("aws")
def test_a_role_under_a_path_is_found_by_its_arn_and_a_missing_one_is_none() -> None:
    iam = client("iam")
    arn = iam.create_role(Path="/jobs/", RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
        "Arn"
    ]
    assert arn.endswith(":role/jobs/r")
    assert read_role(arn)
    assert read_role(f"arn:aws:iam::{ACCOUNT}:role/r") is None


@pytest.mark.usefixtures("aws")
def test_the_policy_of_a_bucket_is_read_with_its_owner() -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket")
    assert bucket_policy("bucket") == (None, ACCOUNT)
    s3.put_bucket_policy(Bucket="bucket", Policy=document({**deny("s3:GetObject"), "Principal": "*"}))
    read, owner = bucket_policy("bucket")
    assert read
    assert (read.decide(get()), owner) == (Decision.DENY, ACCOUNT)
    assert bucket_policy("missing") == (None, None)

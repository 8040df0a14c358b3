from __future__ import annotations

from typing import Any

import pytest

from seeder_cli.checks.denials import Need, allows, denials
from seeder_cli.checks.documents import holds, like, trusts

ROLE = "arn:aws:iam::111122223333:role/seeder/r"
BUCKET = "arn:aws:s3:::b"
PUT = Need("s3:PutObject", f"{BUCKET}/logs/", all_below=True)
LIST = Need("s3:ListBucket", BUCKET)


def statement(**members: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"{BUCKET}/*"} | members


def outcome(
    *statements: dict[str, Any], needs: tuple[Need, ...] = (PUT, LIST)
) -> list[tuple[str, str, bool]]:
    found = denials({"Statement": list(statements)}, ROLE, needs)
    return [(denial.sid, denial.need.action, denial.is_sure) for denial in found]


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        ({}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"Bool": {"AWS:securetransport": "true"}}, True),
        ({"StringEquals": {"a": ["x", "1"]}}, True),
        ({"StringNotEquals": {"a": ["x", "1"]}}, False),
        ({"StringLike": {"a": "?"}}, True),
        ({"Null": {"absent": "true"}}, True),
        ({"Null": {"a": "true"}}, False),
        ({"StringEquals": {"absent": "x"}}, False),
        ({"StringNotEquals": {"absent": "x"}}, True),
        ({"StringEqualsIfExists": {"absent": "x"}}, True),
        ({"NumericLessThan": {"a": "1.2"}}, True),
        ({"NumericGreaterThanEquals": {"a": 2}}, False),
        ({"StringEquals": {"other": "x"}}, None),
        ({"StringEquals": {"other": "x", "a": "2"}}, False),
        ({"IpAddress": {"a": "10.0.0.0/8"}}, None),
        ({"StringEquals": {"a": "${aws:username}"}}, None),
        ({"ForAnyValue:StringEquals": {"a": "1"}}, None),
    ],
)
def test_a_condition_is_true_false_or_not_known(condition: dict[str, Any], truth: bool | None) -> None:
    assert holds(condition, {"aws:securetransport": "true", "a": "1", "absent": None}) is truth


def test_a_pattern_takes_newlines_and_nothing_but_its_wildcards() -> None:
    assert like("a*c?", "a\nbcd")
    assert not like("a.c", "abc")
    assert not like("[ab]", "a")


@pytest.mark.parametrize(
    "members",
    [
        {"Principal": {"AWS": "arn:aws:iam::999999999999:root"}},
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"NotPrincipal": {"AWS": ROLE}, "Principal": None},
        {"Action": "s3:Delete*"},
        {"NotAction": ["s3:Put*", "s3:List*"], "Action": None},
        {"Resource": f"{BUCKET}/secret/*"},
        {"Resource": f"{BUCKET}x/*"},
        {"NotResource": [f"{BUCKET}*"], "Resource": None},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
        {"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/seeder/*"}}},
        {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}},
    ],
)
def test_a_statement_about_something_else_refuses_nothing(members: dict[str, Any]) -> None:
    given = {key: value for key, value in statement(**members).items() if value is not None}
    assert outcome(given) == []


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["111122223333"]}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Action": "s3:putobject"},
        {"Resource": f"{BUCKET}/*/2026/*"},
        {"Resource": f"{BUCKET}/logs/one"},
        {"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"Null": {"s3:if-none-match": "true"}}},
    ],
)
def test_a_statement_that_meets_some_of_the_objects_refuses_them(members: dict[str, Any]) -> None:
    assert outcome(statement(Sid="no", **members)) == [("no", "s3:PutObject", True)]


def test_sure_refusals_come_first_and_each_statement_once() -> None:
    maybe = statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    assert outcome(maybe, statement(Resource=[BUCKET, f"{BUCKET}/*"])) == [
        ("number 2", "s3:PutObject", True),
        ("number 1", "s3:PutObject", False),
    ]
    assert outcome(statement(Resource=BUCKET), needs=(PUT, LIST)) == [("number 1", "s3:ListBucket", True)]


def test_what_another_accounts_policy_does_not_allow_is_lacking() -> None:
    allow = statement(Effect="Allow", Principal={"AWS": ROLE}, Action=["s3:PutObject"])
    assert allows({"Statement": allow}, ROLE, [PUT, LIST]) == [LIST]
    assert allows({"Statement": [allow | {"Principal": {"AWS": "444455556666"}}]}, ROLE, [PUT]) == [PUT]


TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["s3.amazonaws.com"]}}


@pytest.mark.parametrize(
    ("statements", "truth"),
    [
        ([], False),
        ([TRUST], True),
        ([TRUST | {"Principal": {"Service": "batchoperations.s3.amazonaws.com"}}], False),
        ([TRUST | {"Action": "sts:TagSession"}], False),
        ([TRUST | {"Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}], True),
        ([TRUST | {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}], False),
        ([TRUST | {"Condition": {"ArnLike": {"aws:SourceOrgID": "o"}}}], None),
        ([TRUST, TRUST | {"Effect": "Deny"}], False),
    ],
)
def test_a_trust_policy_lets_a_service_in(statements: list[dict[str, Any]], truth: bool | None) -> None:
    known = {"aws:sourceaccount": "111122223333"}
    assert trusts({"Statement": statements}, "s3.amazonaws.com", known) is truth

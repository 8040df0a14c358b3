from __future__ import annotations

from typing import Any

import pytest

from seeder_cli.checks.denials import Need
from seeder_cli.checks.simulation import simulate

NEEDS = [Need("s3:PutObject", "arn:aws:s3:::b/p/", all_below=True), Need("s3:ListBucket", "arn:aws:s3:::b")]


class Iam:
    """Answers SimulatePrincipalPolicy in pages of one result, as IAM may."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, name: str) -> Iam:
        assert name == "simulate_principal_policy"
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        self.asked.append(request)
        return [
            {"EvaluationResults": [{"EvalActionName": action, **self.result}]}
            for action in request["ActionNames"]
        ]


@pytest.mark.parametrize(
    ("result", "says", "why"),
    [
        ({"EvalDecision": "allowed"}, "allowed", ""),
        ({"EvalDecision": "implicitDeny"}, "refused", ""),
        ({"EvalDecision": "explicitDeny"}, "refused", "by a Deny of its policies"),
        (
            {"EvalDecision": "implicitDeny", "MissingContextValues": ["aws:SourceIp"]},
            "depends",
            "aws:SourceIp",
        ),
        ({"EvalDecision": "allowed", "MissingContextValues": ["aws:SourceIp"]}, "allowed", ""),
        (
            {
                "EvalDecision": "implicitDeny",
                "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
            },
            "refused",
            "by a policy of the organisation",
        ),
        (
            {
                "EvalDecision": "implicitDeny",
                "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False},
            },
            "refused",
            "by its permissions boundary",
        ),
    ],
)
def test_what_iam_says_of_each_need(result: dict[str, Any], says: str, why: str) -> None:
    answers = simulate(Iam(result), "role", NEEDS, {})
    assert [(answer.need, answer.says, answer.why) for answer in answers] == [
        (need, says, why) for need in NEEDS
    ]


def test_an_example_below_the_prefix_is_asked_for_objects() -> None:
    iam = Iam({"EvalDecision": "allowed"})
    simulate(iam, "role", NEEDS, {"kms:ViaService": "s3.us-east-1.amazonaws.com"})
    assert [request["ResourceArns"] for request in iam.asked] == [
        ["arn:aws:s3:::b/p/seeder-doctor"],
        ["arn:aws:s3:::b"],
    ]
    context = {entry["ContextKeyName"]: entry["ContextKeyValues"] for entry in iam.asked[0]["ContextEntries"]}
    assert context == {
        "kms:ViaService": ["s3.us-east-1.amazonaws.com"],
        "kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::b/p/seeder-doctor"],
    }

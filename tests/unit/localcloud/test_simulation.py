from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto import mock_aws

from localcloud import simulation
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import ACCOUNT, TRUST, allow, client, deny, document

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "arn:aws:s3:::b"


@pytest.fixture
def patches() -> Iterator[Patches]:
    made = Patches()
    with mock_aws(config={"iam": {"load_aws_managed_policies": False}}):
        simulation.install(made)
        yield made
        made.undo()


def role(*statements: dict[str, Any], boundary: dict[str, Any] | None = None) -> str:
    iam = client("iam")
    limit = {}
    if boundary:
        policy = iam.create_policy(PolicyName="limit", PolicyDocument=document(boundary))
        limit = {"PermissionsBoundary": policy["Policy"]["Arn"]}
    made = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST), **limit)
    if statements:
        iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=document(*statements))
    return str(made["Role"]["Arn"])


def simulate(
    arn: str, actions: str = "s3:GetObject", resources: str = f"{BUCKET}/k", **fields: Any
) -> list[dict[str, Any]]:
    answer = client("iam").simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=actions.split(), ResourceArns=resources.split(), **fields
    )
    shape = client("iam").meta.service_model.operation_model("SimulatePrincipalPolicy").output_shape
    del answer["ResponseMetadata"]
    assert not ParamValidator().validate(answer, shape).has_errors()
    assert answer["IsTruncated"] is False
    results: list[dict[str, Any]] = answer["EvaluationResults"]
    return results


def decisions(results: list[dict[str, Any]]) -> list[str]:
    return [result["EvalDecision"] for result in results]


@pytest.mark.usefixtures("patches")
class TestSimulation:
    def test_a_role_is_allowed_what_its_policies_allow_and_a_deny_wins(self) -> None:
        arn = role(allow("s3:Get*"), deny("s3:*", resource=f"{BUCKET}/secret/*"))
        results = simulate(arn, "s3:GetObject s3:PutObject", f"{BUCKET}/k {BUCKET}/secret/k")
        found = {(each["EvalActionName"], each["EvalResourceName"]): each["EvalDecision"] for each in results}
        assert found == {
            ("s3:GetObject", f"{BUCKET}/k"): "allowed",
            ("s3:GetObject", f"{BUCKET}/secret/k"): "explicitDeny",
            ("s3:PutObject", f"{BUCKET}/k"): "implicitDeny",
            ("s3:PutObject", f"{BUCKET}/secret/k"): "explicitDeny",
        }

    def test_attached_policies_count_and_are_named(self) -> None:
        arn = role()
        iam = client("iam")
        made = iam.create_policy(PolicyName="p", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="r", PolicyArn=made)
        (result,) = simulate(arn)
        assert result["EvalDecision"] == "allowed"
        assert [each["SourcePolicyId"] for each in result["MatchedStatements"]] == [made]

    def test_a_boundary_must_allow_too(self) -> None:
        arn = role(allow("s3:*"), boundary=allow("s3:GetObject"))
        read, write = simulate(arn, "s3:GetObject s3:PutObject")
        assert decisions([read, write]) == ["allowed", "implicitDeny"]
        limits = [each["PermissionsBoundaryDecisionDetail"] for each in (read, write)]
        assert [limit["AllowedByPermissionsBoundary"] for limit in limits] == [True, False]

    def test_a_boundary_can_deny(self) -> None:
        assert decisions(simulate(role(allow("s3:*"), boundary=deny("s3:*")))) == ["explicitDeny"]

    @pytest.mark.parametrize(("value", "decision"), [("true", "allowed"), ("false", "implicitDeny")])
    def test_a_condition_is_evaluated_with_the_context_given(self, value: str, decision: str) -> None:
        arn = role(allow("s3:*", Condition={"Bool": {"aws:SecureTransport": "true"}}))
        entry = {
            "ContextKeyName": "AWS:SecureTransport",
            "ContextKeyValues": [value],
            "ContextKeyType": "boolean",
        }
        (result,) = simulate(arn, ContextEntries=[entry])
        assert (result["EvalDecision"], result["MissingContextValues"]) == (decision, [])

    def test_a_key_that_is_not_given_is_absent_and_named(self) -> None:
        arn = role(
            allow("s3:GetObject", Condition={"StringEquals": {"aws:SourceVpce": "v"}}),
            allow("s3:PutObject", Condition={"StringEquals": {"aws:Other": "v"}}),
        )
        (result,) = simulate(arn)
        assert result["EvalDecision"] == "implicitDeny"
        assert result["MissingContextValues"] == ["aws:SourceVpce"]

    def test_without_resources_everything_is_meant(self) -> None:
        arn = role(allow("s3:ListAllMyBuckets"), allow("s3:GetObject", resource=f"{BUCKET}/*"))
        answer = client("iam").simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["s3:ListAllMyBuckets", "s3:GetObject"]
        )
        assert decisions(answer["EvaluationResults"]) == ["allowed", "implicitDeny"]
        assert {each["EvalResourceName"] for each in answer["EvaluationResults"]} == {"*"}

    @pytest.mark.parametrize(
        ("arn", "code", "status"),
        [
            (f"arn:aws:iam::{ACCOUNT}:role/nobody", "NoSuchEntity", 404),
            (f"arn:aws:iam::{ACCOUNT}:user/somebody", "InvalidInput", 400),
            ("arn:aws:s3:::a-bucket-is-no-entity", "InvalidInput", 400),
        ],
    )
    def test_only_roles_that_exist_are_simulated(self, arn: str, code: str, status: int) -> None:
        with pytest.raises(ClientError) as caught:
            simulate(arn)
        answer = caught.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)

    @pytest.mark.parametrize(
        "fields",
        [{"ResourcePolicy": "{}"}, {"PolicyInputList": ["{}"]}, {"CallerArn": "a"}, {"MaxItems": 5}],
        ids=str,
    )
    def test_what_is_not_supported_is_refused_by_name(self, fields: dict[str, Any]) -> None:
        arn = role(allow("s3:*"))
        with pytest.raises(ClientError, match=f"{next(iter(fields))} is not supported by the local cloud"):
            simulate(arn, **fields)

    def test_a_policy_that_cannot_be_evaluated_is_an_error_of_its_own(self) -> None:
        arn = role(allow("s3:*", Condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}))
        entry = {
            "ContextKeyName": "aws:CurrentTime",
            "ContextKeyValues": ["2026-01-01T00:00:00Z"],
            "ContextKeyType": "date",
        }
        with pytest.raises(ClientError, match="DateLessThan is not evaluated") as caught:
            simulate(arn, ContextEntries=[entry])
        assert caught.value.response["Error"]["Code"] == "PolicyEvaluation"


def test_moto_itself_does_not_simulate_yet() -> None:
    with mock_aws(), pytest.raises(NotImplementedError):
        simulate(f"arn:aws:iam::{ACCOUNT}:role/r")

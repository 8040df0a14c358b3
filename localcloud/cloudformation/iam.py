"""AWS::IAM::Role and ManagedPolicy."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends

from localcloud.aws import ACCOUNT_ID, client
from localcloud.cloudformation.resource import Resource


class Role(Resource):
    """A role with its trust, inline and managed policies, path, boundary and tags."""

    resource_type = "AWS::IAM::Role"
    name_property = "RoleName"
    honoured = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        }
    )

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Role:
        """Create the role, then attach its policies."""
        iam = client("iam")
        given = {
            key: properties[key]
            for key in ("Description", "MaxSessionDuration", "Path", "PermissionsBoundary", "Tags")
            if key in properties
        }
        role = iam.create_role(
            RoleName=name[:64],
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            **given,
        )["Role"]
        for policy in properties.get("Policies", []):
            iam.put_role_policy(
                RoleName=role["RoleName"],
                PolicyName=policy["PolicyName"],
                # IAM takes a document without a version; moto does not.
                PolicyDocument=json.dumps({"Version": "2012-10-17", **policy["PolicyDocument"]}),
            )
        for arn in properties.get("ManagedPolicyArns", []):
            _know_managed_policy(arn)
            iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
        return cls(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Take the policies away, then delete the role."""
        iam, name = client("iam"), self.physical_resource_id
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        iam.delete_role(RoleName=name)


class ManagedPolicy(Resource):
    """A policy of its own, which roles have attached or as their permissions boundary."""

    resource_type = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    honoured = frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Tags"})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> ManagedPolicy:
        """Create the policy."""
        given = {key: properties[key] for key in ("Description", "Path", "Tags") if key in properties}
        document = {"Version": "2012-10-17", **properties["PolicyDocument"]}
        arn = client("iam").create_policy(
            PolicyName=name[:128], PolicyDocument=json.dumps(document), **given
        )["Policy"]["Arn"]
        return cls(arn, {"PolicyArn": arn}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the policy. As in IAM, one that roles have can't be (DeleteConflict)."""
        arn = self.physical_resource_id
        held = [role.name for role in _roles() if role.permissions_boundary_arn == arn]
        if held:
            # moto does not look at boundaries.
            raise ValueError(f"DeleteConflict: {arn} is the permissions boundary of {', '.join(held)}")
        client("iam").delete_policy(PolicyArn=arn)


def _roles() -> list[Any]:
    return list(iam_backends[ACCOUNT_ID]["aws"].get_roles())


def _know_managed_policy(arn: str) -> None:
    """Load one of AWS's managed policies; to load all of them, as moto can, takes a second."""
    policies = iam_backends[ACCOUNT_ID]["aws"].managed_policies
    name = arn.rpartition("/")[2]
    if arn not in policies and arn.startswith("arn:aws:iam::aws:policy/"):
        policies[arn] = AWSManagedPolicy.from_data(name, ACCOUNT_ID, "aws", _managed_policies()[name])


@cache
def _managed_policies() -> dict[str, Any]:
    return dict(json.loads(aws_managed_policies_data))

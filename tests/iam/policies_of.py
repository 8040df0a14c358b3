"""The roles of a running cloud with every policy that decides what they may do, as IAM's own API gives them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from moto.s3.models import s3_backends

from localcloud.cloud import LocalCloud
from tests.iam.evaluator import Context, Document, Request


@dataclass(frozen=True)
class Role:
    """A role: who may take it on, what its policies say, and the boundary it has."""

    arn: str
    trust: Document
    identity: tuple[Document, ...]
    boundary: Document | None

    @property
    def name(self) -> str:
        """Return the role's name, without its path."""
        return self.arn.rpartition("/")[2]

    def request(
        self,
        action: str,
        resource: str,
        context: Context | None = None,
        resource_policy: Document | None = None,
        resource_account: str = "",
    ) -> Request:
        """Return a request by a session of this role."""
        account = self.arn.split(":")[4]
        session = f"arn:aws:sts::{account}:assumed-role/{self.name}/session"
        given = {"aws:SecureTransport": "true", "aws:PrincipalArn": self.arn, **(context or {})}
        return Request(
            action,
            resource,
            session,
            self.identity,
            self.boundary,
            resource_policy,
            resource_account,
            given,
        )


def roles_of(cloud: LocalCloud) -> dict[str, Role]:
    """Return all roles of the account by their ARNs."""
    iam = cloud.client("iam")
    found = [role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    return {role["Arn"]: _role(iam, role["RoleName"]) for role in found}


def resource_of(cloud: LocalCloud, arn: str) -> tuple[Document | None, str]:
    """Return the policy of the bucket or key that an ARN names, None where there is none, and its owner's account.

    A key that was never made, as most in tests, counts as one whose policy leaves all to IAM.
    """
    if arn == "*":
        return None, ""
    _, _, service, region, account, name = arn.split(":", 5)
    if service == "kms":
        return _key_policy(cloud, arn, region, account), account
    bucket = name.partition("/")[0] if service == "s3" and not account else ""
    if bucket not in s3_backends.bucket_accounts:
        return None, account
    partition, owner = s3_backends.bucket_accounts[bucket]
    policy = s3_backends[owner][partition].get_bucket(bucket).policy
    return (_document(policy.decode()) if policy else None), owner


def _key_policy(cloud: LocalCloud, arn: str, region: str, account: str) -> Document:
    kms = cloud.client("kms", region)
    try:
        return _document(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    except kms.exceptions.NotFoundException:
        root = {"AWS": f"arn:aws:iam::{account}:root"}
        return {"Statement": [{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}]}


def _role(iam: Any, name: str) -> Role:
    role = iam.get_role(RoleName=name)["Role"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Role(
        role["Arn"],
        _document(role["AssumeRolePolicyDocument"]),
        (
            *(
                _document(iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"])
                for each in inline
            ),
            *(_managed(iam, each["PolicyArn"]) for each in attached),
        ),
        _managed(iam, boundary) if boundary else None,
    )


def _managed(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return _document(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _document(found: Any) -> Document:
    document: Document = json.loads(found) if isinstance(found, str) else found
    return document

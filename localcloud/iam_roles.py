"""Roles as moto's IAM holds them, in the form that `localcloud.iam` evaluates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from localcloud.iam import Access, Context, Decision, Policy, Principal, allowed


@dataclass(frozen=True)
class Role:
    """A role with every policy that decides what it may do."""

    arn: str
    trust: Policy
    identity: tuple[Policy, ...]
    boundary: Policy | None

    def trusts(self, service: str, context: Context) -> bool:
        """Return whether an AWS service may assume the role. Raises UnsupportedPolicy."""
        access = Access("sts:AssumeRole", self.arn, Principal(service=service), context)
        return self.trust.decide(access) is Decision.ALLOW

    def may(self, action: str, resource: str, context: Context, bucket: str | None = None) -> bool:
        """Return whether the role may do this, under the policy of `bucket` if it names one.

        Raises UnsupportedPolicy.
        """
        policy, owner = bucket_policy(bucket) if bucket else (None, None)
        access = Access(action, resource, Principal(arn=self.arn), context)
        return allowed(access, self.identity, self.boundary, policy, owner)


def read_role(arn: str) -> Role | None:
    """Return the role of this ARN, or None if there is none. Raises UnsupportedPolicy."""
    _, partition, _, _, account, _ = arn.split(":", 5)
    backend = iam_backends[account][partition]
    held = next((role for role in list(backend.get_roles()) if role.arn == arn), None)
    if held is None:
        return None
    inline = [read_policy(document, f"{held.name}/{name}") for name, document in held.policies.items()]
    managed = [_managed(policy) for policy in held.managed_policies.values()]
    return Role(
        arn=arn,
        trust=read_policy(held.assume_role_policy_document, f"{held.name}, trust policy"),
        identity=(*inline, *managed),
        boundary=_boundary(backend, held.permissions_boundary_arn),
    )


def bucket_policy(bucket: str) -> tuple[Policy | None, str | None]:
    """Return a bucket's policy and the account that owns it; (None, None) if there is no such bucket."""
    place = s3_backends.bucket_accounts.get(bucket)
    if place is None:
        return None, None
    partition, account = place
    document = s3_backends[account][partition].get_bucket(bucket).policy
    return (read_policy(document, f"policy of bucket {bucket}") if document else None), account


def _boundary(backend: Any, arn: str | None) -> Policy | None:
    return _managed(backend.get_policy(arn)) if arn else None


def _managed(policy: Any) -> Policy:
    default = next(version for version in policy.versions if version.version_id == policy.default_version_id)
    return read_policy(default.document, policy.arn)


@lru_cache(maxsize=1024)
def read_policy(document: str | bytes, name: str) -> Policy:
    """Return a policy document, read once. Raises UnsupportedPolicy for unknown elements, naming `name`."""
    return Policy(json.loads(document), name)

"""Roles as moto's IAM holds them, in the form that `localcloud.iam` evaluates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from localcloud.iam import Access, Context, Decision, Policy, Principal, refusal

_ids: dict[str, str] = {}


def observe(role: Role, action: str, resource: str, context: Context, allowed: bool) -> None:
    """Be told of each access that a service asks a role about. Does nothing until it is replaced."""


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
        allowed = not self.refusal(action, resource, context, bucket)
        observe(self, action, resource, context, allowed)
        return allowed

    def refusal(self, action: str, resource: str, context: Context, bucket: str | None = None) -> str:
        """Return why the role may not do this, in AWS's words; "" where it may. Raises UnsupportedPolicy."""
        policy, owner = bucket_policy(bucket) if bucket else (None, None)
        access = Access(action, resource, Principal(arn=self.arn), context)
        return refusal(access, self.identity, self.boundary, policy, owner)


def read_role(arn: str) -> Role | None:
    """Return the role of this ARN, or None if there is none. Raises UnsupportedPolicy."""
    held = find_role(arn)
    if held is None:
        return None
    inline = [read_policy(document, f"{held.name}/{name}") for name, document in held.policies.items()]
    managed = [_managed(policy) for policy in held.managed_policies.values()]
    return Role(
        arn=arn,
        trust=read_policy(held.assume_role_policy_document, f"{held.name}, trust policy"),
        identity=(*inline, *managed),
        boundary=_boundary(held),
    )


def find_role(arn: str) -> Any | None:
    """Return moto's role of this ARN, or None. Where it was found last time is looked first."""
    _, partition, _, _, account, _ = arn.split(":", 5)
    roles: dict[str, Any] = iam_backends[account][partition].roles
    held = roles.get(_ids.get(arn, ""))
    if held is None or held.arn != arn:
        held = next((role for role in list(roles.values()) if role.arn == arn), None)
        if held is not None:
            _ids[arn] = held.id
    return held


def bucket_policy(bucket: str) -> tuple[Policy | None, str | None]:
    """Return a bucket's policy and the account that owns it; (None, None) if there is no such bucket."""
    place = s3_backends.bucket_accounts.get(bucket)
    if place is None:
        return None, None
    partition, account = place
    document = s3_backends[account][partition].get_bucket(bucket).policy
    return (read_policy(document, f"policy of bucket {bucket}") if document else None), account


def _boundary(held: Any) -> Policy | None:
    arn = held.permissions_boundary_arn
    return _managed(iam_backends[held.account_id][held.partition].get_policy(arn)) if arn else None


def _managed(policy: Any) -> Policy:
    default = next(version for version in policy.versions if version.version_id == policy.default_version_id)
    return read_policy(default.document, policy.arn)


@lru_cache(maxsize=4096)
def read_policy(document: str | bytes, name: str) -> Policy:
    """Return a policy document, read once. Raises UnsupportedPolicy for unknown elements, naming `name`."""
    return Policy(json.loads(document), name)

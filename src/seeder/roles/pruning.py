"""Which of the roles made for pairs are not needed any more, and their removal.

Contracts: IAM API reference, GetRole (RoleLastUsed: what IAM has seen within 400 days), DeleteRole.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from seeder.errors import Conflict, code_of
from seeder.replication import read_configuration
from seeder.roles.plans import DESTINATION_TAG, SOURCE_TAG, STACK_TAG

if TYPE_CHECKING:
    from seeder.clients import Clients

_GONE = frozenset({"404", "NoSuchBucket"})


class Made(NamedTuple):
    """A role that was made for a pair, and why it is to be removed or kept. `destination` is empty for all of them."""

    name: str
    source: str
    destination: str
    reason: str
    is_needless: bool


def examine(clients: Clients, path: str, stack: str, now: datetime, days: int | None) -> Iterator[Made]:
    """Yield the roles under `path` with the tag of `stack`, judged; others are not looked at.

    A role is needless if one of its buckets is gone, or, where `days` is given, if it was not used for so long. What
    can't be known is not taken for gone, and a role that a bucket's rules have is never needless. Raises ClientError.
    """
    is_gone = cache(lambda bucket: bucket_is_gone(clients, bucket))
    for listed in clients.iam().get_paginator("list_roles").paginate(PathPrefix=path).search("Roles[]"):
        role: dict[str, Any] = dict(clients.iam().get_role(RoleName=listed["RoleName"])["Role"])
        tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}
        if tags.get(STACK_TAG) != stack:
            continue
        source, destination = tags.get(SOURCE_TAG, ""), tags.get(DESTINATION_TAG, "")
        used = role.get("RoleLastUsed", {}).get("LastUsedDate")
        gone = [bucket for bucket in (source, destination) if bucket and is_gone(bucket)]
        reason, is_needless = f"used {used:%Y-%m-%d}" if used else "not used yet", False
        if gone:
            reason, is_needless = f"bucket {' and '.join(gone)} is gone", True
        elif source and _replicates_by(clients, source, role["Arn"]):
            reason = f"the rules of {source} have it"
        elif days is not None and now - (used or role["CreateDate"]) >= timedelta(days=days):
            is_needless = True
        yield Made(role["RoleName"], source, destination, reason, is_needless)


def remove(clients: Clients, name: str) -> None:
    """Remove a role with its own policies. Can be repeated.

    Raises Conflict where somebody attached a policy to the role, and nothing is removed then; ClientError.
    """
    iam = clients.iam()
    try:
        if iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            raise Conflict(f"somebody attached policies to role {name}; detach them first")
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=name):
            for policy in page["PolicyNames"]:
                iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise


def bucket_is_gone(clients: Clients, bucket: str) -> bool:
    """Tell whether there is no such bucket; false where that can't be seen."""
    try:
        clients.s3(clients.region).head_bucket(Bucket=bucket)
    except ClientError as error:
        return code_of(error) in _GONE
    return False


def _replicates_by(clients: Clients, source: str, arn: str) -> bool:
    """Tell whether a bucket's rules have this role; true where that can't be seen."""
    try:
        return bool(read_configuration(clients.s3_of(source), source).get("Role", "") == arn)
    except ClientError:
        return True

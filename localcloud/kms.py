"""KMS keys as moto holds them, and whether a role may use one.

Contract: KMS developer guide, "Key policies in AWS KMS" and "Default key policy": a role may use a key where the
key policy names the role, or where it names the account and the role's own policies allow it. Grants are not
looked at. A key that was never made in this cloud has no key policy: the role's policies alone decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.kms.models import kms_backends

from localcloud import iam_roles
from localcloud.iam import Access, Context, Decision, Policy, Principal, evaluate
from localcloud.iam_roles import Role, read_policy


@dataclass(frozen=True)
class Key:
    """A KMS key: its ARN, its policy (None where nothing is known of it), and its state."""

    arn: str
    policy: Policy | None = None
    state: str = "Enabled"


def find_key(key_id: str, account: str, region: str) -> Key:
    """Return the key of an id, an alias or an ARN of either. `account` and `region` are those of a bare id."""
    if key_id.startswith("arn:"):
        _, _, _, region, account, key_id = key_id.split(":", 5)
    name = key_id.removeprefix("key/")
    backend: Any = kms_backends[account][region]
    held = backend.keys.get(name) or next(
        (key for key in list(backend.keys.values()) if name in key.aliases), None
    )
    if held is None:
        path = name if name.startswith("alias/") else f"key/{name}"
        return Key(f"arn:aws:kms:{region}:{account}:{path}")
    return Key(held.arn, read_policy(held.policy, f"policy of key {held.arn}"), held.key_state)


def may_use(role: Role, action: str, key: Key, context: Context) -> bool:
    """Return whether a role may use a key. Raises UnsupportedPolicy."""
    allowed = _may_use(role, action, key, context)
    iam_roles.observe(role, action, key.arn, context, allowed)
    return allowed


def _may_use(role: Role, action: str, key: Key, context: Context) -> bool:
    access = Access(action, key.arn, Principal(arn=role.arn), context)
    if key.policy is None:
        return not role.refusal(action, key.arn, context)
    by_key = key.policy.decide(access)
    by_role = evaluate(role.identity, access)
    limit = role.boundary.decide(access) if role.boundary else Decision.ALLOW
    if Decision.DENY in (by_key, by_role, limit):
        return False
    named = Access(action, key.arn, Principal(arn=role.arn, alone=True), context)
    if key.policy.decide(named) is Decision.ALLOW:
        return True
    return by_key is by_role is limit is Decision.ALLOW

"""The KMS keys of a pair: there, enabled, in the right region, and open to the account's roles.

Contracts: KMS developer guide, "Key states of AWS KMS keys", "Default key policy"; S3 User Guide, "Replicating
encrypted objects" (the replicas' key is in the destination's region, and AWS's own key serves its account alone).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from seeder_cli.checks.aws import Aws
from seeder_cli.checks.bucket import Bucket
from seeder_cli.checks.documents import Principal, names_action, names_principal, statements
from seeder_cli.checks.finding import Check, Verdict, miss, ok, present
from seeder_cli.checks.pair import Pair

GROUP = "Keys"
_OWN_KEY = "alias/aws/s3"


@dataclass(frozen=True)
class Key:
    """A KMS key: as it was named, and as KMS describes it (API reference, KeyMetadata); empty where it is gone."""

    named: str
    region: str
    metadata: dict[str, Any]

    @property
    def arn(self) -> str:
        """Its ARN; "" where it is gone."""
        return str(self.metadata.get("Arn", ""))

    @property
    def id(self) -> str:
        """Its id; "" where it is gone."""
        return self.arn.rpartition("/")[2]


def source_key(pair: Pair) -> Key | None:
    """Return the key by which the source encrypts by default; None: S3's own encryption. Raises ClientError."""
    return _default_key(pair.aws, pair.source)


def replica_key(pair: Pair) -> Key | None:
    """Return the key by which replicas are encrypted: the rule's, else the destination's default.

    None: S3's own encryption. Raises ClientError.
    """
    if covering := pair.covering():
        named = covering.destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID", "")
        if named:
            return _describe(pair.aws, named, pair.destination.region)
    return _default_key(pair.aws, pair.destination)


def _default_key(aws: Aws, bucket: Bucket) -> Key | None:
    encryption = bucket.encryption()
    return _describe(aws, encryption.key or _OWN_KEY, bucket.region) if encryption.is_kms else None


def _describe(aws: Aws, named: str, region: str) -> Key:
    place = named.split(":")[3] if named.startswith("arn:") else region
    kms = aws.client("kms", place)
    answer = present(lambda: kms.describe_key(KeyId=named), "NotFoundException")
    return Key(named, place, answer["KeyMetadata"] if answer else {})


def key_checks(pair: Pair) -> Iterator[Check]:
    """Yield the checks of the keys."""
    yield Check(GROUP, "source-key", lambda: usable(pair, source_key(pair), pair.source))
    yield Check(GROUP, "replica-key", lambda: usable(pair, replica_key(pair), pair.destination))
    if pair.stack is not None:
        yield Check(GROUP, "stack-may-use-keys", partial(covered, pair))


def usable(pair: Pair, key: Key | None, bucket: Bucket) -> Verdict:
    """Whether a key is there, enabled, in its bucket's region, and its policy lets the account decide who uses it."""
    if key is None:
        return ok(f"objects in {bucket.name} are encrypted by S3's own keys")
    if not key.metadata:
        return miss(
            f"key {key.named} of {bucket.name} does not exist in {key.region}",
            "name an existing key in the bucket's default encryption, or in the rule's EncryptionConfiguration",
        )
    if key.metadata["KeyState"] != "Enabled":
        return miss(
            f"key {key.arn} of {bucket.name} is {key.metadata['KeyState']}",
            f"run: aws kms enable-key --region {key.region} --key-id {key.id} (cancel-key-deletion before, where "
            "its deletion is planned)",
        )
    if key.region != bucket.region:
        return miss(
            f"key {key.arn} is in {key.region}, {bucket.name} in {bucket.region}",
            f"use a key of {bucket.region}",
        )
    if key.metadata.get("KeyManager") == "AWS":
        return _own_key(key, bucket)
    return _policy(pair, key)


def _own_key(key: Key, bucket: Bucket) -> Verdict:
    if bucket.is_ours():
        return ok(f"{bucket.name} is encrypted by AWS's own key of the account")
    return miss(
        f"{bucket.name} is encrypted by AWS's own key of another account, which nobody else may use",
        "let its owner use a key of their own, and allow the role in its policy",
    )


def _policy(pair: Pair, key: Key) -> Verdict:
    kms = pair.aws.client("kms", key.region)
    policy = json.loads(kms.get_key_policy(KeyId=key.id, PolicyName="default")["Policy"])
    account = Principal(f"arn:{pair.aws.partition}:iam::{pair.aws.account}:root")
    open_to_account = any(
        statement["Effect"] == "Allow"
        and names_principal(statement, account)
        and names_action(statement, "kms:Decrypt")
        for statement in statements(policy)
    )
    if open_to_account:
        return ok(f"key {key.id} is Enabled, and its policy lets the account's roles in")
    return miss(
        f"the policy of key {key.arn} leaves it to no policy of the account who may use it",
        f"allow the roles in the key's policy: seeder policy {pair.names} prints the statement",
    )


def covered(pair: Pair) -> Verdict | None:
    """Whether the stack's parameter KmsKeyId lets jobs that copy use the keys."""
    if pair.operation == "replicate":
        return None  # such jobs use no key: S3 does, by the replication role
    keys = [key for key in (source_key(pair), replica_key(pair)) if key and key.metadata]
    allowed = pair.stack.parameters.get("KmsKeyId", "none") if pair.stack else "*"
    outside = [key.id for key in keys if allowed not in ("*", key.id)]
    if outside:
        return miss(
            f"copies need key {' and '.join(outside)}, and the stack allows {allowed} (parameter KmsKeyId)",
            "run: sam deploy --parameter-overrides KmsKeyId='*' (all keys of the account), or the one id",
        )
    return ok("the stack's roles may use the keys") if keys else None

"""The calls that S3 makes as the replication role and as the jobs' role of a pair.

Contracts: S3 User Guide, "Setting up permissions for live replication", "Replicating encrypted objects", "Granting
permissions for Batch Operations".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seeder_cli.checks.bucket import Bucket
from seeder_cli.checks.denials import Need
from seeder_cli.checks.keys import Key, replica_key, source_key
from seeder_cli.checks.pair import Pair
from seeder_cli.checks.rules import replicates_deletes

_RUN = "runs/doctor/"


@dataclass(frozen=True)
class Needs:
    """What a role needs: of S3, and of KMS by the region of the key."""

    of_s3: list[Need]
    of_kms: list[tuple[str, Need]]

    def of_bucket(self, bucket: Bucket) -> list[Need]:
        """Return those that concern a bucket or its objects."""
        return [
            need for need in self.of_s3 if need.arn == bucket.arn or need.arn.startswith(f"{bucket.arn}/")
        ]


def replication_needs(pair: Pair, rule: dict[str, Any]) -> Needs:
    """Return what the replication role needs for a rule of the pair. Raises ClientError."""
    target = rule["Destination"]
    writes = ["s3:ReplicateObject", "s3:ReplicateTags"]
    if replicates_deletes(rule):
        writes.append("s3:ReplicateDelete")
    if "AccessControlTranslation" in target:
        writes.append("s3:ObjectOwnerOverrideToBucketOwner")
    reads = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
    if pair.source.lock():
        reads += ["s3:GetObjectRetention", "s3:GetObjectLegalHold"]
    encrypted = "EncryptionConfiguration" in target
    return Needs(
        [
            *_whole(pair.source, "s3:GetReplicationConfiguration", "s3:ListBucket"),
            *_objects(pair.source, pair.prefix, *reads),
            *_objects(pair.destination, pair.prefix, *writes),
        ],
        [
            *(_key(source_key(pair), "kms:Decrypt") if encrypted else []),
            *(_key(replica_key(pair), "kms:Encrypt") if encrypted else []),
        ],
    )


def job_needs(pair: Pair) -> Needs:
    """Return what the jobs' role needs for the operation that a run of the pair would choose. Raises ClientError."""
    if pair.operation == "replicate":
        own, keys = _objects(pair.source, pair.prefix, "s3:InitiateReplication"), []
    else:
        own = [
            *_whole(pair.source, "s3:ListBucket"),
            *_objects(pair.source, pair.prefix, "s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging"),
            *_objects(
                pair.destination, pair.prefix, "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"
            ),
        ]
        keys = [
            *_key(source_key(pair), "kms:Decrypt"),
            *_key(replica_key(pair), "kms:GenerateDataKey"),
        ]
    files = f"arn:{pair.aws.partition}:s3:::{pair.state_bucket}/{_RUN}"
    runs = [
        Need("s3:GetObject", f"{files}manifests/", all_below=True),
        Need("s3:PutObject", f"{files}reports/", all_below=True),
    ]
    return Needs([*own, *(runs if pair.state_bucket else [])], keys)


def _whole(bucket: Bucket, *actions: str) -> list[Need]:
    return [Need(action, bucket.arn) for action in actions]


def _objects(bucket: Bucket, prefix: str, *actions: str) -> list[Need]:
    return [Need(action, f"{bucket.arn}/{prefix}", all_below=True) for action in actions]


def _key(key: Key | None, *actions: str) -> Iterable[tuple[str, Need]]:
    # AWS's own key is open to whoever may use the bucket.
    if key is None or not key.arn or key.metadata.get("KeyManager") == "AWS":
        return []
    return [(key.region, Need(action, key.arn)) for action in actions]

"""The rules of a replication configuration, as far as they say which objects go where.

Contract: API reference, ReplicationRule and GetBucketReplication; S3 User Guide, "Replication configuration file
elements".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Tags = tuple[tuple[str, str], ...]
_NO_CONFIGURATION = "ReplicationConfigurationNotFoundError"


@dataclass(frozen=True)
class Scope:
    """What goes where: to the bucket `destination`, the keys under `prefix` of objects that have all `tags`.

    `kms` tells whether objects encrypted by KMS keys are among them.
    """

    destination: str
    prefix: str
    tags: frozenset[tuple[str, str]]
    kms: bool

    def includes(self, other: Scope) -> bool:
        """Tell whether all that is in the other scope is in this one."""
        return (
            self.destination == other.destination
            and other.prefix.startswith(self.prefix)
            and self.tags <= other.tags
            and (self.kms or not other.kms)
        )


@dataclass(frozen=True)
class Rule:
    """A rule of either version of the schema. `destination` is a bucket's name; `tags` are sorted, each key and value.

    `priority` is 0 where the rule has none; the highest wins among rules of one destination. `kms` tells whether it
    replicates objects encrypted by KMS keys.
    """

    id: str
    destination: str
    prefix: str
    enabled: bool
    tags: Tags = ()
    priority: int = 0
    kms: bool = False

    @property
    def filters_by_tag(self) -> bool:
        """Whether it takes only objects with certain tags."""
        return bool(self.tags)

    @property
    def scope(self) -> Scope:
        """What it replicates where, once it is enabled."""
        return Scope(self.destination, self.prefix, frozenset(self.tags), self.kms)

    def covers(self, destination: str, prefix: str, tags: Mapping[str, str] | None = None) -> bool:
        """Tell whether every key under `prefix`, of objects that have all `tags`, is replicated to `destination`.

        Objects encrypted by KMS keys are left out of account.
        """
        asked = Scope(destination, prefix, frozenset((tags or {}).items()), kms=False)
        return self.enabled and self.scope.includes(asked)


def read_rules(s3: S3Client, bucket: str) -> list[Rule]:
    """Return the bucket's rules; none when it has no configuration. Raises ClientError."""
    return [parse_rule(rule) for rule in read_configuration(s3, bucket).get("Rules", [])]


def read_configuration(s3: S3Client, bucket: str) -> dict[str, Any]:
    """Return the bucket's ReplicationConfiguration; empty when it has none. Raises ClientError."""
    try:
        answer = s3.get_bucket_replication(Bucket=bucket)
    except ClientError as error:
        if code_of(error) == _NO_CONFIGURATION:
            return {}
        raise
    return dict(answer["ReplicationConfiguration"])


def parse_rule(rule: Mapping[str, Any]) -> Rule:
    """Return a rule as this library sees it, of either version of the schema."""
    selection = rule.get("Filter") or {}
    both = selection.get("And") or {}
    tags = [selection["Tag"]] if selection.get("Tag") else both.get("Tags") or []
    criteria = rule.get("SourceSelectionCriteria") or {}
    return Rule(
        id=rule.get("ID", ""),
        destination=rule["Destination"]["Bucket"].rpartition(":::")[2],
        prefix=both.get("Prefix") or selection.get("Prefix") or rule.get("Prefix") or "",
        enabled=rule["Status"] == "Enabled",
        tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in tags)),
        priority=rule.get("Priority", 0),
        kms=(criteria.get("SseKmsEncryptedObjects") or {}).get("Status") == "Enabled",
    )

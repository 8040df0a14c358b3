"""What a job works with: clients, permissions, and what is known of buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localcloud import kms
    from localcloud.batch_operations.settings import Settings


class JobIdentity(Protocol):
    """What may be looked at before a job's session begins."""

    account: str
    region: str
    id: str
    arn: str
    role_arn: str
    settings: Settings


class JobSession(Protocol):
    """The session of one job; every answer about what it may do can raise UnsupportedPolicy."""

    account: str
    region: str

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client of a service, in the job's region or the one given."""
        ...

    def s3(self, bucket: str) -> Any:
        """Return an S3 client of a bucket's region."""
        ...

    def region_of(self, bucket: str) -> str | None:
        """Return a bucket's region; None where there is no such bucket."""
        ...

    def owner_of(self, bucket: str) -> str | None:
        """Return the account id that owns a bucket; None where that is not known."""
        ...

    def may(
        self,
        action: str,
        resource: str,
        bucket: str | None = None,
        extra: Mapping[str, str | None] | None = None,
    ) -> bool:
        """Return whether the job may do this. `extra` adds condition keys of the call."""
        ...

    def may_object(
        self, action: str, bucket: str, key: str, extra: Mapping[str, str | None] | None = None
    ) -> bool:
        """Return whether the job may do this to an object (decoded key)."""
        ...

    def may_use_key(self, action: str, key_id: str | None, bucket: str, key: str = "") -> bool:
        """Return whether the job may use a KMS key for an object, or, without a key, for the whole bucket."""
        ...

    def kms_key(self, key_id: str, bucket: str) -> kms.Key | None:
        """Return the KMS key of an id, an alias or an ARN; None where nothing is known of keys."""
        ...

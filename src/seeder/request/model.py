"""What a run is asked, by hand or by a trigger: the input document, checked field by field.

This is the one place that says what may be asked: the JSON Schema, the documentation and the options of the command
are made from it (`seeder.request.schema`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seeder.documents import shown
from seeder.errors import InvalidRequest
from seeder.listing.selection import Selection
from seeder.request.explanation import explain
from seeder.request.together import RULE_OPTIONS, check
from seeder.request.values import (
    AccountId,
    BucketName,
    Bytes,
    Inventory,
    KeyArn,
    Location,
    Moment,
    Money,
    Operation,
    PartOfKey,
    RoleArn,
    StorageClass,
    Tags,
    Text,
    Trigger,
)

__all__ = [
    "EXAMPLE",
    "RULE_OPTIONS",
    "Location",
    "Operation",
    "Request",
    "Trigger",
    "explain",
    "parse_request",
]

EXAMPLE = '{"source": "my-bucket", "destination": "my-replica"}'
_INTERNAL: dict[str, Any] = {"x-internal": True}


class Request(BaseModel):
    """One pair to seed. Only `source` and `destination` are required; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    source: BucketName = Field(description="Name of the bucket to seed from.", examples=["my-bucket"])
    destination: BucketName = Field(
        description="Name of the bucket to seed, its replica.", examples=["my-replica"]
    )
    prefix: PartOfKey = Field(
        default="", description="Seed only keys that begin with this.", examples=["logs/2026/"]
    )
    suffix: PartOfKey = Field(default="", description="Seed only keys that end with this.", examples=[".csv"])
    created_after: Moment = Field(
        default=None,
        description="Seed only objects written after this time.",
        examples=["2026-01-31T00:00:00Z"],
    )
    created_before: Moment = Field(
        default=None,
        description="Seed only objects written before this time.",
        examples=["2026-06-30T12:00:00+02:00"],
    )
    size_at_least: Bytes = Field(
        default=None, description="Seed only objects of at least so many bytes.", examples=[1]
    )
    size_at_most: Bytes = Field(
        default=None, description="Seed only objects of at most so many bytes.", examples=[5368709120]
    )
    storage_classes: list[StorageClass] = Field(
        default=[],
        description="Seed only objects of these storage classes; of all, if none is given.",
        examples=[["STANDARD", "STANDARD_IA"]],
    )
    tags: Tags = Field(
        default={},
        description="Seed only objects that have all these tags; costs a request to S3 for each object.",
        examples=[{"team": "finance"}],
    )
    inventory: Inventory = Field(
        default="",
        description="Read what the source holds from this S3 Inventory (its manifest.json), not by listing.",
        examples=["s3://my-inventories/my-bucket/daily/2026-01-31T01-00Z/manifest.json"],
    )
    operation: Operation = Field(
        default="auto",
        description="How objects get there: replicate (all versions, by the pair's replication rule), copy (current "
        "versions), or auto: replicate where an enabled rule covers the pair.",
    )
    resync: bool = Field(
        default=False,
        description="List both buckets first and seed only what the replica lacks; where that is nothing, no job is "
        "made.",
    )
    overlap: Literal["fail", "skip", "wait"] = Field(
        default="fail", description="What to do while another run seeds the same pair and prefix."
    )
    restore: bool = Field(
        default=False,
        description="Start the restoration of archived objects; run again once they are restored.",
    )
    restore_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=7, description="For how many days restored copies stay."
    )
    restore_tier: Literal["BULK", "STANDARD"] = Field(
        default="BULK", description="How fast, and at what price, archived objects are restored."
    )
    enable_replication: bool = Field(
        default=False,
        description="Turn on versioning and add a replication rule for the pair, its prefix and tags first; rules that "
        "are there stay as they are.",
    )
    replicate_delete_markers: bool = Field(
        default=True, description="For the added rule: delete markers are replicated too (never with tags)."
    )
    replica_storage_class: StorageClass | None = Field(
        default=None,
        description="For the added rule: the replicas' storage class; that of the source by default.",
    )
    replica_kms_key: KeyArn = Field(
        default="",
        description="For the added rule: ARN of the KMS key in the destination's region by which replicas are "
        "encrypted; objects encrypted by KMS are replicated only with it.",
        examples=["arn:aws:kms:eu-west-1:111122223333:key/12345678-90ab-cdef-1234-567890abcdef"],
    )
    replication_time_control: bool = Field(
        default=False,
        description="For the added rule: replication within 15 minutes, and its metrics; costs extra.",
    )
    replica_owner: Literal["source", "destination"] = Field(
        default="source",
        description="For the added rule: the account that owns the replicas in another account's bucket.",
    )
    destination_account: AccountId = Field(
        default="",
        description="Id of the account that owns the destination, where that is another one; replica_owner needs it.",
        examples=["111122223333"],
    )
    rounds: Annotated[int, Field(ge=0, le=10)] = Field(
        default=3,
        description="How often objects that failed for a passing reason are tried again, each time in a job of their "
        "own.",
    )
    priority: Annotated[int, Field(ge=0, le=2147483647)] = Field(
        default=10,
        description="Priority of the jobs among those of the account and region; higher comes first.",
    )
    confirm: bool = Field(
        default=False, description="Create jobs suspended; the run waits until somebody confirms them."
    )
    manifest_location: Location = Field(
        default="state", description="Which bucket holds the manifests: the state bucket, or one of the pair."
    )
    report_location: Location = Field(
        default="state", description="Which bucket S3 writes the completion reports to."
    )
    job_role_arn: RoleArn = Field(
        default="",
        description="The role of the jobs; one is made for the pair by default.",
        examples=["arn:aws:iam::111122223333:role/my-jobs"],
    )
    replication_role_arn: RoleArn = Field(
        default="",
        description="For the added rule: the role S3 replicates by; one is made for the pair by default.",
        examples=["arn:aws:iam::111122223333:role/my-replication"],
    )
    max_cost_usd: Money = Field(
        default=None,
        description="Stop before the first job if the estimate of the run's cost exceeds this.",
        examples=[25.5],
    )
    trigger: Trigger = Field(
        default="manual", description="What asked for the run; set by `fleet`.", json_schema_extra=_INTERNAL
    )
    rule_id: Text = Field(
        default="",
        description="The replication rule that asked; set by `fleet`.",
        json_schema_extra=_INTERNAL,
    )

    def selection(self) -> Selection:
        """Return the filters as the listing takes them."""
        after, before = (
            datetime.fromisoformat(moment) if moment else None
            for moment in (self.created_after, self.created_before)
        )
        return Selection(
            suffix=self.suffix,
            created_after=after,
            created_before=before,
            size_at_least=self.size_at_least,
            size_at_most=self.size_at_most,
            storage_classes=frozenset(self.storage_classes),
        )


def parse_request(document: Any) -> Request:
    """Return the request in an input document.

    Raises InvalidRequest naming the first wrong field, its value and what to do.
    """
    if not isinstance(document, dict):
        raise InvalidRequest("input", f"{shown(document)} is not an object; give {EXAMPLE}")
    try:
        request = Request.model_validate(document)
    except ValidationError as error:
        raise explain(error, Request, EXAMPLE) from error
    check(request)
    return request

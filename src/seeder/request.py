"""What a run is asked, by hand or by a trigger: the input document, checked field by field."""

from __future__ import annotations

import difflib
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from seeder.errors import InvalidRequest
from seeder.listing.selection import Selection

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_INVENTORY = re.compile(rf"s3://{_BUCKET_NAME.pattern}/.+/manifest\.json", re.DOTALL)
Trigger = Literal["manual", "rule-added", "schedule"]
Operation = Literal["auto", "replicate", "copy"]
Location = Literal["state", "source", "destination"]


def _bucket_name(value: str) -> str:
    if _BUCKET_NAME.fullmatch(value):
        return value
    name = value.removeprefix("arn:aws:s3:::").removeprefix("s3://").split("/")[0]
    hint = f"; give the name alone: '{name}'" if name != value and _BUCKET_NAME.fullmatch(name) else ""
    raise ValueError(f"'{value}' is not a bucket name (3 to 63 lower-case letters, digits, '.', '-'){hint}")


def _inventory(value: str) -> str:
    if not value or _INVENTORY.fullmatch(value):
        return value
    raise ValueError(
        f"'{value}' is not the address of an inventory; give that of its manifest.json, such as "
        "s3://my-inventories/my-bucket/daily/2026-01-31T01-00Z/manifest.json"
    )


def _aware(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"'{value}' is not a time; give one such as 2026-01-31T00:00:00Z") from error
    if moment.tzinfo is None:
        raise ValueError(f"'{value}' has no time zone; add Z for UTC")
    return value


Moment = Annotated[str, AfterValidator(_aware)] | None
Bytes = Annotated[int, Field(ge=0)] | None
StorageClass = Literal[
    "DEEP_ARCHIVE",
    "GLACIER",
    "GLACIER_IR",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "REDUCED_REDUNDANCY",
    "STANDARD",
    "STANDARD_IA",
]
BucketName = Annotated[str, AfterValidator(_bucket_name)]


class Request(BaseModel):
    """One pair to seed. Only `source` and `destination` are required; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    source: BucketName = Field(description="Name of the bucket to seed from.")
    destination: BucketName = Field(description="Name of the bucket to seed, its replica.")
    prefix: Annotated[str, Field(max_length=1024)] = Field(
        default="", description="Seed only keys that begin with this."
    )
    suffix: Annotated[str, Field(max_length=1024)] = Field(
        default="", description="Seed only keys that end with this."
    )
    created_after: Moment = Field(
        default=None, description="Seed only objects written after this time, such as 2026-01-31T00:00:00Z."
    )
    created_before: Moment = Field(default=None, description="Seed only objects written before this time.")
    size_at_least: Bytes = Field(default=None, description="Seed only objects of at least so many bytes.")
    size_at_most: Bytes = Field(default=None, description="Seed only objects of at most so many bytes.")
    storage_classes: list[StorageClass] = Field(
        default=[], description="Seed only objects of these storage classes."
    )
    inventory: Annotated[str, AfterValidator(_inventory)] = Field(
        default="",
        description="Read what the source holds from this S3 Inventory (its manifest.json), not by listing.",
    )
    enable_replication: bool = Field(
        default=False, description="Turn on versioning and add a replication rule for the pair first."
    )
    operation: Operation = Field(
        default="auto",
        description="How objects get there: replicate (all versions, by the pair's replication rule), copy (current "
        "versions), or auto: replicate where an enabled rule covers the pair.",
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
    rounds: Annotated[int, Field(ge=0, le=10)] = Field(
        default=3,
        description="How often objects that failed for a passing reason are tried again, each in a job.",
    )
    priority: Annotated[int, Field(ge=0, le=2147483647)] = Field(
        default=10,
        description="Priority of the jobs among those of the account and region; higher comes first.",
    )
    confirm: bool = Field(
        default=False, description="Create jobs suspended; the run waits until somebody confirms them."
    )
    max_cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Stop before the first job if the estimate of the run's cost exceeds this."
    )
    manifest_location: Location = Field(
        default="state", description="Which bucket holds the manifests: the state bucket, or one of the pair."
    )
    report_location: Location = Field(
        default="state", description="Which bucket S3 writes the completion reports to."
    )
    trigger: Trigger = Field(default="manual", description="What asked for the run; set by `fleet`.")
    rule_id: str = Field(default="", description="The replication rule that asked; set by `fleet`.")

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
        raise InvalidRequest("input", f"{document!r} is not an object; give {_EXAMPLE}")
    try:
        request = Request.model_validate(document)
    except ValidationError as error:
        raise _explain(error) from error
    if request.source == request.destination:
        raise InvalidRequest(
            "destination", f"'{request.destination}' is also the source; give another bucket"
        )
    _check_order(request)
    return request


def _check_order(request: Request) -> None:
    """Refuse filters that no object can pass."""
    selection = request.selection()
    after, before = selection.created_after, selection.created_before
    if after and before and after >= before:
        raise InvalidRequest("created_before", f"'{request.created_before}' is not after created_after")
    least, most = request.size_at_least, request.size_at_most
    if least is not None and most is not None and least > most:
        raise InvalidRequest("size_at_most", f"{most} is less than size_at_least, {least}")


_EXAMPLE = '{"source": "my-bucket", "destination": "my-replica"}'


def _explain(error: ValidationError) -> InvalidRequest:
    problems = error.errors()
    # An unknown field often explains a missing one, so it is told first.
    problem = next((item for item in problems if item["type"] == "extra_forbidden"), problems[0])
    field = ".".join(str(part) for part in problem["loc"])
    value = problem["input"]
    if problem["type"] == "extra_forbidden":
        known = sorted(Request.model_fields)
        close = difflib.get_close_matches(field, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known fields: {', '.join(known)}"
        return InvalidRequest(field, f"unknown field (value {value!r}); {hint}")
    if problem["type"] == "missing":
        return InvalidRequest(field, f"missing; give at least {_EXAMPLE}")
    if problem["type"] == "value_error":
        return InvalidRequest(field, problem["msg"].removeprefix("Value error, "))
    return InvalidRequest(field, f"{value!r} won't do: {problem['msg']}")

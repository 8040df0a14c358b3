"""The pairs that this application has seeded, each with what it asked for and how its last run ended.

One registry, `metastore/pairs.json` in the state bucket, that every run enters itself into at its end; the schedule
seeds what it lists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from seeder.fleet.registries import Shape, registry
from seeder.request import RULE_OPTIONS, Request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.record import Record

NAME = "pairs"
# What is of one run alone: asking for it again would mean something else, or do something twice.
_OF_ONE_RUN = frozenset(
    {
        "confirm",
        "created_after",
        "created_before",
        "enable_replication",
        "inventory",
        "overlap",
        "resync",
        "rule_id",
        "trigger",
        *RULE_OPTIONS,
    }
)


class LastRun(Shape):
    """How the last run of a pair ended; the members are those of its record, `equal` of its comparison."""

    run_id: str
    state: Literal["Complete", "Failed", "Skipped"]
    ended_at: str = ""
    replica: str = ""
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    equal: int = 0
    cause: str = ""


class Known(Shape):
    """A pair in the registry: the request's fields that differ from their defaults, and its last run."""

    request: dict[str, Any]
    last_run: LastRun

    @field_validator("request")
    @classmethod
    def _names_a_pair(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not all(isinstance(value.get(name), str) for name in ("source", "destination")):
            raise ValueError("it names no source and destination")
        return value

    @property
    def source(self) -> str:
        """The bucket seeded from."""
        return str(self.request["source"])


class _Pairs(Shape):
    pairs: dict[str, Known] = Field(default={})


class Choice(BaseModel):
    """Which pairs of the registry: by the source's name (* and ? are wildcards), and by the source bucket's tags."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    names: str = Field(default="*", description="Pairs whose source's name matches; * and ? are wildcards.")
    tags: dict[str, str] = Field(default={}, description="Pairs whose source bucket has all these tags.")

    def takes(self, name: str, tags_of: Callable[[str], dict[str, str]]) -> bool:
        """Tell whether a bucket is chosen; `tags_of` is asked only where tags matter."""
        if not fnmatchcase(name, self.names):
            return False
        return not self.tags or self.tags.items() <= tags_of(name).items()


def read_pairs(s3: S3Client, state_bucket: str) -> list[Known]:
    """Return all pairs, by source and destination. Raises what `Registry.read` raises."""
    body = registry(s3, state_bucket, NAME, _Pairs).read().body
    return [Known.model_validate(item) for _, item in sorted(body.get("pairs", {}).items())]


def enter(s3: S3Client, state_bucket: str, request: Request, record: Record) -> None:
    """Enter a pair whose run has ended, or its newer run. Can be repeated. Raises what `Registry.update` raises."""
    ended = record.model_dump(include=set(LastRun.model_fields))
    equal = record.verification.get("equal", 0)
    known = Known(request=lasting(request), last_run=LastRun(**ended, equal=equal))
    name = _name(request)

    def swap(body: dict[str, Any]) -> dict[str, Any] | None:
        pairs = body.get("pairs", {})
        before = pairs.get(name)
        if before and before["last_run"]["ended_at"] > known.last_run.ended_at:
            return None
        after = known.model_dump()
        return None if after == before else {**body, "pairs": {**pairs, name: after}}

    registry(s3, state_bucket, NAME, _Pairs).update(swap)


def forget(s3: S3Client, state_bucket: str, gone: Callable[[Known], bool]) -> list[Known]:
    """Take pairs out of the registry; return them. Raises what `Registry.update` raises."""
    taken: list[Known] = []

    def swap(body: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal taken
        pairs = {name: Known.model_validate(item) for name, item in body.get("pairs", {}).items()}
        taken = [known for known in pairs.values() if gone(known)]
        left = {name: known.model_dump() for name, known in pairs.items() if known not in taken}
        return {**body, "pairs": left} if taken else None

    registry(s3, state_bucket, NAME, _Pairs).update(swap)
    return taken


def lasting(request: Request) -> dict[str, Any]:
    """Return the fields of a request that hold for every run of its pair."""
    return request.model_dump(exclude_defaults=True, exclude=set(_OF_ONE_RUN))


def _name(request: Request) -> str:
    scope = "\n".join([request.prefix, *(f"{key}={value}" for key, value in sorted(request.tags.items()))])
    digest = hashlib.sha256(scope.encode()).hexdigest()[:8] if scope else ""
    return "/".join(filter(None, (request.source, request.destination, digest)))

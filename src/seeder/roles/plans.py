"""The roles that are made for a pair, as they should be: pure functions of a run and its stack.

Contracts: IAM API reference, CreateRole, Tag; IAM User Guide, "IAM and AWS STS quotas".
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from seeder.roles import policies
from seeder.roles.policies import Document, Scope, Side

if TYPE_CHECKING:
    from seeder.buckets import Bucket
    from seeder.run import Kind, Run
    from seeder.settings import Settings

JOBS, REPLICATION = "jobs", "replication"
STACK_TAG, SOURCE_TAG, DESTINATION_TAG, PREFIX_TAG = (
    "seeder-stack",
    "seeder-source",
    "seeder-destination",
    "seeder-prefix",
)
_MOST_NAME_CHARACTERS, _MOST_TAG_CHARACTERS = 64, 256
_DIGEST_CHARACTERS = 16
_KEY_ID = re.compile(r"[0-9a-f-]{36}|mrk-[0-9a-f]{32}")


class Plan(NamedTuple):
    """A role as it should be; `policies` by their names."""

    name: str
    path: str
    trust: Document
    policies: dict[str, Document]
    tags: dict[str, str]


def job_plan(run: Run, settings: Settings, region: str) -> Plan:
    """Return the role of the jobs of a pair and prefix; `region` is the stack's."""
    scope = _scope(run, settings, ())
    kinds: list[Kind] = [run.operation]
    kinds += ["large"] if run.operation == "copy" else []
    kinds += ["restore"] if run.request.restore else []
    pair = (run.source.name, run.destination.name, run.request.prefix)
    return Plan(
        name=_name(settings, JOBS, region, *pair),
        path=f"{settings.role_path}{JOBS}/",
        trust=policies.job_trust(run.account_id),
        policies={kind: policies.job_policy(scope, kind) for kind in kinds},
        tags=_tags(settings, dict(zip((SOURCE_TAG, DESTINATION_TAG, PREFIX_TAG), pair, strict=True))),
    )


def replication_plan(run: Run, settings: Settings, region: str) -> Plan:
    """Return the replication role of a source, with the policy for this destination and prefix."""
    asked = run.request
    scope = _scope(run, settings, (asked.replica_kms_key,) if asked.replica_kms_key else ())
    if not asked.replica_kms_key:
        scope = scope._replace(source=scope.source._replace(keys=()))
    policy = policies.replication_policy(
        scope,
        delete_markers=asked.replicate_delete_markers and not asked.tags,
        owner=asked.replica_owner == "destination",
    )
    return Plan(
        name=_name(settings, REPLICATION, region, run.source.name),
        path=f"{settings.role_path}{REPLICATION}/",
        trust=policies.replication_trust(run.account_id, run.source.name, scope.partition),
        policies={f"{run.destination.name}-{_digest(asked.prefix)}": policy},
        tags=_tags(settings, {SOURCE_TAG: run.source.name}),
    )


def key_arn(bucket: Bucket, account_id: str, partition: str = "aws") -> str:
    """Return the ARN of a bucket's key; empty for one that is named by an alias, which tells no key."""
    if bucket.key.startswith("arn:"):
        return "" if ":alias/" in bucket.key else bucket.key
    known = _KEY_ID.fullmatch(bucket.key)
    return f"arn:{partition}:kms:{bucket.region}:{account_id}:key/{bucket.key}" if known else ""


def covers_key(settings: Settings, arn: str) -> bool:
    """Tell whether the stack's parameter lets roles use a key."""
    return settings.kms_key_id in ("*", arn.rpartition("/")[2])


def _scope(run: Run, settings: Settings, replica_keys: tuple[str, ...]) -> Scope:
    partition = settings.boundary_arn.split(":")[1] if settings.boundary_arn else "aws"
    source, destination = (
        _keys(bucket, run.account_id, settings, partition) for bucket in (run.source, run.destination)
    )
    own = key_arn(run.destination, run.account_id, partition)
    destination = (own,) if own and destination else destination
    manifests, reports = run.manifest_bucket, run.report_bucket
    written = f"{manifests.name}/seeder/" if manifests else f"{run.state_bucket}/"
    reported = f"{reports.name}/seeder/" if reports else f"{run.state_bucket}/"
    return Scope(
        account=run.account_id,
        source=Side(run.source.name, run.source.region, source),
        destination=Side(run.destination.name, run.destination.region, replica_keys + destination),
        prefix=run.request.prefix,
        partition=partition,
        manifests=(f"{written}runs/*/manifests/*", f"{run.state_bucket}/runs/*/rounds/*"),
        reports=(f"{reported}runs/*/reports/*",),
        copy_function=settings.copy_function_arn,
    )


def _keys(bucket: Bucket, account_id: str, settings: Settings, partition: str) -> tuple[str, ...]:
    """Return the keys that the stack allows in a bucket's region: its objects may have others than new ones get."""
    if settings.kms_key_id == "none":
        return ()
    owner = bucket.key.split(":")[4] if bucket.key.startswith("arn:") else account_id
    return (f"arn:{partition}:kms:{bucket.region}:{owner}:key/{settings.kms_key_id}",)


def _name(settings: Settings, kind: str, *identity: str) -> str:
    """Return a role's name: IAM has one namespace for all paths, regions and letters of either case."""
    end = f"-{kind}-{_digest(settings.role_path, *identity)}"
    return settings.stack_name[: _MOST_NAME_CHARACTERS - len(end)] + end


def _digest(*identity: str) -> str:
    return hashlib.sha256("\n".join(identity).encode()).hexdigest()[:_DIGEST_CHARACTERS]


def _tags(settings: Settings, values: dict[str, str]) -> dict[str, str]:
    named = {STACK_TAG: settings.stack_name, **values}
    return {name: tag_value(value) for name, value in named.items()}


def tag_value(text: str) -> str:
    """Return a text as the value of an IAM tag: 256 characters of few kinds (API reference, Tag), `_` for others."""
    return re.sub(r"[^\w .:/=+@-]", "_", text)[:_MOST_TAG_CHARACTERS]

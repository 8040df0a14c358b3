"""A small S3 with replication, for tests: moto, our patches, and a client that checks answers by model."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.validate import ParamValidator
from moto import mock_aws

from localcloud import caches, replication, s3
from localcloud.clock import ManualClock
from localcloud.patching import Patches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.replication.permissions import Allowed

ROLE = "arn:aws:iam::123456789012:role/replication"


@cache
def client(service: str = "s3", region: str = "us-east-1") -> Any:
    """Return a client; that of S3 asserts that every answer fits botocore's model."""
    made = boto3.client(
        service,  # type: ignore[call-overload]
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    made.meta.events.register("after-call.s3", _fits_model)
    return made


def _fits_model(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    members = {name: value for name, value in parsed.items() if name not in ("ResponseMetadata", "Error")}
    if model.output_shape is not None and "Error" not in parsed:
        report = ParamValidator().validate(members, model.output_shape)
        assert not report.has_errors(), report.generate_report()


@dataclass
class World:
    clock: ManualClock = field(default_factory=ManualClock)
    s3: Any = field(default_factory=client)
    patches: Patches = field(default_factory=Patches)

    def buckets(self, *names: str, versioned: bool = True) -> None:
        for name in names:
            self.s3.create_bucket(Bucket=name)
            if versioned:
                self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def configure(self, *rules: dict[str, Any], source: str = "src") -> None:
        self.s3.put_bucket_replication(
            Bucket=source, ReplicationConfiguration={"Role": ROLE, "Rules": list(rules)}
        )

    def put(self, key: str = "k", bucket: str = "src", **fields: Any) -> str:
        """Return the version id, "null" where there are no versions."""
        answer = self.s3.put_object(Bucket=bucket, Key=key, **{"Body": b"body", **fields})
        return str(answer.get("VersionId", "null"))

    def head(self, key: str = "k", bucket: str = "src", version: str | None = None) -> dict[str, Any]:
        which = {"VersionId": version} if version else {}
        return dict(self.s3.head_object(Bucket=bucket, Key=key, **which))

    def status(self, key: str = "k", bucket: str = "src", version: str | None = None) -> str | None:
        return self.head(key, bucket, version).get("ReplicationStatus")

    def versions(self, bucket: str = "dst") -> list[tuple[str, str, bool]]:
        """Return (key, version id, whether a delete marker) in the order of the listing, markers last."""
        page = self.s3.list_object_versions(Bucket=bucket)
        return [
            (item["Key"], item["VersionId"], marker)
            for name, marker in (("Versions", False), ("DeleteMarkers", True))
            for item in page.get(name, [])
        ]

    def settle(self, seconds: float = 0.0) -> None:
        """Let the clock advance and wait until nothing is pending."""
        self.clock.advance(seconds)
        replication.drain(5)


def rule(
    destination: str = "dst", priority: int = 1, *, markers: bool = False, **fields: Any
) -> dict[str, Any]:
    """Return a V2 rule for every object, changed by `fields`; `Destination` in them is merged."""
    target = {"Bucket": f"arn:aws:s3:::{destination}", **fields.pop("Destination", {})}
    return {
        "ID": f"{destination}-{priority}",
        "Priority": priority,
        "Status": "Enabled",
        "Filter": {},
        "DeleteMarkerReplication": {"Status": "Enabled" if markers else "Disabled"},
        "Destination": target,
        **fields,
    }


def v1_rule(prefix: str = "", destination: str = "dst") -> dict[str, Any]:
    return {
        "ID": f"v1-{prefix}",
        "Prefix": prefix,
        "Status": "Enabled",
        "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
    }


def everything(role: str, action: str, resource: str) -> bool:
    return True


@contextmanager
def world(delay: float = 0.0, allowed: Allowed = everything) -> Iterator[World]:
    """Run a block in a world of its own, with the buckets `src` and `dst`, both versioned."""
    made = World()
    with mock_aws(config={"iam": {"load_aws_managed_policies": False}}):
        caches.install(made.patches)
        s3.install(made.patches)
        replication.install(made.patches, made.clock, delay, allowed)
        try:
            made.buckets("src", "dst")
            yield made
        finally:
            replication.stop()
            made.patches.undo()

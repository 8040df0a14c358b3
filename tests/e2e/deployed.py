"""The deployed application as a test sees it: buckets, executions, and how they end."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.deploy import Stack
from localcloud.faults import Fault, Faults

WAIT_SECONDS = 60
ACCOUNT = "123456789012"
HOME, EUROPE = "us-east-1", "eu-west-1"
REPLICATE = (
    "s3:GetObjectVersion*",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
)


class LeapingClock(ScaledClock):
    """A scaled clock that can also be put forward at once."""

    def __init__(self, speed: float) -> None:
        super().__init__(speed)
        self._leapt = timedelta()

    def now(self) -> datetime:
        return super().now() + self._leapt

    def leap(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._leapt += timedelta(seconds=seconds)


@dataclass
class Deployed:
    """A stack on a running local cloud."""

    cloud: LocalCloud
    stack: Stack
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def states(self) -> Any:
        return self.cloud.client("stepfunctions", self.stack.region)

    @property
    def state_bucket(self) -> str:
        return self.stack.outputs["StateBucketName"]

    def bucket(self, region: str = "us-east-1", versioned: bool = True, keys: list[str] | None = None) -> str:
        """Make a bucket with an object for each key, whose content is the key."""
        name = f"bucket-{next(self._numbers)}-{uuid.uuid4().hex[:8]}"
        s3 = self.cloud.client("s3", region)
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for key in keys or []:
            s3.put_object(Bucket=name, Key=key, Body=key.encode(), Metadata={"origin": "test"})
        return name

    def role(self, name: str, service: str, *actions: str, path: str = "/") -> str:
        """Make a role as anyone would, that may do these things to anything, unless it is there; return its ARN."""
        iam = self.cloud.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        may = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        trusted, allowed = (
            json.dumps({"Version": "2012-10-17", "Statement": [item]}) for item in (trust, may)
        )
        try:
            made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trusted)
        except iam.exceptions.EntityAlreadyExistsException:
            return str(iam.get_role(RoleName=name)["Role"]["Arn"])
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=allowed)
        return str(made["Role"]["Arn"])

    def add_rule(self, source: str, *destinations: str, role: str = "", **members: Any) -> None:
        """Add one enabled rule for each destination, as anyone would, by a role of one's own."""
        role = role or self.role("own-replication", "s3.amazonaws.com", *REPLICATE)
        rules = [
            {
                "ID": f"to-{destination}",
                "Priority": number,
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "DeleteMarkerReplication": {"Status": "Disabled"},
                "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
                **members,
            }
            for number, destination in enumerate(destinations)
        ]
        self.cloud.client("s3").put_bucket_replication(
            Bucket=source, ReplicationConfiguration={"Role": role, "Rules": rules}
        )

    @contextmanager
    def no_events(self) -> Iterator[None]:
        """Let no event of a rule that is added start anything within the block."""
        rules = self.cloud.client("events", self.stack.region)
        names = [item["Name"] for item in rules.list_rules()["Rules"] if item["Name"].endswith("-rule-added")]
        for name in names:
            rules.disable_rule(Name=name)
        try:
            yield
        finally:
            for name in names:
                rules.enable_rule(Name=name)

    def start(self, machine: str, document: Any, name: str | None = None) -> str:
        """Start an execution of "Seed" or "Fleet"; return its ARN."""
        given = {"name": name} if name else {}
        answer = self.states.start_execution(
            stateMachineArn=self.stack.outputs[f"{machine}Arn"], input=json.dumps(document), **given
        )
        return str(answer["executionArn"])

    def wait(self, execution: str) -> dict[str, Any]:
        """Wait for an execution to end; return its description, the output parsed."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            seen = self.states.describe_execution(executionArn=execution)
            if seen["status"] != "RUNNING":
                return dict(seen) | {"output": json.loads(seen.get("output", "null"))}
            time.sleep(0.02)
        raise AssertionError(f"{execution} still runs after {WAIT_SECONDS} s")

    def seed(self, document: Any) -> dict[str, Any]:
        """Start one run by hand and wait for its end."""
        return self.wait(self.start("Seed", document))

    def running(self, source: str) -> str:
        """Wait until a run of a source goes on; return its execution's ARN."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            found = self.states.list_executions(
                stateMachineArn=self.stack.outputs["SeedArn"], statusFilter="RUNNING"
            )["executions"]
            for item in found:
                if f"-{source}-to-" in item["name"]:
                    return str(item["executionArn"])
            time.sleep(0.02)
        raise AssertionError(f"no run of {source} goes on after {WAIT_SECONDS} s")

    def runs_of(self, source: str, expected: int = 1) -> list[dict[str, Any]]:
        """Wait until so many runs of a source have ended; return them."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            found = [
                item
                for item in self.states.list_executions(stateMachineArn=self.stack.outputs["SeedArn"])[
                    "executions"
                ]
                if f"-{source}-to-" in item["name"]
            ]
            if len(found) >= expected:
                return [self.wait(item["executionArn"]) for item in found]
            time.sleep(0.02)
        raise AssertionError(f"{len(found)} runs of {source}, expected {expected}")

    def quiet(self) -> None:
        """Wait until no execution of either state machine runs."""
        for machine in ("FleetArn", "SeedArn"):
            pages = self.states.list_executions(
                stateMachineArn=self.stack.outputs[machine], statusFilter="RUNNING"
            )
            for item in pages["executions"]:
                self.wait(item["executionArn"])

    def contents(self, bucket: str, region: str = "us-east-1") -> dict[str, bytes]:
        """Return all objects of a bucket."""
        s3 = self.cloud.client("s3", region)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def versions(self, bucket: str, region: str = HOME) -> dict[tuple[str, str], bytes]:
        """Return the contents of all versions of a bucket by key and version id; delete markers have none."""
        s3 = self.cloud.client("s3", region)
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        ids = [(item["Key"], item["VersionId"]) for page in pages for item in page.get("Versions", [])]
        return {
            (key, version): s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
            for key, version in ids
        }

    def uploads(self, bucket: str, region: str = HOME) -> list[str]:
        """Return the keys of the unfinished uploads to a bucket."""
        answer = self.cloud.client("s3", region).list_multipart_uploads(Bucket=bucket)
        return [item["Key"] for item in answer.get("Uploads", [])]

    def read(self, address: str) -> bytes:
        """Return an object by its address, `s3://bucket/key`."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        return bytes(self.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def next_second(self) -> None:
        """Return when what was written before is older than a run that starts now, as S3 shows times: in seconds."""
        time.sleep(1 - time.time() % 1)

    @contextmanager
    def faults(self, *faults: Fault) -> Iterator[None]:
        """Let these faults strike, and no others, within the block."""
        before = self.cloud.settings.strikes
        self.cloud.settings.strikes = Faults(faults)
        try:
            yield
        finally:
            self.cloud.settings.strikes = before

    def job_of(self, run_id: str, region: str = EUROPE, status: str = "") -> dict[str, Any]:
        """Wait until the newest job of a run is there, and has a status; return it as DescribeJob has it."""
        control = self.cloud.client("s3control", region)
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            for item in self.jobs(region):
                if f" {run_id} " in item["Description"] and status in ("", item["Status"]):
                    return dict(control.describe_job(AccountId=ACCOUNT, JobId=item["JobId"])["Job"])
            time.sleep(0.01)
        raise AssertionError(f"no job of {run_id} is {status or 'there'} after {WAIT_SECONDS} s")

    def jobs_of(self, run_id: str, region: str = EUROPE) -> list[dict[str, Any]]:
        """Return the jobs of a run in a region, oldest first."""
        return [item for item in reversed(self.jobs(region)) if f" {run_id} " in item["Description"]]

    def record(self, run_id: str) -> dict[str, Any]:
        """Return a run's record, as it stands in the state bucket."""
        s3 = self.cloud.client("s3")
        body = s3.get_object(Bucket=self.state_bucket, Key=f"runs/{run_id}/run.json")["Body"].read()
        document: dict[str, Any] = json.loads(body)
        return document

    def jobs(self, region: str = EUROPE) -> list[dict[str, Any]]:
        """Return the batch jobs of a region."""
        answer = self.cloud.client("s3control", region).list_jobs(AccountId=ACCOUNT)
        return list(answer["Jobs"])

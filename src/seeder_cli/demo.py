"""`seeder demo`: seeds a bucket on the local cloud, by the deployed template, and proves the replica."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import click

from seeder.documents import parsed
from seeder.errors import InvalidRequest, one_line
from seeder.listing.difference import Difference
from seeder.request import parse_request
from seeder.roles import policies
from seeder_cli import samples
from seeder_cli.display import Display
from seeder_cli.errors import CommandError
from seeder_cli.follow import Outcome, follow, wait_for_execution
from seeder_cli.jobs import looker
from seeder_cli.project import template_path
from seeder_cli.verify import compare_buckets
from seeder_cli.writers import Writers

if TYPE_CHECKING:
    from localcloud.cloud import LocalCloud
    from localcloud.deploy import Stack
    from localcloud.faults import Fault

SOURCE, SOURCE_REGION = "foghorn1.bucket", "us-east-1"
DESTINATION, DESTINATION_REGION = "foghorn2.bucket", "eu-west-1"
ROLE = "foghorn-replication"
SPEED = 60
START_SECONDS = 60
SETTLE_SECONDS = 20
SETTLE_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Result:
    """What the demo found: the run's outcome and the comparison of the two buckets."""

    outcome: Outcome
    difference: Difference
    seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether the run succeeded and the replica is equal."""
        return self.outcome.status == "SUCCEEDED" and self.difference.is_equal


@dataclass(frozen=True)
class Scene:
    """What the demo shows: the source's objects, what fails, what is asked by hand (None: a rule is added)."""

    objects: list[samples.Sample]
    faults: list[Fault]
    request: dict[str, Any] | None
    writers: bool


@click.command()
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='Seed these objects instead: one {"key": …, "size": …, "metadata": {…}?, "tags": {…}?} a line.',
)
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='Tasks that the batch service fails: [{"key_prefix": …, "status": …, "code": …, "times": N or null}].',
)
@click.option(
    "--request",
    "asked",
    metavar="JSON",
    help="""Start by hand with these fields, not by a rule; such as '{"operation": "copy", "restore": true}'.""",
)
@click.option("--large", type=click.IntRange(0, 20), default=0, help="Add so many objects of 6 GiB.")
@click.option("--archived", type=click.IntRange(0, 1000), default=0, help="Add so many archived objects.")
@click.option("--writers", is_flag=True, help="Let others write to the source while the run goes on.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON that tells all results.")
def demo(
    keys: Path | None,
    faults: Path | None,
    asked: str | None,
    large: int,
    archived: int,
    writers: bool,
    as_json: bool,
) -> int:
    """Seed a bucket on the local cloud: no AWS account, nothing faked.

    Deploys the application's own template, fills a source bucket, adds a replication rule, and shows what the
    rule sets off. Exits 0 only if the run succeeded and both buckets, read back, are equal; 1 if not.

    \b
    Example:
      seeder demo --json
    """
    objects = samples.read(keys) if keys else samples.made_up()
    scene = Scene(
        objects=objects + samples.large(large) + samples.archived(archived),
        faults=_faults(faults) if faults else [],
        request=_request(asked) if asked else None,
        writers=writers,
    )
    with Display(every=0) as display:
        display.progress("Starting the local cloud", 0)
        result = _run(scene, display)
        _tell(result, display)
    if as_json:
        click.echo(json.dumps(_document(result)))
    return 0 if result.succeeded else 1


def _faults(path: Path) -> list[Fault]:
    from localcloud.faults import Fault

    try:
        return [Fault.from_dict(item) for item in samples.read_faults(path)]
    except ValueError as error:
        raise CommandError(one_line(f"--faults {path}: {error}")) from error


def _request(text: str) -> dict[str, Any]:
    try:
        fields = parsed(text)
        if not isinstance(fields, dict):
            raise ValueError("not an object")
        parse_request({"source": SOURCE, "destination": DESTINATION, **fields})
    except (ValueError, InvalidRequest) as error:
        raise CommandError(f"--request: {error}") from error
    return fields


def _run(scene: Scene, display: Display) -> Result:
    from localcloud.clock import ScaledClock
    from localcloud.cloud import LocalCloud

    started = time.monotonic()
    with LocalCloud(ScaledClock(SPEED), scene.faults) as cloud:
        display.progress("Deploying template.yaml", 0)
        stack = cloud.deploy(template_path())
        display.progress("Filling the source bucket", 0)
        _make_buckets(cloud, scene.objects)
        source = cloud.client("s3", SOURCE_REGION)
        with Writers(source, SOURCE) if scene.writers else nullcontext() as writers:
            if scene.request is None:
                _add_rule(cloud)
                display.line(f"Replication rule added: {SOURCE} → {DESTINATION}")
            else:
                _start(cloud, stack, scene.request)
            outcome = _follow(cloud, stack, display)
        display.progress("Comparing the buckets", 0)
        difference = _compare(cloud, scene.objects, patient=bool(writers))
    return Result(outcome, difference, time.monotonic() - started)


def _compare(cloud: LocalCloud, objects: list[samples.Sample], patient: bool) -> Difference:
    """Compare both buckets; where others wrote until now, give replication some time to follow."""
    until = time.monotonic() + (SETTLE_SECONDS if patient else 0)
    while True:
        difference = compare_buckets(
            (cloud.client("s3", SOURCE_REGION), SOURCE),
            (cloud.client("s3", DESTINATION_REGION), DESTINATION),
            objects,
        )
        if difference.is_equal or time.monotonic() >= until:
            return difference
        time.sleep(SETTLE_POLL_SECONDS)


def _make_buckets(cloud: LocalCloud, objects: list[samples.Sample]) -> None:
    for bucket, region in ((SOURCE, SOURCE_REGION), (DESTINATION, DESTINATION_REGION)):
        s3 = cloud.client("s3", region)
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    samples.put(cloud.client("s3", SOURCE_REGION), SOURCE, objects, cloud.declare_object)


def _start(cloud: LocalCloud, stack: Stack, fields: dict[str, Any]) -> None:
    """Start a run by hand, as from the console."""
    document = {"source": SOURCE, "destination": DESTINATION, **fields}
    states = cloud.client("stepfunctions", stack.region)
    states.start_execution(stateMachineArn=stack.outputs["SeedArn"], input=json.dumps(document))


def _replication_role(cloud: LocalCloud) -> str:
    """Make the role by which S3 replicates, as anyone would who adds a rule; return its ARN."""
    from localcloud.aws import ACCOUNT_ID

    scope = policies.Scope(ACCOUNT_ID, policies.Side(SOURCE), policies.Side(DESTINATION))
    trust, permissions = policies.replication_trust(ACCOUNT_ID, SOURCE), policies.replication_policy(scope)
    iam = cloud.client("iam")
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="replicate", PolicyDocument=json.dumps(permissions))
    return str(role)


def _add_rule(cloud: LocalCloud) -> None:
    """Add a rule as anyone would; what follows is the rule's doing."""
    role = _replication_role(cloud)
    rule = {
        "ID": "everything",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{DESTINATION}"},
    }
    cloud.client("s3", SOURCE_REGION).put_bucket_replication(
        Bucket=SOURCE, ReplicationConfiguration={"Role": role, "Rules": [rule]}
    )


def _follow(cloud: LocalCloud, stack: Stack, display: Display) -> Outcome:
    states = cloud.client("stepfunctions", stack.region)
    execution = wait_for_execution(states, stack.outputs["SeedArn"], START_SECONDS)

    return follow(states, execution, display, looker(boto3.Session(), execution))


def _tell(result: Result, display: Display) -> None:
    record = _record(result)
    display.line(
        f"State: {record['state']}, Total: {record['total']}, "
        f"Success: {record['succeeded']}, Failed: {record['failed']}"
    )
    if result.outcome.error:
        display.line(f"{result.outcome.error}: {result.outcome.cause}")
    difference = result.difference
    if difference.is_equal:
        display.line(f"Replica: equal ({difference.equal} objects compared)")
        return
    display.line(
        f"Replica: not equal: {difference.missing} missing, {difference.different} different, "
        f"{difference.extra} extra ({difference.equal} equal)"
    )


def _record(result: Result) -> dict[str, Any]:
    record: dict[str, Any] = result.outcome.stages.get("record") or {}
    nothing = {"state": "Failed", "total": 0, "succeeded": 0, "failed": 0, "failures": [], "job_ids": []}
    return nothing | record


def _document(result: Result) -> dict[str, Any]:
    record, difference = _record(result), result.difference
    counts = {
        "missing": difference.missing,
        "different": difference.different,
        "extra": difference.extra,
    }
    return {
        "run_id": result.outcome.run_id,
        "state": record["state"],
        "total": record["total"],
        "succeeded": record["succeeded"],
        "failed": record["failed"],
        "failures": [
            {key: failure[key] for key in ("code", "count", "example_key")} for failure in record["failures"]
        ],
        "replica": "equal" if difference.is_equal else counts,
        "job_ids": record["job_ids"],
        "verification": record.get("verification", {}),
        "large": record.get("large", 0),
        "archived": record.get("archived", 0),
        "estimated_usd": record.get("estimated_usd", ""),
        "actual_usd": record.get("actual_usd", ""),
        "history_events": result.outcome.history_events,
        "seconds": round(result.seconds, 3),
        "error": result.outcome.error,
        "cause": result.outcome.cause,
    }

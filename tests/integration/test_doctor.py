"""`seeder doctor` without a stack: parts of one that are gone, S3-compatible servers, the command itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from localcloud import account_settings
from localcloud.aws import ACCOUNT_ID
from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.patching import Patches
from seeder_cli.checks.aws import Aws
from seeder_cli.checks.bucket import Bucket
from seeder_cli.checks.deployment import (
    dead_letters,
    event_rule,
    outputs,
    schedule,
    stack_state,
    state_machine,
)
from seeder_cli.checks.limits import concurrency
from seeder_cli.checks.plan import Names, examine, plan
from seeder_cli.checks.stack import OUTPUTS, Resource, Stack
from seeder_cli.checks.state_bucket import same_region
from seeder_cli.errors import CommandError
from seeder_cli.stack import stack_outputs
from tests.servers import Server

HOME = "us-east-1"
SEEDER = [sys.executable, "-W", "error", "-c", "from seeder_cli.main import main; main()"]
STACK = Stack("seeder", "CREATE_COMPLETE", dict.fromkeys(OUTPUTS, "x"), {})


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000)) as running:
        yield running


@pytest.fixture(scope="module")
def aws(cloud: LocalCloud) -> Aws:
    return Aws(boto3.Session("a", "b", region_name=HOME))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("CREATE_COMPLETE", "ok"),
        ("UPDATE_COMPLETE", "ok"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "warning"),
        ("UPDATE_ROLLBACK_COMPLETE", "warning"),
        ("ROLLBACK_COMPLETE", "miss"),
        ("UPDATE_ROLLBACK_FAILED", "miss"),
        ("DELETE_FAILED", "miss"),
    ],
)
def test_a_stack_is_complete_or_what_to_do_is_told(status: str, outcome: str) -> None:
    said = stack_state(Stack("seeder", status, {}, {}))
    assert (said.outcome, status in said.found, bool(said.todo)) == (outcome, True, outcome != "ok")


def test_a_stack_of_another_template_is_a_miss() -> None:
    said = outputs(Stack("seeder", "CREATE_COMPLETE", {"FleetArn": "x"}, {}))
    assert (said.outcome, "SeedArn" in said.found) == ("miss", True)
    assert outputs(STACK).outcome == "ok"


def test_parts_of_the_stack_that_were_deleted_are_misses(aws: Aws) -> None:
    arn = f"arn:aws:states:{HOME}:{ACCOUNT_ID}:stateMachine:gone"
    url = f"https://sqs.{HOME}.amazonaws.com/{ACCOUNT_ID}/gone"
    for look, physical in (
        (state_machine, arn),
        (event_rule, "gone"),
        (event_rule, "default|gone"),
        (schedule, "gone"),
        (dead_letters, url),
    ):
        said = look(aws, STACK, Resource("Gone", "", physical))
        assert (said.outcome, "gone" in said.found, "sam deploy" in said.todo) == ("miss", True, True)


def test_a_state_bucket_in_another_region_than_the_stack_is_a_miss(aws: Aws) -> None:
    assert same_region(aws, Bucket(aws, "b", "eu-west-1")).outcome == "miss"
    assert same_region(aws, Bucket(aws, "b", HOME)).outcome == "ok"


def test_an_account_with_little_concurrency_is_warned(aws: Aws) -> None:
    assert concurrency(aws).found.startswith("1000 functions")
    from moto.awslambda.responses import LambdaResponse

    patches = Patches()
    known = LambdaResponse.get_account_settings
    del LambdaResponse.get_account_settings
    account_settings.install(patches, concurrency=10)
    try:
        assert (concurrency(aws).outcome, "Service Quotas" in concurrency(aws).todo) == ("warning", True)
    finally:
        patches.undo()
        LambdaResponse.get_account_settings = known


def test_without_a_region_or_credentials_nothing_else_is_asked(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    found = examine(Aws(boto3.Session("a", "b")), Names("seeder"))
    assert [(item.outcome, "AWS_REGION" in item.todo) for item in found] == [("miss", True)]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = examine(Aws(boto3.Session(region_name=HOME)), Names("seeder"))
    assert [(item.outcome, "sso login" in item.todo) for item in found] == [("miss", True)]
    findings, _ = plan(Aws(boto3.Session("a", "b", region_name=HOME)), Names("seeder"))
    assert findings[0].outcome == "ok"


def test_a_command_that_finds_no_stack_says_what_to_do(cloud: LocalCloud) -> None:
    with pytest.raises(
        CommandError, match=r"no stack 'other' in us-east-1; deploy it .* or give --stack"
    ) as error:
        stack_outputs(boto3.Session("a", "b", region_name=HOME), "other")
    assert error.value.status == 1
    cloud.client("cloudformation").create_stack(
        StackName="other",
        TemplateBody=json.dumps(
            {
                "Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {}}},
                "Outputs": {"Here": {"Value": "x"}},
            }
        ),
    )
    with pytest.raises(
        CommandError, match=r"'other' in us-east-1 \(CREATE_COMPLETE\) has no output FleetArn"
    ):
        stack_outputs(boto3.Session("a", "b", region_name=HOME), "other")


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SEEDER, "doctor", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | variables,
    )


def test_the_command_exits_1_on_a_miss_and_prints_ascii_where_nobody_watches(cloud: LocalCloud) -> None:
    server = cloud.serve()
    try:
        done = command(**server.environment())
        assert (done.returncode, done.stderr) == (1, "")
        assert "  x stack: there is no stack 'seeder' in us-east-1" in done.stdout
        assert "    -> run: sam build && sam deploy --guided" in done.stdout
        assert done.stdout.isascii()
        result = json.loads(command("--json", "--stack", "none", **server.environment()).stdout)
    finally:
        server.stop()
    assert result["summary"]["miss"] == 1
    missed = [check for check in result["checks"] if check["outcome"] == "miss"]
    assert [(check["group"], check["name"]) for check in missed] == [("Deployment", "stack")]
    assert all(set(check) == {"group", "name", "outcome", "found", "todo"} for check in result["checks"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one"], "'one' is no pair of buckets; give SOURCE and DESTINATION"),
        (["one", "two", "three"], "'one two three' is no pair of buckets"),
        (["same", "same"], "destination: 'same' is also the source"),
        (["Upper", "two"], "source: 'Upper' is not a bucket name"),
        (["--prefix", "a/"], "--prefix 'a/' is of a pair"),
        (["--bucket", "b", "one", "two"], "--bucket 'b' looks at one bucket"),
    ],
)
def test_bad_input_exits_2_with_one_line(arguments: list[str], message: str) -> None:
    done = command(*arguments, AWS_REGION=HOME)
    assert (done.returncode, message in done.stderr, len(done.stderr.splitlines())) == (2, True, 1)


def test_an_s3_compatible_server_is_looked_at_by_what_it_can_do(real: Server) -> None:
    s3 = real.s3
    s3.create_bucket(Bucket="here")
    s3.put_bucket_versioning(Bucket="here", VersioningConfiguration={"Status": "Enabled"})
    variables = {
        "AWS_ENDPOINT_URL": s3.meta.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": HOME,
    }
    done = command("--bucket", "here", "--json", **variables)
    found: dict[str, Any] = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert (done.returncode, found["conditional-writes"]["outcome"]) == (0, "ok"), found
    assert "Enabled" in found["versioning"]["found"]
    left = s3.list_object_versions(Bucket="here")
    assert ("Versions" in left, "DeleteMarkers" in left) == (False, False)
    gone = command("--bucket", "gone", **variables)
    assert (gone.returncode, "bucket gone does not exist" in gone.stdout) == (1, True)

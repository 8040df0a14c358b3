"""A deployed stack for the tests of `seeder doctor`, one for each module."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from localcloud.cloud import LocalCloud
from seeder_cli.checks.aws import Aws
from tests.e2e.conftest import TEMPLATE
from tests.e2e.deployed import EUROPE, HOME, Deployed, LeapingClock
from tests.e2e.doctor.doctoring import Doctor


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    # No trail, so that the rules of these tests start nothing.
    with LocalCloud(LeapingClock(1000), trail=False) as cloud:
        yield Deployed(cloud, cloud.deploy(TEMPLATE, parameters={"BucketNames": "*bucket*"}))


@pytest.fixture(scope="module")
def doctor(deployed: Deployed) -> Doctor:
    return Doctor(deployed, Aws(boto3.Session("a", "b", region_name=HOME)))


@pytest.fixture
def pair(deployed: Deployed) -> tuple[str, str]:
    """A source with a rule to a destination in another region."""
    source, destination = deployed.bucket(HOME), deployed.bucket(EUROPE)
    deployed.add_rule(source, destination)
    return source, destination


@pytest.fixture
def trail(doctor: Doctor) -> Iterator[str]:
    """A trail that logs management events."""
    s3, cloudtrail = doctor.client("s3"), doctor.client("cloudtrail")
    s3.create_bucket(Bucket="trail-logs")
    cloudtrail.create_trail(Name="own", S3BucketName="trail-logs")
    cloudtrail.start_logging(Name="own")
    yield "own"
    cloudtrail.delete_trail(Name="own")
    s3.delete_bucket(Bucket="trail-logs")

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.events.models import EventPattern
from moto.server import create_backend_app
from werkzeug.test import Client

from localcloud import cloudtrail
from tests.unit.localcloud.replication_world import ROLE, World, client, rule, world

if TYPE_CHECKING:
    from collections.abc import Iterator

Event = dict[str, Any]


class Trail:
    def __init__(self) -> None:
        self.events: list[tuple[Event, str]] = []
        self.threads: list[threading.Thread] = []

    def __call__(self, event: Event, region: str) -> None:
        self.events.append((json.loads(json.dumps(event)), region))
        self.threads.append(threading.current_thread())

    @property
    def last(self) -> Event:
        return self.events[-1][0]

    @property
    def detail(self) -> Event:
        return dict(self.last["detail"])


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
def cloud(trail: Trail) -> Iterator[World]:
    with world() as made:
        numbers = iter(range(1, 10_000))
        cloudtrail.install(
            made.patches, trail, made.clock, lambda: f"00000000-0000-4000-8000-{next(numbers):012}"
        )
        yield made


def parameters(*rules: Event) -> Event:
    """Return what `requestParameters` must be for rules of the source bucket."""
    return {
        "bucketName": "src",
        "Host": "src.s3.us-east-1.amazonaws.com",
        "replication": "",
        "ReplicationConfiguration": {
            "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
            "Role": ROLE,
            "Rule": rules[0] if len(rules) == 1 else list(rules),
        },
    }


def test_the_event_of_one_rule(cloud: World, trail: Trail) -> None:
    cloud.configure(rule(Filter={"Prefix": ""}))

    detail = trail.last.pop("detail")
    agent = detail.pop("userAgent")

    assert trail.events == [
        (
            {
                "version": "0",
                "id": "00000000-0000-4000-8000-000000000002",
                "detail-type": "AWS API Call via CloudTrail",
                "source": "aws.s3",
                "account": "123456789012",
                "time": "2026-01-01T00:00:00Z",
                "region": "us-east-1",
                "resources": [],
            },
            "us-east-1",
        )
    ]
    assert agent.startswith("[Boto3/")
    assert detail == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "Root",
            "principalId": "123456789012",
            "arn": "arn:aws:iam::123456789012:root",
            "accountId": "123456789012",
            "accessKeyId": "AKIAEXAMPLE",
        },
        "eventTime": "2026-01-01T00:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutBucketReplication",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "requestParameters": parameters(rule(Filter={"Prefix": ""})),
        "responseElements": None,
        "additionalEventData": {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"},
        "requestID": "0000000000004000",
        "eventID": "00000000-0000-4000-8000-000000000001",
        "readOnly": False,
        "resources": [{"accountId": "123456789012", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::src"}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management",
    }


def test_several_rules_are_a_list_and_an_empty_filter_a_string(cloud: World, trail: Trail) -> None:
    cloud.buckets("two")
    cloud.configure(rule(), rule("two", 2))

    assert trail.detail["requestParameters"] == parameters(
        {**rule(), "Filter": ""}, {**rule("two", 2), "Filter": ""}
    )


def test_a_repeated_tag_is_a_list_and_a_single_one_an_object(cloud: World, trail: Trail) -> None:
    red, cold = {"Key": "team", "Value": "red"}, {"Key": "tier", "Value": "2"}
    cloud.configure(rule(Filter={"And": {"Tags": [red]}}))
    one = trail.detail["requestParameters"]["ReplicationConfiguration"]["Rule"]["Filter"]
    cloud.configure(rule(Filter={"And": {"Prefix": "p", "Tags": [red, cold]}}))
    two = trail.detail["requestParameters"]["ReplicationConfiguration"]["Rule"]["Filter"]

    assert one == {"And": {"Tag": red}}
    assert two == {"And": {"Prefix": "p", "Tag": [red, cold]}}


def test_a_configuration_of_more_than_100_kilobytes_has_no_request_parameters(
    cloud: World, trail: Trail
) -> None:
    names = [f"x{number:04}-{'y' * 200}" for number in range(400)]
    cloud.configure(*(rule(priority=number, ID=name) for number, name in enumerate(names)))

    assert "requestParameters" not in trail.detail
    assert "errorCode" not in trail.detail


def test_a_configuration_just_below_the_limit_has_them(cloud: World, trail: Trail) -> None:
    cloud.configure(*(rule(priority=number, ID=f"rule-{number}") for number in range(400)))

    assert len(trail.detail["requestParameters"]["ReplicationConfiguration"]["Rule"]) == 400


def test_a_refused_call_carries_its_error(cloud: World, trail: Trail) -> None:
    with pytest.raises(ClientError):
        cloud.configure(rule("nowhere"))

    assert trail.detail["errorCode"] == "InvalidRequest"
    assert trail.detail["errorMessage"] == "Destination bucket must exist."
    assert trail.detail["requestParameters"]["bucketName"] == "src"
    assert trail.detail["responseElements"] is None


def test_a_call_on_a_missing_bucket_is_seen_in_the_region_called(trail: Trail, cloud: World) -> None:
    with pytest.raises(ClientError):
        client("s3", "eu-west-1").delete_bucket_replication(Bucket="missing")

    assert trail.detail["errorCode"] == "NoSuchBucket"
    assert trail.events[-1][1] == "eu-west-1"


def test_the_event_appears_in_the_region_of_the_bucket(cloud: World, trail: Trail) -> None:
    far = client("s3", "eu-west-1")
    far.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    far.put_bucket_versioning(Bucket="far", VersioningConfiguration={"Status": "Enabled"})
    cloud.configure(rule(), source="far")

    event, region = trail.events[-1]

    assert region == event["region"] == event["detail"]["awsRegion"] == "eu-west-1"
    assert event["detail"]["requestParameters"]["Host"] == "far.s3.eu-west-1.amazonaws.com"


def test_deleting_the_configuration_is_an_event_of_its_own(cloud: World, trail: Trail) -> None:
    cloud.configure(rule())
    cloud.s3.delete_bucket_replication(Bucket="src")

    assert trail.detail["eventName"] == "DeleteBucketReplication"
    assert trail.detail["requestParameters"] == {
        "bucketName": "src",
        "Host": "src.s3.us-east-1.amazonaws.com",
        "replication": "",
    }


def test_the_same_configuration_put_again_is_an_event_again(cloud: World, trail: Trail) -> None:
    cloud.configure(rule())
    cloud.configure(rule())

    ids = [event["detail"]["eventID"] for event, _ in trail.events]

    assert len(set(ids)) == 2


def test_other_calls_are_no_events(cloud: World, trail: Trail) -> None:
    cloud.put()
    cloud.configure(rule())
    cloud.s3.get_bucket_replication(Bucket="src")
    cloud.s3.put_bucket_tagging(Bucket="src", Tagging={"TagSet": []})

    assert len(trail.events) == 1


def test_the_event_is_emitted_once_the_configuration_can_be_read(cloud: World) -> None:
    read = []

    def look(event: Event, region: str) -> None:
        read.append(cloud.s3.get_bucket_replication(Bucket="src")["ReplicationConfiguration"]["Role"])

    cloudtrail.install(cloud.patches, look, cloud.clock)
    cloud.configure(rule())

    assert read == [ROLE]


def test_the_event_is_emitted_in_the_thread_of_the_call(cloud: World, trail: Trail) -> None:
    cloud.configure(rule())

    assert trail.threads == [threading.current_thread()]


def signed_in(credentials: dict[str, str]) -> World:
    session = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
    )
    return World(s3=session.client("s3", region_name="us-east-1"))


def test_the_identity_of_an_assumed_role(cloud: World, trail: Trail) -> None:
    role = client("iam").create_role(RoleName="deployer", Path="/team/", AssumeRolePolicyDocument="{}")[
        "Role"
    ]
    credentials = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
    signed_in(credentials).configure(rule())

    identity = trail.detail["userIdentity"]
    session = identity.pop("sessionContext")

    assert identity == {
        "type": "AssumedRole",
        "principalId": f"{role['RoleId']}:me",
        "arn": "arn:aws:sts::123456789012:assumed-role/deployer/me",
        "accountId": "123456789012",
        "accessKeyId": credentials["AccessKeyId"],
    }
    assert session["sessionIssuer"] == {
        "type": "Role",
        "principalId": role["RoleId"],
        "arn": "arn:aws:iam::123456789012:role/team/deployer",
        "accountId": "123456789012",
        "userName": "deployer",
    }
    assert set(session["attributes"]) == {"creationDate", "mfaAuthenticated"}


def test_the_identity_of_a_user(cloud: World, trail: Trail) -> None:
    user = client("iam").create_user(UserName="ann")["User"]
    key = client("iam").create_access_key(UserName="ann")["AccessKey"]
    signed_in(key).configure(rule())

    assert trail.detail["userIdentity"] == {
        "type": "IAMUser",
        "principalId": user["UserId"],
        "arn": user["Arn"],
        "accountId": "123456789012",
        "accessKeyId": key["AccessKeyId"],
        "userName": "ann",
    }


def test_calls_to_a_wsgi_server_are_seen_too(cloud: World, trail: Trail) -> None:
    body = (
        f"<ReplicationConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Role>{ROLE}</Role><Rule>"
        "<ID>r</ID><Priority>3</Priority><Status>Enabled</Status><Filter/>"
        "<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>"
        "<Destination><Bucket>arn:aws:s3:::dst</Bucket></Destination></Rule></ReplicationConfiguration>"
    )
    answer = Client(create_backend_app("s3")).put(
        "/src?replication", data=body, headers={"Host": "localhost"}
    )

    assert answer.status_code == 200
    assert trail.detail["requestParameters"]["ReplicationConfiguration"]["Rule"]["Priority"] == 3


@pytest.mark.parametrize(("succeeds", "expected"), [(True, True), (False, False)])
def test_the_usual_event_pattern_takes_successful_calls_only(
    cloud: World, trail: Trail, succeeds: bool, expected: bool
) -> None:
    pattern = EventPattern.load(
        json.dumps(
            {
                "source": ["aws.s3"],
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": {
                    "eventSource": ["s3.amazonaws.com"],
                    "eventName": ["PutBucketReplication"],
                    "errorCode": [{"exists": False}],
                },
            }
        )
    )
    if succeeds:
        cloud.configure(rule())
    else:
        with pytest.raises(ClientError):
            cloud.configure(rule("nowhere"))

    assert pattern.matches_event(trail.last) is expected

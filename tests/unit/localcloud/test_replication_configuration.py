from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from localcloud.replication import configuration, messages
from tests.unit.localcloud.replication_world import ROLE, World, client, rule, v1_rule, world

if TYPE_CHECKING:
    from collections.abc import Iterator

TAG = {"Key": "team", "Value": "red"}
FULL = rule(
    ID="everything",
    Filter={"And": {"Prefix": "p/", "Tags": [TAG, {"Key": "empty", "Value": ""}]}},
    SourceSelectionCriteria={
        "SseKmsEncryptedObjects": {"Status": "Enabled"},
        "ReplicaModifications": {"Status": "Enabled"},
    },
    Destination={
        "Account": "123456789012",
        "StorageClass": "STANDARD_IA",
        "AccessControlTranslation": {"Owner": "Destination"},
        "EncryptionConfiguration": {"ReplicaKmsKeyID": "arn:aws:kms:us-east-1:123456789012:key/k"},
        "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
        "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
    },
)


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        made.buckets("other")
        made.buckets("unversioned", versioned=False)
        yield made


def refusal(cloud: World, *rules: dict[str, Any], source: str = "src") -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        cloud.configure(*rules, source=source)
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(error["Error"]["Code"]), str(error["Error"]["Message"])


@pytest.mark.parametrize(
    "rules",
    [
        [FULL],
        [rule(Filter={})],
        [rule(Filter={"Prefix": ""}), rule(priority=2, Filter={"Tag": TAG}, Status="Disabled")],
        [rule(markers=True), rule("other", 2)],
        [v1_rule("logs/")],
        [v1_rule("logs/"), v1_rule("data/")],
    ],
)
def test_every_field_of_a_configuration_is_given_back(cloud: World, rules: list[dict[str, Any]]) -> None:
    cloud.configure(*rules)

    answer = cloud.s3.get_bucket_replication(Bucket="src")

    assert answer["ReplicationConfiguration"] == {"Role": ROLE, "Rules": rules}


def test_moto_itself_still_drops_the_filter_of_a_rule() -> None:
    with mock_aws():
        bare = World()
        bare.buckets("src", "dst")
        bare.configure(FULL)

        kept = bare.s3.get_bucket_replication(Bucket="src")["ReplicationConfiguration"]["Rules"][0]

    assert kept["Filter"] == {"Prefix": ""}, (
        "moto keeps filters now: localcloud.replication may use moto's answer"
    )


def test_put_replaces_the_whole_configuration(cloud: World) -> None:
    cloud.configure(rule(), rule("other", 2))
    cloud.configure(rule("other", 5))

    rules = cloud.s3.get_bucket_replication(Bucket="src")["ReplicationConfiguration"]["Rules"]

    assert [item["Priority"] for item in rules] == [5]


def test_a_rule_without_id_is_given_one(cloud: World) -> None:
    unnamed = rule()
    del unnamed["ID"]
    cloud.configure(unnamed)

    assert cloud.s3.get_bucket_replication(Bucket="src")["ReplicationConfiguration"]["Rules"][0]["ID"]


@pytest.mark.parametrize("before", ["never configured", "deleted"])
def test_a_bucket_without_configuration_answers_404(cloud: World, before: str) -> None:
    if before == "deleted":
        cloud.configure(rule())
        cloud.s3.delete_bucket_replication(Bucket="src")

    with pytest.raises(ClientError) as caught:
        cloud.s3.get_bucket_replication(Bucket="src")

    assert caught.value.response["Error"]["Code"] == "ReplicationConfigurationNotFoundError"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def without(member: str, of: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in of.items() if name != member}


VERSION = "{} for this version of Cross Region Replication configuration schema"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        pytest.param(
            [without("Priority", rule())], VERSION.format("Priority must be specified"), id="no priority"
        ),
        pytest.param(
            [without("DeleteMarkerReplication", rule())],
            VERSION.format("DeleteMarkerReplication must be specified"),
            id="no delete marker replication",
        ),
        pytest.param(
            [{**v1_rule(), "Priority": 1}],
            VERSION.format("Priority cannot be used"),
            id="priority without filter",
        ),
        pytest.param(
            [{**v1_rule(), "DeleteMarkerReplication": {"Status": "Disabled"}}],
            VERSION.format("DeleteMarkerReplication cannot be used"),
            id="delete markers without filter",
        ),
        pytest.param([rule(), rule("other", 2, ID="dst-1")], "Rule Id must be unique", id="same id"),
        pytest.param([rule(), rule("other", 1)], messages.PRIORITY, id="same priority"),
        pytest.param(
            [v1_rule("a"), v1_rule("b", "other")], messages.ONE_DESTINATION, id="v1, two destinations"
        ),
        pytest.param(
            [rule(Filter={"And": {"Tags": [TAG, {"Key": "team", "Value": "blue"}]}})],
            "Duplicate Tag Keys are not allowed.",
            id="same tag twice",
        ),
        pytest.param(
            [rule(markers=True, Filter={"Tag": TAG})],
            messages.DELETE_MARKERS_WITH_TAGS,
            id="delete markers and tag",
        ),
        pytest.param(
            [rule(markers=True, Filter={"And": {"Prefix": "p", "Tags": [TAG]}})],
            messages.DELETE_MARKERS_WITH_TAGS,
            id="delete markers and tags",
        ),
        pytest.param([rule(Destination={"Bucket": "dst"})], "Invalid bucket ARN.", id="name instead of ARN"),
        pytest.param([rule("nowhere")], "Destination bucket must exist.", id="no destination"),
        pytest.param([rule("src")], messages.SAME_BUCKET, id="itself"),
        pytest.param(
            [rule("unversioned")], "Destination bucket must have versioning enabled.", id="unversioned"
        ),
        pytest.param(
            [rule(SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}})],
            messages.REPLICA_KMS_KEY,
            id="kms without key",
        ),
        pytest.param(
            [rule(Destination={"EncryptionConfiguration": {"ReplicaKmsKeyID": "k"}})],
            messages.KMS_CRITERIA,
            id="key without kms",
        ),
        pytest.param(
            [rule(Destination={"ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}}})],
            messages.TIME_NEEDS_METRICS,
            id="time control without metrics",
        ),
        pytest.param(
            [rule(Destination={"Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 5}}})],
            messages.MINUTES,
            id="not 15 minutes",
        ),
        pytest.param(
            [rule(ExistingObjectReplication={"Status": "Enabled"})],
            messages.EXISTING_OBJECTS,
            id="existing objects",
        ),
    ],
)
def test_an_invalid_configuration_is_refused(cloud: World, rules: list[dict[str, Any]], message: str) -> None:
    assert refusal(cloud, *rules) == ("InvalidRequest", message)

    with pytest.raises(ClientError, match="ReplicationConfigurationNotFoundError"):
        cloud.s3.get_bucket_replication(Bucket="src")


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([], id="no rules"),
        pytest.param([rule(priority=number) for number in range(1001)], id="1001 rules"),
        pytest.param([rule(Status="On")], id="unknown status"),
        pytest.param([rule(Destination={"StorageClass": "COLD"})], id="unknown storage class"),
        pytest.param([rule(Prefix="p")], id="prefix and filter"),
        pytest.param([without("Filter", rule())], id="neither prefix nor filter"),
        pytest.param([rule(Filter={"Prefix": "p", "Tag": TAG})], id="two conditions without And"),
    ],
)
def test_a_configuration_that_does_not_fit_the_schema_is_malformed(
    cloud: World, rules: list[dict[str, Any]]
) -> None:
    assert refusal(cloud, *rules)[0] == "MalformedXML"


@pytest.mark.parametrize("body", [b"", b"<", b"<Other/>", b"<ReplicationConfiguration><Role>r</Role>"])
def test_a_body_that_is_no_configuration_is_malformed(body: bytes) -> None:
    with pytest.raises(Exception, match="MalformedXML"):
        configuration.parse(body)


def test_a_priority_that_is_no_number_is_malformed() -> None:
    rules = b"<Rule><Priority>high</Priority></Rule>"
    body = b"<ReplicationConfiguration><Role>r</Role>%b</ReplicationConfiguration>" % rules

    with pytest.raises(Exception, match="MalformedXML"):
        configuration.parse(body)


def test_a_rule_id_of_more_than_255_characters_is_an_invalid_argument(cloud: World) -> None:
    assert refusal(cloud, rule(ID="x" * 256)) == ("InvalidArgument", messages.RULE_ID_LENGTH)


def test_a_role_that_is_no_arn_is_an_invalid_argument(cloud: World) -> None:
    with pytest.raises(ClientError, match="InvalidArgument"):
        cloud.s3.put_bucket_replication(
            Bucket="src", ReplicationConfiguration={"Role": "replication", "Rules": [rule()]}
        )


def test_a_configuration_of_more_than_two_megabytes_is_too_large() -> None:
    with pytest.raises(Exception, match="MaxMessageLengthExceeded"):
        configuration.parse(b" " * (configuration.MAX_BYTES + 1))


def test_an_unversioned_source_is_refused(cloud: World) -> None:
    code, message = refusal(cloud, rule(), source="unversioned")

    assert code == "InvalidRequest"
    assert message == "Versioning must be 'Enabled' on the bucket to apply a replication configuration"


def test_versioning_of_a_source_cannot_be_suspended(cloud: World) -> None:
    cloud.configure(rule())

    with pytest.raises(ClientError, match="InvalidBucketState"):
        cloud.s3.put_bucket_versioning(Bucket="src", VersioningConfiguration={"Status": "Suspended"})

    cloud.s3.delete_bucket_replication(Bucket="src")
    cloud.s3.put_bucket_versioning(Bucket="src", VersioningConfiguration={"Status": "Suspended"})


def test_a_bucket_in_another_region_can_be_a_destination(cloud: World) -> None:
    client("s3", "eu-west-1").create_bucket(
        Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    client("s3", "eu-west-1").put_bucket_versioning(
        Bucket="far", VersioningConfiguration={"Status": "Enabled"}
    )

    cloud.configure(rule("far"))

    assert cloud.s3.get_bucket_replication(Bucket="src")["ReplicationConfiguration"]["Rules"]

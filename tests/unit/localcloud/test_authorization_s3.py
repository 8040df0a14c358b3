"""Which actions each request to S3 needs, and how a caller is refused that lacks one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from localcloud.cloud import LocalCloud
from tests.keys import TRAPS
from tests.unit.localcloud.roles_world import (
    ACCOUNT,
    acting,
    acting_as,
    all_but,
    allow,
    deny,
    document,
    make_role,
    refused,
)

if TYPE_CHECKING:
    pass

EVERYBODY = {"Principal": "*"}
ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
_numbers = itertools.count()


class World:
    """A versioned bucket with an object `k`, a tagged one `tagged`, and an upload begun of `u` with one part."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.s3 = cloud.client("s3")
        self.bucket = f"bucket-{next(_numbers)}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        put = self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"k")
        self.version, self.etag = put["VersionId"], put["ETag"]
        self.s3.put_object(Bucket=self.bucket, Key="tagged", Body=b"t", Tagging="a=b")
        self.upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="u")["UploadId"]
        part = self.s3.upload_part(Bucket=self.bucket, Key="u", UploadId=self.upload, PartNumber=1, Body=b"p")
        self.parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        self.s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration=ENCRYPTION)
        self.s3.create_bucket(Bucket=f"{self.bucket}-replica")
        self.s3.put_bucket_versioning(
            Bucket=f"{self.bucket}-replica", VersioningConfiguration={"Status": "Enabled"}
        )
        self.replication = {"Role": f"arn:aws:iam::{ACCOUNT}:role/replication", "Rules": [self._rule()]}
        self.s3.put_bucket_replication(Bucket=self.bucket, ReplicationConfiguration=self.replication)

    def _rule(self) -> dict[str, Any]:
        return {
            "ID": "r",
            "Priority": 1,
            "Status": "Disabled",
            "Filter": {},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{self.bucket}-replica"},
        }

    def source(self, key: str, **version: str) -> dict[str, Any]:
        return {"CopySource": {"Bucket": self.bucket, "Key": key, **version}}

    def given(self, operation: str, variant: str) -> dict[str, Any]:
        """Return the parameters of an operation, beside the bucket."""
        version = {"VersionId": self.version}
        upload = {"Key": "u", "UploadId": self.upload}
        named: dict[str, dict[str, Any]] = {
            "": {},
            "k": {"Key": "k"},
            "version": {"Key": "k", **version},
            "attributes": {"Key": "k", "ObjectAttributes": ["ETag"]},
            "write": {"Key": "new", "Body": b"n"},
            "begin": {"Key": "new"},
            "tags": {"Key": "new", "Body": b"n", "Tagging": "a=b"},
            "set tags": {"Key": "k", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
            "if match": {"Key": "k", "Body": b"n", "IfMatch": self.etag},
            "if none match": {"Key": "new2", "Body": b"n", "IfNoneMatch": "*"},
            "copy": {"Key": "c", **self.source("k")},
            "copy version": {"Key": "c", **self.source("k", **version)},
            "copy tagged": {"Key": "c", **self.source("tagged")},
            "copy replacing tags": {"Key": "c", **self.source("tagged"), "TaggingDirective": "REPLACE"},
            "part": {**upload, "PartNumber": 1, "Body": b"p"},
            "copied part": {**upload, "PartNumber": 1, **self.source("tagged")},
            "upload": upload,
            "complete": {**upload, "MultipartUpload": self.parts},
            "versioning": {"VersioningConfiguration": {"Status": "Enabled"}},
            "replication": {"ReplicationConfiguration": self.replication},
        }
        return named[variant]


NEEDS: list[tuple[str, str, str]] = [
    ("get_object", "k", "GetObject"),
    ("get_object", "version", "GetObjectVersion"),
    ("head_object", "k", "GetObject"),
    ("head_object", "version", "GetObjectVersion"),
    ("get_object_tagging", "k", "GetObjectTagging"),
    ("get_object_tagging", "version", "GetObjectVersionTagging"),
    ("get_object_acl", "k", "GetObjectAcl"),
    ("get_object_attributes", "attributes", "GetObjectAttributes GetObject"),
    ("put_object", "write", "PutObject"),
    ("put_object", "tags", "PutObject PutObjectTagging"),
    ("put_object", "if match", "PutObject GetObject"),
    ("put_object", "if none match", "PutObject"),
    ("put_object_tagging", "set tags", "PutObjectTagging"),
    ("copy_object", "copy", "GetObject PutObject"),
    ("copy_object", "copy version", "GetObjectVersion PutObject"),
    ("copy_object", "copy tagged", "GetObject GetObjectTagging PutObject PutObjectTagging"),
    ("copy_object", "copy replacing tags", "GetObject PutObject"),
    ("create_multipart_upload", "begin", "PutObject"),
    ("upload_part", "part", "PutObject"),
    ("upload_part_copy", "copied part", "GetObject PutObject"),
    ("list_parts", "upload", "ListMultipartUploadParts"),
    ("complete_multipart_upload", "complete", "PutObject"),
    ("abort_multipart_upload", "upload", "AbortMultipartUpload"),
    ("delete_object", "k", "DeleteObject"),
    ("delete_object", "version", "DeleteObjectVersion"),
    ("head_bucket", "", "ListBucket"),
    ("list_objects", "", "ListBucket"),
    ("list_objects_v2", "", "ListBucket"),
    ("list_object_versions", "", "ListBucketVersions"),
    ("list_multipart_uploads", "", "ListBucketMultipartUploads"),
    ("get_bucket_location", "", "GetBucketLocation"),
    ("get_bucket_versioning", "", "GetBucketVersioning"),
    ("get_bucket_encryption", "", "GetEncryptionConfiguration"),
    ("get_bucket_replication", "", "GetReplicationConfiguration"),
    ("put_bucket_versioning", "versioning", "PutBucketVersioning"),
    ("put_bucket_replication", "replication", "PutReplicationConfiguration iam:PassRole"),
    ("delete_bucket_replication", "", "PutReplicationConfiguration"),
]
CASES = [
    pytest.param(
        operation,
        variant,
        [a if ":" in a else f"s3:{a}" for a in needed.split()],
        id=f"{operation}-{variant}",
    )
    for operation, variant, needed in NEEDS
]


@pytest.mark.parametrize(("operation", "variant", "needed"), CASES)
def test_an_operation_needs_these_actions_and_no_others(
    cloud: LocalCloud, operation: str, variant: str, needed: list[str]
) -> None:
    world = World(cloud)
    getattr(acting(cloud, allow(*needed))("s3"), operation)(
        Bucket=world.bucket, **world.given(operation, variant)
    )


@pytest.mark.parametrize(("operation", "variant", "needed"), CASES)
def test_an_operation_is_refused_without_any_one_of_its_actions(
    cloud: LocalCloud, operation: str, variant: str, needed: list[str]
) -> None:
    world = World(cloud)
    for missing in needed:
        client = acting(cloud, all_but(missing))("s3")
        head = operation.startswith("head_")
        message = "" if head else f"because no identity-based policy allows the {missing} action"
        with refused(message, code="403" if head else "AccessDenied"):
            getattr(client, operation)(Bucket=world.bucket, **world.given(operation, variant))


def test_a_refusal_reads_as_that_of_s3(cloud: LocalCloud) -> None:
    world = World(cloud)
    client = acting(cloud, allow("s3:GetObject"))("s3")
    with refused(
        f'/test is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::{world.bucket}/a b" '
        "because no identity-based policy allows the s3:PutObject action"
    ):
        client.put_object(Bucket=world.bucket, Key="a b")


def test_a_refusal_says_which_policy_refuses(cloud: LocalCloud) -> None:
    world = World(cloud)
    get = {"Bucket": world.bucket, "Key": "k"}
    with refused("with an explicit deny in an identity-based policy"):
        acting(cloud, allow("s3:*"), deny("s3:Get*"))("s3").get_object(**get)
    with refused("because no permissions boundary allows the s3:GetObject action"):
        acting(cloud, allow("s3:*"), boundary=allow("s3:Put*"))("s3").get_object(**get)
    with refused("with an explicit deny in a permissions boundary"):
        acting(cloud, allow("s3:*"), boundary=deny("s3:*"))("s3").get_object(**get)
    statement = deny("s3:GetObject", resource=f"arn:aws:s3:::{world.bucket}/*", **EVERYBODY)
    world.s3.put_bucket_policy(Bucket=world.bucket, Policy=document(statement))
    with refused("with an explicit deny in a resource-based policy"):
        acting(cloud, allow("s3:*"))("s3").get_object(**get)


def test_an_action_on_another_bucket_or_prefix_is_refused(cloud: LocalCloud) -> None:
    mine, other = World(cloud), World(cloud)
    client = acting(cloud, allow("s3:*", resource=f"arn:aws:s3:::{mine.bucket}/mine/*"))("s3")
    client.put_object(Bucket=mine.bucket, Key="mine/k")
    for bucket, key in ((mine.bucket, "k"), (other.bucket, "mine/k")):
        with refused():
            client.put_object(Bucket=bucket, Key=key)


def test_what_is_missing_is_only_told_to_who_may_list(cloud: LocalCloud) -> None:
    world = World(cloud)
    gone = {"Bucket": world.bucket, "Key": "gone"}
    blind = acting(cloud, allow("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"))("s3")
    with refused("s3:ListBucket"):
        blind.get_object(**gone)
    with refused(code="403"):
        blind.head_object(**gone)
    with refused("s3:ListBucket"):
        blind.copy_object(Bucket=world.bucket, Key="c", **world.source("gone"))
    seeing = acting(cloud, allow("s3:GetObject", "s3:ListBucket"))("s3")
    with refused(code="NoSuchKey", status=404):
        seeing.get_object(**gone)
    with refused(code="404", status=404):
        seeing.head_object(**gone)


def test_a_bucket_that_is_not_there_is_told_to_everybody(cloud: LocalCloud) -> None:
    with refused(code="NoSuchBucket", status=404):
        acting(cloud)("s3").list_objects_v2(Bucket="no-such-bucket")


def test_listing_may_be_tied_to_a_prefix(cloud: LocalCloud) -> None:
    world = World(cloud)
    client = acting(cloud, allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "mine/*"}}))("s3")
    client.list_objects_v2(Bucket=world.bucket, Prefix="mine/x")
    for elsewhere in ({}, {"Prefix": "other/"}):
        with refused("s3:ListBucket"):
            client.list_objects_v2(Bucket=world.bucket, **elsewhere)


@pytest.mark.parametrize("addressing", ["path", "virtual"])
def test_every_awkward_key_is_the_resource_it_is(cloud: LocalCloud, addressing: str) -> None:
    world = World(cloud)
    resources = [f"arn:aws:s3:::{world.bucket}/{key}" for key in TRAPS if "?" not in key]
    client = acting(cloud, allow("s3:PutObject", resource=resources))(
        "s3", s3={"addressing_style": addressing}
    )
    for key in TRAPS:
        if "?" not in key:
            client.put_object(Bucket=world.bucket, Key=key)
        with refused("s3:PutObject"):
            client.put_object(Bucket=world.bucket, Key=f"{key[:1000]}more")


def test_of_several_deletions_only_those_allowed_happen(cloud: LocalCloud) -> None:
    world = World(cloud)
    for key in ("mine/a&b", "yours/a&b", "yours/\n"):
        world.s3.put_object(Bucket=world.bucket, Key=key)
    client = acting(cloud, allow("s3:DeleteObject", resource=f"arn:aws:s3:::{world.bucket}/mine/*"))("s3")
    named = [{"Key": key} for key in ("mine/a&b", "yours/a&b")]
    answer = client.delete_objects(Bucket=world.bucket, Delete={"Objects": named})
    assert [each["Key"] for each in answer["Deleted"]] == ["mine/a&b"]
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [("yours/a&b", "AccessDenied")]
    none = client.delete_objects(Bucket=world.bucket, Delete={"Objects": named[1:]})
    assert "Deleted" not in none
    assert len(none["Errors"]) == 1
    left = {each["Key"] for each in world.s3.list_objects_v2(Bucket=world.bucket)["Contents"]}
    assert left == {"k", "tagged", "yours/a&b", "yours/\n"}


def test_a_policy_is_asked_as_it_is_now(cloud: LocalCloud) -> None:
    world = World(cloud)
    role = make_role(cloud)
    client, iam, name = acting_as(cloud, role)("s3"), cloud.client("iam"), role.rpartition("/")[2]
    with refused():
        client.get_object(Bucket=world.bucket, Key="k")
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allow("s3:GetObject")))
    client.get_object(Bucket=world.bucket, Key="k")
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    with refused():
        client.get_object(Bucket=world.bucket, Key="k")
    iam.delete_role(RoleName=name)
    with refused(code="InvalidClientTokenId"):
        client.get_object(Bucket=world.bucket, Key="k")


def test_a_policy_that_wants_tls_stops_nobody(cloud: LocalCloud) -> None:
    world = World(cloud)
    resources = [f"arn:aws:s3:::{world.bucket}", f"arn:aws:s3:::{world.bucket}/*"]
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    policy = document(deny("s3:*", resource=resources, Condition=insecure, **EVERYBODY))
    world.s3.put_bucket_policy(Bucket=world.bucket, Policy=policy)
    for s3 in (world.s3, acting(cloud, allow("s3:GetObject"))("s3")):
        assert s3.get_object(Bucket=world.bucket, Key="k")["Body"].read() == b"k"


def enforce_conditional_writes(world: World) -> None:
    arn = f"arn:aws:s3:::{world.bucket}/once/*"
    creating = {"Bool": {"s3:ObjectCreationOperation": "true"}}
    none = {"Null": {"s3:if-none-match": "true", "s3:if-match": "true"}, **creating}
    policy = document(deny("s3:PutObject", resource=arn, Condition=none, **EVERYBODY))
    world.s3.put_bucket_policy(Bucket=world.bucket, Policy=policy)


def test_a_policy_that_wants_conditional_writes_binds_owners_and_roles(cloud: LocalCloud) -> None:
    world = World(cloud)
    enforce_conditional_writes(world)
    for number, s3 in enumerate((world.s3, acting(cloud, allow("s3:*"))("s3"))):
        key = f"once/{number}"
        with refused("with an explicit deny in a resource-based policy"):
            s3.put_object(Bucket=world.bucket, Key=key)
        with refused("with an explicit deny in a resource-based policy"):
            s3.copy_object(Bucket=world.bucket, Key=key, **world.source("k"))
        etag = s3.put_object(Bucket=world.bucket, Key=key, IfNoneMatch="*")["ETag"]
        s3.put_object(Bucket=world.bucket, Key=key, IfMatch=etag)
        s3.put_object(Bucket=world.bucket, Key=f"free/{number}")


def test_an_upload_in_parts_is_held_to_conditional_writes_when_it_is_completed(cloud: LocalCloud) -> None:
    world = World(cloud)
    enforce_conditional_writes(world)
    s3 = acting(cloud, allow("s3:*"))("s3")
    place = {"Bucket": world.bucket, "Key": "once/u"}
    place["UploadId"] = s3.create_multipart_upload(**place)["UploadId"]
    part = s3.upload_part(**place, PartNumber=1, Body=b"p")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    with refused("with an explicit deny in a resource-based policy"):
        s3.complete_multipart_upload(**place, MultipartUpload=parts)
    s3.complete_multipart_upload(**place, MultipartUpload=parts, IfNoneMatch="*")


def test_an_owner_can_always_take_a_policy_back(cloud: LocalCloud) -> None:
    world = World(cloud)
    resources = [f"arn:aws:s3:::{world.bucket}", f"arn:aws:s3:::{world.bucket}/*"]
    world.s3.put_bucket_policy(
        Bucket=world.bucket, Policy=document(deny("s3:*", resource=resources, **EVERYBODY))
    )
    with refused():
        world.s3.get_object(Bucket=world.bucket, Key="k")
    world.s3.delete_bucket_policy(Bucket=world.bucket)
    world.s3.get_object(Bucket=world.bucket, Key="k")


def test_a_bucket_policy_alone_may_allow_a_role_of_its_account(cloud: LocalCloud) -> None:
    world = World(cloud)
    role = make_role(cloud)
    statement = allow("s3:GetObject", resource=f"arn:aws:s3:::{world.bucket}/*", Principal={"AWS": role})
    world.s3.put_bucket_policy(Bucket=world.bucket, Policy=document(statement))
    acting_as(cloud, role)("s3").get_object(Bucket=world.bucket, Key="k")


def test_a_kms_key_is_needed_to_read_and_to_write_what_it_encrypts(cloud: LocalCloud) -> None:
    world = World(cloud)
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    put = {"Bucket": world.bucket, "Key": "e", **encrypted}
    without = acting(cloud, allow("s3:*"))("s3")
    with refused("kms:GenerateDataKey"):
        without.put_object(**put)
    acting(cloud, allow("s3:*"), allow("kms:GenerateDataKey", resource=key))("s3").put_object(**put)
    with refused("kms:Decrypt"):
        without.get_object(Bucket=world.bucket, Key="e")
    acting(cloud, allow("s3:*", "kms:Decrypt"))("s3").get_object(Bucket=world.bucket, Key="e")


def test_an_operation_that_is_not_known_is_refused_loudly(cloud: LocalCloud) -> None:
    world = World(cloud)
    with refused("not supported by the local cloud", code="NotImplemented", status=501):
        acting(cloud, allow("*"))("s3").get_bucket_analytics_configuration(Bucket=world.bucket, Id="a")


def test_a_condition_that_is_not_known_is_refused_loudly(cloud: LocalCloud) -> None:
    world = World(cloud)
    statement = allow("s3:GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/a": "b"}})
    with refused("s3:ExistingObjectTag/a: not supported", code="NotImplemented", status=501):
        acting(cloud, statement)("s3").get_object(Bucket=world.bucket, Key="k")


def test_listing_all_buckets_is_an_action_too(cloud: LocalCloud) -> None:
    acting(cloud, allow("s3:ListAllMyBuckets"))("s3").list_buckets()
    with refused("s3:ListAllMyBuckets"):
        acting(cloud, all_but("s3:ListAllMyBuckets"))("s3").list_buckets()


def test_users_do_what_they_like(cloud: LocalCloud) -> None:
    world = World(cloud)
    world.s3.get_object(Bucket=world.bucket, Key="k")
    assert all(each.role.startswith(f"arn:aws:iam::{ACCOUNT}:role/") for each in cloud.recorded())

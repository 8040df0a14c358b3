from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from localcloud.cloud import LocalCloud
from seeder.clients import Clients
from seeder.errors import AccessDenied, InvalidRequest
from seeder.resolution import resolve
from seeder.run import Run
from tests.runs import ACCOUNT, EUROPE, HOME, SETTINGS

names = count(1)
KEY = "12345678-90ab-cdef-1234-567890abcdef"


@pytest.fixture(scope="module")
def session(cloud: LocalCloud) -> boto3.Session:
    return boto3.Session("test", "test", region_name=HOME)


Answers = Callable[[str, Callable[..., Any]], None]


@pytest.fixture
def answers(session: boto3.Session) -> Iterator[Answers]:
    """Have a function answer calls of a kind in AWS's place, where it returns anything."""
    registered: list[tuple[str, Callable[..., Any]]] = []

    def register(call: str, answer: Callable[..., Any]) -> None:
        session.events.register(call, answer)
        registered.append((call, answer))

    yield register
    for call, answer in registered:
        session.events.unregister(call, answer)


Resolve = Callable[..., Run]


@pytest.fixture
def resolved(session: boto3.Session) -> Resolve:
    """Resolve a request for two buckets; `role` is the jobs' role."""

    def call(source: str, destination: str, role: str = SETTINGS.job_role_arn, **asked: Any) -> Run:
        settings = replace(SETTINGS, job_role_arn=role)
        document = {"source": source, "destination": destination, **asked}
        return resolve(document, "run", "2026-01-31T00:00:00Z", ACCOUNT, settings, Clients(session))

    return call


def bucket(cloud: LocalCloud, region: str = HOME, versioned: bool = True, key: str = "") -> str:
    s3, name = cloud.client("s3", region), f"bucket-{next(names)}"
    place = {} if region == HOME else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **place)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if key:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return name


def pair(cloud: LocalCloud, selection: dict[str, Any] | None = None, **members: Any) -> tuple[str, str]:
    """Make two buckets; with a rule between them where what it selects is given."""
    source, destination = bucket(cloud), bucket(cloud, EUROPE)
    if selection is not None:
        rule = {
            "ID": "r",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": selection,
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
            **members,
        }
        configuration = {"Role": f"arn:aws:iam::{ACCOUNT}:role/replication", "Rules": [rule]}
        cloud.client("s3").put_bucket_replication(Bucket=source, ReplicationConfiguration=configuration)
    return source, destination


def test_a_run_knows_its_buckets_and_where_they_are(cloud: LocalCloud, resolved: Resolve) -> None:
    source, destination = bucket(cloud), bucket(cloud, EUROPE, versioned=False)
    run = resolved(source, destination)
    assert (run.source.name, run.source.region, run.source.versioning) == (source, HOME, "Enabled")
    assert (run.destination.region, run.destination.versioning) == (EUROPE, "")
    assert (run.run_id, run.account_id, run.state_bucket, run.source.is_ours) == (
        "run",
        ACCOUNT,
        "state",
        True,
    )


def test_without_a_rule_auto_copies(cloud: LocalCloud, resolved: Resolve) -> None:
    assert resolved(*pair(cloud)).operation == "copy"
    assert resolved(bucket(cloud, versioned=False), bucket(cloud, versioned=False)).operation == "copy"


@pytest.mark.parametrize("operation", ["auto", "replicate"])
@pytest.mark.parametrize(
    ("rule", "prefix"), [("", ""), ("", "logs/"), ("logs/", "logs/"), ("logs/", "logs/2026/")]
)
def test_where_an_enabled_rule_covers_the_pair_it_replicates(
    cloud: LocalCloud, resolved: Resolve, operation: str, rule: str, prefix: str
) -> None:
    buckets = pair(cloud, {"Prefix": rule})
    assert resolved(*buckets, operation=operation, prefix=prefix).operation == "replicate"


def test_who_asks_for_a_copy_gets_one_whatever_the_rules(cloud: LocalCloud, resolved: Resolve) -> None:
    assert resolved(*pair(cloud, {"Prefix": ""}), operation="copy").operation == "copy"


NOT_COVERING: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"Prefix": "logs/"}, {}),
    ({"Prefix": "logs/"}, {"prefix": "log"}),
    ({"Tag": {"Key": "k", "Value": "v"}}, {}),
    ({"And": {"Prefix": "", "Tags": [{"Key": "k", "Value": "v"}]}}, {}),
]


@pytest.mark.parametrize(("selection", "asked"), NOT_COVERING)
def test_a_rule_for_a_part_of_the_keys_does_not_cover_them(
    cloud: LocalCloud, resolved: Resolve, selection: dict[str, Any], asked: dict[str, Any]
) -> None:
    buckets = pair(cloud, selection)
    assert resolved(*buckets, **asked).operation == "copy"
    with pytest.raises(InvalidRequest) as caught:
        resolved(*buckets, operation="replicate", **asked)
    keys = f"begin with '{asked['prefix']}'" if asked else "all keys"
    for part in (*buckets, keys, "enable_replication", "'copy'"):
        assert part in str(caught.value)
    assert caught.value.field == "operation"


def test_a_disabled_rule_and_one_to_another_bucket_cover_nothing(
    cloud: LocalCloud, resolved: Resolve
) -> None:
    assert resolved(*pair(cloud, {"Prefix": ""}, Status="Disabled")).operation == "copy"
    source, _ = pair(cloud, {"Prefix": ""})
    assert resolved(source, bucket(cloud)).operation == "copy"


def test_to_replicate_without_any_rule_is_refused(cloud: LocalCloud, resolved: Resolve) -> None:
    with pytest.raises(InvalidRequest, match=r"^operation: 'replicate' needs an enabled rule"):
        resolved(*pair(cloud), operation="replicate")


def test_a_rule_that_is_to_be_added_is_taken_for_there(cloud: LocalCloud, resolved: Resolve) -> None:
    plain = bucket(cloud, versioned=False), bucket(cloud, EUROPE, versioned=False)
    assert resolved(*plain, enable_replication=True).operation == "replicate"


def test_a_run_that_a_rule_started_replicates(cloud: LocalCloud, resolved: Resolve) -> None:
    assert resolved(*pair(cloud), trigger="rule-added", rule_id="r").operation == "replicate"


@pytest.mark.parametrize("field", ["source", "destination"])
def test_a_replication_without_versioning_is_refused_with_the_command_that_helps(
    cloud: LocalCloud, resolved: Resolve, field: str
) -> None:
    buckets = dict(zip(("source", "destination"), pair(cloud), strict=True))
    name, region = buckets[field], HOME if field == "source" else EUROPE
    suspended = {"Status": "Suspended"}
    cloud.client("s3", region).put_bucket_versioning(Bucket=name, VersioningConfiguration=suspended)
    with pytest.raises(
        InvalidRequest, match=f"^{field}: bucket '{name}' has versioning Suspended.*put-bucket-vers"
    ):
        resolved(**buckets, trigger="rule-added", rule_id="r")


@pytest.mark.parametrize("field", ["source", "destination"])
def test_a_bucket_that_is_not_there_is_named(cloud: LocalCloud, resolved: Resolve, field: str) -> None:
    buckets = {"source": bucket(cloud), "destination": bucket(cloud), field: "missing-bucket"}
    with pytest.raises(InvalidRequest, match=f"^{field}: bucket 'missing-bucket' does not exist"):
        resolved(**buckets)


# Another account's buckets.


def refused(code: str, status: int) -> Any:
    """An answer in place of AWS's."""
    parsed = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return SimpleNamespace(status_code=status), parsed


def given_to_another_account(answers: Answers, name: str, hides: bool = False) -> None:
    """Answer for a bucket as S3 does for one of another account, which moto does not tell apart."""

    def head(params: dict[str, Any], **_: Any) -> Any:
        owner = params["headers"].get("x-amz-expected-bucket-owner")
        is_it = params["url_path"].strip("/") == name or f"//{name}." in params["url"]
        return refused("403", 403) if is_it and (hides or owner not in (None, "999999999999")) else None

    answers("before-call.s3.HeadBucket", head)


def test_a_copy_into_another_accounts_bucket_is_refused(
    cloud: LocalCloud, answers: Answers, resolved: Resolve
) -> None:
    source, destination = pair(cloud)
    given_to_another_account(answers, destination)
    with pytest.raises(InvalidRequest) as caught:
        resolved(source, destination)
    assert caught.value.field == "destination"
    for part in (destination, "another account", "'replicate'"):
        assert part in str(caught.value)


def test_a_replication_into_another_accounts_bucket_is_not(
    cloud: LocalCloud, answers: Answers, resolved: Resolve
) -> None:
    source, destination = pair(cloud, {"Prefix": ""})
    given_to_another_account(answers, destination)
    run = resolved(source, destination)
    assert (run.operation, run.destination.is_ours) == ("replicate", False)


def test_a_copy_from_another_accounts_bucket_is_not(
    cloud: LocalCloud, answers: Answers, resolved: Resolve
) -> None:
    source, destination = pair(cloud)
    given_to_another_account(answers, source)
    run = resolved(source, destination)
    assert (run.operation, run.source.is_ours, run.destination.is_ours) == ("copy", False, True)


def test_a_bucket_that_may_not_be_seen_is_a_missing_permission(
    cloud: LocalCloud, answers: Answers, resolved: Resolve
) -> None:
    source, destination = pair(cloud)
    given_to_another_account(answers, destination, hides=True)
    with pytest.raises(AccessDenied):
        resolved(source, destination)


# Buckets encrypted by keys.


def role(cloud: LocalCloud, *statements: dict[str, Any]) -> str:
    iam, name = cloud.client("iam"), f"jobs-{next(names)}"
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"])
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="keys", PolicyDocument=policy)
    return arn


def allow(action: str, region: str = "*", **members: Any) -> dict[str, Any]:
    resource = f"arn:aws:kms:{region}:{ACCOUNT}:key/{KEY}"
    return {"Effect": "Allow", "Action": action, "Resource": resource, **members}


@pytest.mark.parametrize("named", [KEY, f"arn:aws:kms:{HOME}:{ACCOUNT}:key/{KEY}"])
def test_a_copy_from_a_bucket_whose_key_the_role_may_not_use_is_refused(
    cloud: LocalCloud, resolved: Resolve, named: str
) -> None:
    source, destination, jobs = bucket(cloud, key=named), bucket(cloud), role(cloud, allow("kms:Encrypt"))
    with pytest.raises(InvalidRequest) as caught:
        resolved(source, destination, jobs)
    assert caught.value.field == "source"
    for part in (source, f"arn:aws:kms:{HOME}:{ACCOUNT}:key/{KEY}", jobs, "lacks kms:Decrypt", "'replicate'"):
        assert part in str(caught.value)


def test_a_copy_into_a_bucket_whose_key_the_role_may_not_use_is_refused(
    cloud: LocalCloud, resolved: Resolve
) -> None:
    source, destination = bucket(cloud), bucket(cloud, EUROPE, key=KEY)
    with pytest.raises(InvalidRequest, match=f"^destination: .*{EUROPE}:.*lacks kms:GenerateDataKey"):
        resolved(source, destination, role(cloud, allow("kms:Decrypt")))
    with pytest.raises(InvalidRequest, match=f"^destination: .*{EUROPE}:.*lacks kms:GenerateDataKey"):
        resolved(source, destination, role(cloud, allow("kms:GenerateDataKey", HOME)))


def test_an_explicit_deny_is_refused(cloud: LocalCloud, resolved: Resolve) -> None:
    jobs = role(cloud, allow("kms:*"), {**allow("kms:Decrypt"), "Effect": "Deny"})
    with pytest.raises(InvalidRequest, match="lacks kms:Decrypt"):
        resolved(bucket(cloud, key=KEY), bucket(cloud), jobs)


def test_a_copy_between_buckets_whose_keys_the_role_may_use_goes_on(
    cloud: LocalCloud, resolved: Resolve
) -> None:
    jobs = role(cloud, allow("kms:Decrypt", HOME), allow("kms:GenerateDataKey", EUROPE))
    run = resolved(bucket(cloud, key=KEY), bucket(cloud, EUROPE, key=KEY), jobs)
    assert (run.operation, run.source.key, run.destination.key) == ("copy", KEY, KEY)


@pytest.mark.parametrize("alias", ["alias/mine", "alias/aws/s3", f"arn:aws:kms:{HOME}:{ACCOUNT}:alias/mine"])
def test_a_key_named_by_an_alias_is_left_to_the_tasks(
    cloud: LocalCloud, resolved: Resolve, alias: str
) -> None:
    assert resolved(bucket(cloud, key=alias), bucket(cloud, key=alias), role(cloud)).operation == "copy"


def test_a_bucket_without_a_key_of_its_own_needs_no_right(cloud: LocalCloud, resolved: Resolve) -> None:
    source, destination = pair(cloud)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    cloud.client("s3").put_bucket_encryption(
        Bucket=source, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    assert resolved(source, destination, role(cloud)).source.key == ""


def test_a_right_that_depends_on_the_tasks_request_is_left_to_the_tasks(
    cloud: LocalCloud, resolved: Resolve
) -> None:
    through = {"StringEquals": {"kms:ViaService": f"s3.{HOME}.amazonaws.com"}}
    jobs = role(cloud, allow("kms:Decrypt", Condition=through))
    assert resolved(bucket(cloud, key=KEY), bucket(cloud), jobs).operation == "copy"


def test_where_iam_may_not_be_asked_the_tasks_will_tell(
    cloud: LocalCloud, answers: Answers, resolved: Resolve
) -> None:
    answers("before-call.iam.SimulatePrincipalPolicy", lambda **_: refused("AccessDenied", 403))
    assert resolved(bucket(cloud, key=KEY), bucket(cloud), role(cloud)).operation == "copy"


def test_a_replication_asks_nothing_of_the_jobs_role(cloud: LocalCloud, resolved: Resolve) -> None:
    source, destination = pair(cloud, {"Prefix": ""})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
    cloud.client("s3").put_bucket_encryption(
        Bucket=source, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    assert resolved(source, destination, role(cloud)).operation == "replicate"


def test_nothing_is_changed(cloud: LocalCloud, answers: Answers, resolved: Resolve) -> None:
    source, destination = bucket(cloud, versioned=False), bucket(cloud, EUROPE, versioned=False)
    called: list[str] = []
    answers("before-call.*", lambda model, **_: called.append(model.name))
    resolved(source, destination, enable_replication=True)
    assert {name[:3] for name in called} <= {"Get", "Hea"}


# Roles that are yet to be made.

UNCOVERED = (
    rf".*arn:aws:kms:{HOME}:{ACCOUNT}:key/{KEY}.* which the roles that this stack makes may not use "
    rf".*KmsKeyId is 'none'.*KmsKeyId={KEY} or \*"
)


@pytest.mark.parametrize("field", ["source", "destination"])
def test_a_key_that_no_role_of_the_stack_may_use_is_refused(
    cloud: LocalCloud, resolved: Resolve, field: str
) -> None:
    buckets = {"source": bucket(cloud), "destination": bucket(cloud), field: bucket(cloud, key=KEY)}
    with pytest.raises(InvalidRequest, match=f"^{field}: {UNCOVERED}"):
        resolved(*buckets.values(), role="")


@pytest.mark.parametrize("parameter", ["*", KEY])
def test_a_key_that_the_stacks_parameter_covers_is_not_and_iam_is_not_asked(
    cloud: LocalCloud, session: boto3.Session, answers: Answers, parameter: str
) -> None:
    called: list[str] = []
    answers("before-call.iam.*", lambda model, **_: called.append(model.name))
    document = {"source": bucket(cloud, key=KEY), "destination": bucket(cloud, key=KEY)}
    settings = replace(SETTINGS, job_role_arn="", kms_key_id=parameter)
    run = resolve(document, "run", "2026-01-31T00:00:00Z", ACCOUNT, settings, Clients(session))
    assert (run.operation, called) == ("copy", [])


def test_a_key_of_replicas_must_be_covered_too_and_then_the_sources(
    cloud: LocalCloud, resolved: Resolve
) -> None:
    replica = f"arn:aws:kms:{HOME}:{ACCOUNT}:key/{KEY}"
    asked = {"enable_replication": True, "replica_kms_key": replica}
    with pytest.raises(InvalidRequest, match=f"^replica_kms_key: {UNCOVERED}"):
        resolved(bucket(cloud), bucket(cloud), **asked)


def test_a_role_of_the_request_is_asked_about_in_the_stacks_place(
    cloud: LocalCloud, session: boto3.Session
) -> None:
    own = role(cloud, allow("kms:Encrypt"))
    settings = replace(SETTINGS, job_role_arn="", role_path="/")
    asked = {"source": bucket(cloud, key=KEY), "destination": bucket(cloud)}

    def resolving(arn: str) -> Run:
        given = {**asked, "job_role_arn": arn}
        return resolve(given, "run", "2026-01-31T00:00:00Z", ACCOUNT, settings, Clients(session))

    with pytest.raises(InvalidRequest, match=r"^job_role_arn: this stack may not pass"):
        resolving(own)
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName=f"own-{next(names)}", Path="/jobs/", AssumeRolePolicyDocument="{}")[
        "Role"
    ]["Arn"]
    with pytest.raises(InvalidRequest, match=r"^source: .*lacks kms:Decrypt"):
        resolving(arn)

"""`seeder policy` and `seeder prune`, as somebody runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder import roles
from seeder.clients import Clients
from seeder.roles import policies
from seeder.roles.plans import job_plan
from seeder_cli.errors import CommandError
from seeder_cli.policy import policy
from seeder_cli.prune import prune
from tests.runs import ACCOUNT, EUROPE, HOME, SETTINGS, run_of

OURS, THEIRS = "111122223333", "444455556666"
KEY = f"arn:aws:kms:{EUROPE}:{ACCOUNT}:key/12345678-90ab-cdef-1234-567890abcdef"
PATH = f"/seeder/{HOME}/"


def told(*arguments: str, command: Any = policy, **options: Any) -> Result:
    return CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=False, **options)


def printed(*arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(told("src", "dst", "--json", *arguments).output)
    return document


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("AWS is called")

    monkeypatch.setattr(boto3.Session, "client", refuse)


@pytest.mark.usefixtures("no_aws")
def test_the_policies_are_those_that_the_application_makes() -> None:
    run = run_of()
    plan = job_plan(run, replace(SETTINGS, copy_function_arn="arn:aws:lambda:us-east-1:1:function:f"), HOME)
    made = json.loads(
        told(
            *("source", "destination", "--json", "--operation", "copy", "--state-bucket", "state"),
            *("--destination-account", ACCOUNT, "--copy-function", "arn:aws:lambda:us-east-1:1:function:f"),
        ).output
    )
    assert made["job_role"]["trust"] == plan.trust
    wanted = policies.widened(plan.policies["large"], plan.policies["copy"])
    assert made["job_role"]["permissions"] == wanted
    assert "replication_role" not in made
    assert made["other_accounts"] == []


@pytest.mark.usefixtures("no_aws")
def test_a_replication_has_a_role_of_its_own_with_the_options_asked_for() -> None:
    made = printed("--source-account", OURS, "--prefix", "a*", "--no-delete-markers", "--owner-override")
    text = json.dumps(made["replication_role"]["permissions"])
    assert "arn:aws:s3:::dst/a${*}*" in text
    assert "ReplicateDelete" not in text
    assert "ObjectOwnerOverrideToBucketOwner" in text
    assert made["replication_role"]["trust"]["Statement"][0]["Condition"]["StringEquals"] == {
        "aws:SourceAccount": OURS,
        "aws:SourceArn": "arn:aws:s3:::src",
    }


@pytest.mark.usefixtures("no_aws")
@pytest.mark.parametrize(("operation", "owner"), [("replicate", "destination"), ("copy", "source")])
def test_the_owner_of_a_bucket_in_another_account_is_told_what_to_add(operation: str, owner: str) -> None:
    accounts = ("--source-account", OURS, "--destination-account", THEIRS)
    key = f"arn:aws:kms:{HOME}:{THEIRS}:key/1"
    grants = printed(*accounts, "--operation", operation, f"--{owner}-kms", key)["other_accounts"]
    bucket = {"source": "src", "destination": "dst"}[owner]
    assert [(item["owner"], item["place"]) for item in grants] == [
        (owner, f"the bucket policy of {bucket}"),
        (owner, f"the key policy of {key}"),
    ]
    us = THEIRS if operation == "copy" else OURS
    assert all(f":iam::{us}:root" in json.dumps(item["policy"]) for item in grants)


@pytest.mark.usefixtures("no_aws")
def test_every_heading_says_who_adds_it_where_and_every_document_is_json() -> None:
    output = told("src", "dst", "--source-account", OURS, "--destination-account", THEIRS).output
    first, *parts = output.split("\n\n# ")
    assert first == "# Replace STATE_BUCKET below, or give the options of `seeder policy --help`."
    headings = [part.partition("\n")[0] for part in parts]
    assert headings == [
        "You: the trust policy of the jobs' role",
        "You: a permissions policy of the jobs' role",
        "You: the trust policy of the replication role",
        "You: a permissions policy of the replication role",
        "The owner of the destination, added to the bucket policy of dst",
    ]
    for part in parts:
        assert json.loads(part.partition("\n")[2])["Version"] == "2012-10-17"


def test_a_key_that_is_no_arn_is_refused() -> None:
    with pytest.raises(CommandError, match="'alias/x' is not the ARN of a KMS key"):
        told("src", "dst", "--source-kms", "alias/x")


# With AWS.


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000)) as running:
        yield running


@pytest.fixture
def session(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return boto3.Session(region_name=HOME)


def made_for(cloud: LocalCloud, session: boto3.Session, source: str) -> str:
    """Make a pair of buckets and its role; return the role's name."""
    iam, s3 = cloud.client("iam"), cloud.client("s3")
    for name in (source, f"{source}-replica"):
        s3.create_bucket(Bucket=name)
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    if not [item for item in iam.list_policies(Scope="Local")["Policies"] if item["Arn"] == boundary]:
        document = policies.document(policies.allow("All", ["*"], ["*"]))
        iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(document))
    settings = replace(SETTINGS, job_role_arn="", stack_name="seeder", role_path=PATH, boundary_arn=boundary)
    run = run_of()
    pair = {"source": source, "destination": f"{source}-replica"}
    sides = {side: getattr(run, side).model_copy(update={"name": name}) for side, name in pair.items()}
    run = run.model_copy(update=sides | {"request": run.request.model_copy(update=pair)})
    return roles.ensure(run, settings, Clients(session)).job.rpartition("/")[2]


def test_looking_finds_regions_and_keys(cloud: LocalCloud, session: boto3.Session) -> None:
    cloud.client("s3").create_bucket(Bucket="looked-src")
    place = {"LocationConstraint": EUROPE}
    europe = cloud.client("s3", EUROPE)
    europe.create_bucket(Bucket="looked-dst", CreateBucketConfiguration=place)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
    europe.put_bucket_encryption(Bucket="looked-dst", ServerSideEncryptionConfiguration={"Rules": [rule]})
    made = json.loads(told("looked-src", "looked-dst", "--look", "--json").output)
    text = json.dumps(made)
    for part in (KEY, f"s3.{EUROPE}.amazonaws.com", ACCOUNT):
        assert part in text
    assert "ACCOUNT_ID" not in text
    assert made["other_accounts"] == []
    with pytest.raises(CommandError, match=r"^source: bucket 'not-there-at-all' does not exist"):
        told("not-there-at-all", "looked-dst", "--look")


@pytest.mark.usefixtures("session")
def test_prune_only_shows_unless_told_yes(cloud: LocalCloud, session: boto3.Session) -> None:
    iam, s3 = cloud.client("iam"), cloud.client("s3")
    gone, kept = made_for(cloud, session, "pruned"), made_for(cloud, session, "stays")
    s3.delete_bucket(Bucket="pruned")
    shown = told("--path", PATH, command=prune)
    assert f"remove  {gone}  pruned → pruned-replica  bucket pruned is gone\n" in shown.output
    assert f"keep    {kept}  stays → stays-replica  not used yet\n" in shown.output
    assert shown.output.endswith(f"2 roles under {PATH}, 1 of them to be removed; 0 pairs to be forgotten\n")
    assert iam.get_role(RoleName=gone)
    done = told("--path", PATH, "--yes", command=prune)
    assert done.output.endswith("1 roles removed, 0 pairs forgotten\n")
    names = [role["RoleName"] for role in iam.list_roles(PathPrefix=PATH)["Roles"]]
    assert names == [kept]
    all_of_them = told("--path", PATH, "--days", "0", "--yes", command=prune)
    assert all_of_them.output.endswith("1 roles removed, 0 pairs forgotten\n")


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("path", ["seeder", "/", "/seeder/eu-west-1/", f"/seeder/{HOME}"])
def test_prune_takes_no_path_but_a_stacks(path: str) -> None:
    with pytest.raises(CommandError, match="give /<stack>/<region>/"):
        told("--path", path, command=prune)


@pytest.mark.usefixtures("session")
def test_prune_without_a_stack_says_what_to_give() -> None:
    with pytest.raises(CommandError, match="there is no stack 'nothing'"):
        told("--stack", "nothing", command=prune)

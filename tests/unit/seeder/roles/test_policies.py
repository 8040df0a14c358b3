from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.iam import Access, Decision, Policy
from seeder.roles import policies
from seeder.roles.policies import Document, Scope, Side, job_policy, pattern, replication_policy, widened
from seeder.run import Kind
from tests.keys import TRAPS

ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/12345678-90ab-cdef-1234-567890abcdef"
THERE = KEY.replace("us-east-1", "eu-west-1")
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:copy"
KINDS: list[Kind] = ["copy", "replicate", "large", "restore"]
MANIFEST, RETRY = "state/runs/r1/manifests/copy.csv", "state/runs/r1/rounds/copy-1.csv"
REPORT = "state/runs/r1/reports/job-1/manifest.json"


def scope(prefix: str = "", **members: Any) -> Scope:
    return Scope(
        account=ACCOUNT,
        source=Side("src", "us-east-1"),
        destination=Side("dst", "eu-west-1"),
        prefix=prefix,
        manifests=("state/runs/*/manifests/*", "state/runs/*/rounds/*"),
        reports=("state/runs/*/reports/*",),
        copy_function=FUNCTION,
    )._replace(**members)


ENCRYPTED = scope(source=Side("src", "us-east-1", (KEY,)), destination=Side("dst", "eu-west-1", (THERE,)))


def may(document: Document, action: str, resource: str, **context: str) -> bool:
    """Evaluate a policy; what S3 tells KMS is in `via` and `object`."""
    keys: dict[str, str | None] = {
        "kms:ViaService": context.get("via"),
        "kms:EncryptionContext:aws:s3:arn": context.get("object"),
    }
    arn = resource if resource.startswith("arn:") else f"arn:aws:s3:::{resource}"
    return Policy(document).decide(Access(action, arn, context=keys)) is Decision.ALLOW


def actions_of(document: Document) -> set[str]:
    given_actions = [item["Action"] for item in document["Statement"]]
    return {action for item in given_actions for action in ([item] if isinstance(item, str) else item)}


@pytest.mark.parametrize("kind", KINDS)
def test_each_job_may_read_its_manifest_and_write_its_report_and_no_other_file_of_a_run(kind: Kind) -> None:
    made = job_policy(scope(), kind)
    assert may(made, "s3:GetObject", MANIFEST)
    assert may(made, "s3:GetObject", RETRY)
    assert may(made, "s3:PutObject", REPORT)
    for action in ("s3:GetObject", "s3:PutObject"):
        assert not may(made, action, "state/runs/r1/run.json")
        assert not may(made, action, "state/datasets/x")
        assert not may(made, action, "state/metastore/pairs.json")
    assert not may(made, "s3:PutObject", MANIFEST)
    assert not may(made, "s3:GetObject", REPORT)


WANTED: dict[Kind, list[tuple[str, str]]] = {
    "copy": [
        ("s3:GetObject", "src/k"),
        ("s3:GetObjectAcl", "src/k"),
        ("s3:GetObjectTagging", "src/k"),
        ("s3:ListBucket", "src"),
        ("s3:PutObject", "dst/k"),
        ("s3:PutObjectAcl", "dst/k"),
        ("s3:PutObjectTagging", "dst/k"),
    ],
    "replicate": [("s3:InitiateReplication", "src/k")],
    "large": [("lambda:InvokeFunction", FUNCTION), ("lambda:InvokeFunction", f"{FUNCTION}:live")],
    "restore": [("s3:RestoreObject", "src/k")],
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_job_may_do_what_its_tasks_do_to_the_pair_alone(kind: Kind) -> None:
    made = job_policy(scope(), kind)
    for action, resource in WANTED[kind]:
        assert may(made, action, resource)
        assert not may(
            made, action, resource.replace("src", "other").replace("dst", "other").replace("copy", "x")
        )
        assert not may(made, action, f"{resource.removesuffix('/k')}-2/k") or kind == "large"
    of_files = {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"}
    assert actions_of(made) == {action for action, _ in WANTED[kind]} | of_files


def test_a_copy_never_writes_the_source_nor_reads_the_destination() -> None:
    made = job_policy(scope(), "copy")
    assert not may(made, "s3:PutObject", "src/k")
    assert not may(made, "s3:GetObject", "dst/k")
    assert not may(made, "s3:ListBucket", "dst")


@pytest.mark.parametrize("kind", ["copy", "replicate", "restore"])
def test_with_a_prefix_only_what_is_under_it_may_be_touched(kind: Kind) -> None:
    made = job_policy(scope("logs/"), kind)
    objects = [(action, resource) for action, resource in WANTED[kind] if resource.endswith("/k")]
    for action, resource in objects:
        assert may(made, action, resource.replace("/k", "/logs/k"))
        assert not may(made, action, resource)
        assert not may(made, action, resource.replace("/k", "/log"))


@pytest.mark.parametrize("prefix", ["a*b/", "what?/", "${aws:username}/", "$5", "*", "${*}", "a${?"])
def test_what_means_something_in_a_policy_means_itself_in_a_prefix(prefix: str) -> None:
    made = job_policy(scope(prefix), "restore")
    assert may(made, "s3:RestoreObject", f"src/{prefix}key")
    for wildcard in ("*", "?"):
        assert wildcard not in prefix or not may(
            made, "s3:RestoreObject", f"src/{prefix.replace(wildcard, 'x')}key"
        )


@given(
    st.sampled_from(TRAPS)
    | st.text(max_size=1024).filter(lambda text: len(text.encode("utf-8", "ignore")) <= 1024)
)
def test_a_pattern_covers_every_key_under_its_prefix_and_is_printable(prefix: str) -> None:
    made = job_policy(scope(prefix), "restore")
    assert may(made, "s3:RestoreObject", f"src/{prefix}")
    assert may(made, "s3:RestoreObject", f"src/{prefix}/and more")
    assert re.fullmatch(r"[\x20-\x7e]*", pattern(prefix))


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=64))
def test_no_pattern_of_printable_ascii_covers_a_key_that_is_not_under_its_prefix(prefix: str) -> None:
    made = job_policy(scope(prefix), "restore")
    for at in range(len(prefix)):
        other = f"{prefix[:at]}{'a' if prefix[at] != 'a' else 'b'}{prefix[at + 1 :]}"
        assert not may(made, "s3:RestoreObject", f"src/{other}key")


@pytest.mark.parametrize("prefix", ["*" * 1024, "k" * 1024, "é*" * 400, "\U0001f600" * 256])
def test_all_policies_of_a_role_fit_in_it_however_long_its_prefix(prefix: str) -> None:
    encrypted = ENCRYPTED._replace(prefix=prefix)
    whole = sum(len(re.sub(r"\s", "", json.dumps(job_policy(encrypted, kind)))) for kind in KINDS)
    assert whole <= 10_240
    assert len(json.dumps(replication_policy(encrypted, owner=True))) <= 10_240


# Keys.


def test_a_key_is_used_through_s3_for_objects_of_its_own_bucket_alone() -> None:
    made = job_policy(ENCRYPTED._replace(prefix="logs/"), "copy")
    here, there = {"via": "s3.us-east-1.amazonaws.com"}, {"via": "s3.eu-west-1.amazonaws.com"}
    for arn in ("arn:aws:s3:::src/logs/k", "arn:aws:s3:::src"):
        assert may(made, "kms:Decrypt", KEY, object=arn, **here)
        assert not may(made, "kms:GenerateDataKey", KEY, object=arn, **here)
        assert not may(made, "kms:Decrypt", KEY, object=arn, **there)
        assert not may(made, "kms:Decrypt", KEY, object=arn)
    assert may(made, "kms:GenerateDataKey", THERE, object="arn:aws:s3:::dst/logs/k", **there)
    for arn in ("arn:aws:s3:::src/k", "arn:aws:s3:::dst/logs/k", "arn:aws:s3:::other/logs/k"):
        assert not may(made, "kms:Decrypt", KEY, object=arn, **here)
    assert not may(made, "kms:Decrypt", KEY[:-1] + "0", object="arn:aws:s3:::src", **here)


@pytest.mark.parametrize("kind", ["replicate", "large", "restore"])
def test_only_copies_use_keys(kind: Kind) -> None:
    assert not any(action.startswith("kms:") for action in actions_of(job_policy(ENCRYPTED, kind)))


def test_where_the_buckets_have_no_keys_none_may_be_used() -> None:
    for made in (job_policy(scope(), "copy"), replication_policy(scope())):
        assert not any(action.startswith("kms:") for action in actions_of(made))


def test_a_key_in_china_is_used_through_the_s3_of_china() -> None:
    side = Side("src", "cn-north-1", ("arn:aws-cn:kms:cn-north-1:111122223333:key/k",))
    made = json.dumps(job_policy(scope(partition="aws-cn", source=side), "copy"))
    assert "s3.cn-north-1.amazonaws.com.cn" in made
    assert "arn:aws:" not in made.replace(FUNCTION, "")


# Replication.

REPLICATION = [
    ("s3:GetReplicationConfiguration", "src"),
    ("s3:ListBucket", "src"),
    ("s3:GetObjectVersionForReplication", "src/logs/k"),
    ("s3:GetObjectVersionAcl", "src/logs/k"),
    ("s3:GetObjectVersionTagging", "src/logs/k"),
    ("s3:ReplicateObject", "dst/logs/k"),
    ("s3:ReplicateTags", "dst/logs/k"),
    ("s3:ReplicateDelete", "dst/logs/k"),
]


def test_replication_may_do_what_the_user_guide_lists_and_nothing_else() -> None:
    made = replication_policy(scope("logs/"))
    for action, resource in REPLICATION:
        assert may(made, action, resource)
        assert not may(made, action, resource.replace("logs/", "log")) or "/" not in resource
        assert not may(made, action, resource.replace("src", "x").replace("dst", "x"))
    assert actions_of(made) == {action for action, _ in REPLICATION}


def test_replication_may_do_more_only_as_options_say() -> None:
    plain, without = replication_policy(scope()), replication_policy(scope(), delete_markers=False)
    assert actions_of(plain) - actions_of(without) == {"s3:ReplicateDelete"}
    owned = replication_policy(scope(), owner=True)
    assert actions_of(owned) - actions_of(plain) == {"s3:ObjectOwnerOverrideToBucketOwner"}
    encrypted = replication_policy(ENCRYPTED)
    assert may(encrypted, "kms:Decrypt", KEY, via="s3.us-east-1.amazonaws.com", object="arn:aws:s3:::src/k")
    assert may(encrypted, "kms:Encrypt", THERE, via="s3.eu-west-1.amazonaws.com", object="arn:aws:s3:::dst/k")
    assert not may(
        encrypted, "kms:Encrypt", KEY, via="s3.us-east-1.amazonaws.com", object="arn:aws:s3:::src/k"
    )


# Trust.


def trusted(document: Document) -> tuple[Any, Any]:
    (statement,) = document["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
    return statement["Principal"], statement.get("Condition")


def test_roles_are_taken_on_by_s3_alone_and_for_this_account_alone() -> None:
    service, condition = trusted(policies.job_trust(ACCOUNT))
    assert service == {"Service": "batchoperations.s3.amazonaws.com"}
    assert condition == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    service, condition = trusted(policies.replication_trust(ACCOUNT, "src", "aws-us-gov"))
    assert service == {"Service": "s3.amazonaws.com"}
    named = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": "arn:aws-us-gov:s3:::src"}
    assert condition == {"StringEquals": named}


# Widening.


def test_a_policy_that_is_wide_enough_stays_as_it_is() -> None:
    made = job_policy(ENCRYPTED, "copy")
    assert widened(made, made) == made
    assert widened({}, made) == made
    more = replication_policy(scope(), owner=True)
    assert widened(more, replication_policy(scope())) == more


def test_widening_takes_nothing_away() -> None:
    here, there = scope(manifests=("state/x/*",)), scope(manifests=("src/seeder/x/*",))
    made = widened(job_policy(here, "copy"), job_policy(there, "copy"))
    for place in ("state", "src/seeder"):
        assert may(made, "s3:GetObjectVersion", f"{place}/x/m.csv")
    assert may(
        widened(replication_policy(ENCRYPTED), replication_policy(scope())), "s3:ReplicateObject", "dst/k"
    )
    kept = widened(replication_policy(ENCRYPTED), replication_policy(scope()))
    assert "kms:Encrypt" in actions_of(kept)
    assert len({item["Sid"] for item in kept["Statement"]}) == len(kept["Statement"])


def test_a_statement_under_other_conditions_is_replaced() -> None:
    moved = ENCRYPTED._replace(source=Side("src", "ap-southeast-2", (KEY,)))
    made = widened(job_policy(ENCRYPTED, "copy"), job_policy(moved, "copy"))
    assert made == job_policy(moved, "copy")

"""The policies of the roles that are made for pairs, put to the independent evaluator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from seeder.roles.policies import Document, Scope, Side, allow, document, job_policy, replication_policy
from seeder.run import Kind
from tests.iam.evaluator import Request, evaluate

ACCOUNT = "111122223333"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/made/session"
KEYS = [f"arn:aws:kms:{region}:{ACCOUNT}:key/1234" for region in ("us-east-1", "eu-west-1")]
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:copy"
PREFIXES = ["", "logs/", "a*b?/", "${aws:username}/", "$", "日本 +%/"]
KINDS: list[Kind] = ["copy", "replicate", "large", "restore"]
ON_SOURCE = {
    "copy": ["s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging"],
    "replicate": ["s3:InitiateReplication"],
    "restore": ["s3:RestoreObject"],
    "replication": [
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionTagging",
    ],
}
ON_DESTINATION = {
    "copy": ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"],
    "replication": ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
}
ON_KEYS = {"copy": ["kms:Decrypt", "kms:GenerateDataKey"], "replication": ["kms:Decrypt", "kms:Encrypt"]}


# As KMS makes keys: the policies of the account's roles decide.
KEY_POLICY: dict[str, Any] = document(
    allow("Account", "kms:*", "*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
)


class Call(NamedTuple):
    action: str
    resource: str
    is_allowed: bool
    context: Mapping[str, str] = MappingProxyType({})


def scope(prefix: str) -> Scope:
    return Scope(
        account=ACCOUNT,
        source=Side("src", "us-east-1", (KEYS[0],)),
        destination=Side("dst", "eu-west-1", (KEYS[1],)),
        prefix=prefix,
        manifests=("state/runs/*/manifests/*", "state/runs/*/rounds/*"),
        reports=("state/runs/*/reports/*",),
        copy_function=FUNCTION,
    )


def policies() -> Iterator[tuple[str, str, Document]]:
    for prefix in PREFIXES:
        for kind in KINDS:
            yield kind, prefix, job_policy(scope(prefix), kind)
        yield "replication", prefix, replication_policy(scope(prefix))


def calls(kind: str, prefix: str) -> Iterator[Call]:
    """What is to be allowed, and what just is not."""
    # A prefix of printable ASCII is exact; where it is not, other characters may stand there.
    other = prefix.replace("*", "x").replace("?", "x").replace("$", "x").replace("logs", "log")
    for bucket, actions in (("src", ON_SOURCE.get(kind, [])), ("dst", ON_DESTINATION.get(kind, []))):
        for action in actions:
            # The evaluator takes a call's own `*` and `?` for wildcards.
            if not {"*", "?"} & set(prefix):
                yield Call(action, f"arn:aws:s3:::{bucket}/{prefix}key", True)
            yield Call(action, f"arn:aws:s3:::other/{prefix}key", False)
            yield Call(action, f"arn:aws:s3:::{'dst' if bucket == 'src' else 'src'}/{prefix}key", False)
            if other != prefix:
                yield Call(action, f"arn:aws:s3:::{bucket}/{other}key", False)
    for key, action in zip(KEYS, ON_KEYS.get(kind, []), strict=False):
        yield Call(action, key, True, {"kms:ViaService": f"s3.{key.split(':')[3]}.amazonaws.com"})
        yield Call(action, key, False, {"kms:ViaService": "ec2.us-east-1.amazonaws.com"})
        yield Call(action, f"{key}5", False, {"kms:ViaService": f"s3.{key.split(':')[3]}.amazonaws.com"})
        yield Call(action, key, False)
    if kind != "replication":
        yield Call("s3:GetObject", "arn:aws:s3:::state/runs/r/manifests/m.csv", True)
        yield Call("s3:GetObject", "arn:aws:s3:::state/runs/r/run.json", False)
        yield Call("s3:PutObject", "arn:aws:s3:::state/runs/r/reports/job-1/manifest.json", True)
        yield Call("s3:PutObject", "arn:aws:s3:::state/metastore/pairs.json", False)
        yield Call("lambda:InvokeFunction", FUNCTION, kind == "large")
    for action in ("s3:DeleteObject", "s3:PutBucketPolicy", "iam:PassRole", "sts:AssumeRole"):
        resource = {"s3:DeleteObject": "arn:aws:s3:::src/k", "s3:PutBucketPolicy": "arn:aws:s3:::src"}
        yield Call(action, resource.get(action, f"arn:aws:iam::{ACCOUNT}:role/any"), False)


def _without_encryption_context(made: Document) -> Document:
    """Leave out the condition key that the evaluator does not know, for the name in it has colons.

    The local cloud's own evaluator knows it (tests/unit/seeder/test_policies.py).
    """
    copied: Document = json.loads(json.dumps(made))
    for statement in copied["Statement"]:
        statement.get("Condition", {}).get("StringLike", {}).pop("kms:EncryptionContext:aws:s3:arn", None)
    return copied


def _request(call: Call, made: Document) -> Request:
    of_key = KEY_POLICY if call.action.startswith("kms:") else None
    known = _without_encryption_context(made)
    return Request(
        call.action,
        call.resource,
        ROLE,
        [known],
        resource_policy=of_key,
        context=dict(call.context),
    )


def test_each_policy_allows_what_its_jobs_do_and_nothing_beside_it() -> None:
    asked = [
        (_request(call, made), call, prefix)
        for kind, prefix, made in policies()
        for call in calls(kind, prefix)
    ]
    verdicts = evaluate([request for request, _, _ in asked])
    wrong = [
        f"prefix {prefix!r}: {call}"
        for (_, call, prefix), verdict in zip(asked, verdicts, strict=True)
        if verdict.allowed != call.is_allowed
    ]
    assert len(asked) > 400
    assert wrong == []

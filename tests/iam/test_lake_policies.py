"""Bucket policies of a lake, put to the independent evaluator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from seeder.lake.policies import Rules, bucket_arn, merged, statements
from tests.iam.evaluator import Request, evaluate

ACCOUNT = "111122223333"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/writer/session"
WRITER, EXEMPT = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("writer", "migration"))
LAKE = bucket_arn("lake")
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
CREATES, STEP = {"s3:ObjectCreationOperation": "true"}, {"s3:ObjectCreationOperation": "false"}
NEW, SWAP = CREATES | {"s3:if-none-match": "*"}, CREATES | {"s3:if-match": '"etag"'}
COPY, REPORT = {"s3:x-amz-copy-source": "other/key"}, "runs/r/reports/job-1/manifest.json"

RULES = {
    "prefix": Rules(tls=True),
    "bucket": Rules(level="bucket", excluded=("runs/",), tls=True),
    "exempt": Rules(exempt=(EXEMPT,), tls=True),
    "never": Rules(deletes="never", tls=True),
}


class Call(NamedTuple):
    """`allowed` is what is wanted of each of `rules`."""

    name: str
    action: str
    key: str
    context: dict[str, str]
    allowed: bool
    rules: str = "prefix bucket exempt never"


def calls() -> Iterator[Call]:
    # CopyObject asks for s3:PutObject as PutObject does, and so does what completes an upload.
    for kind, more in (("put", {}), ("copy", COPY), ("complete", {})):
        for key in ("datasets/a", "datasets/d/year=2026/a, b+c%.csv"):
            yield Call(kind, "PutObject", key, CREATES | more, False)
            yield Call(f"{kind}, if-match", "PutObject", key, SWAP | more, False)
            yield Call(f"{kind}, if-none-match", "PutObject", key, NEW | more, True)
        yield Call(kind, "PutObject", "metastore/r.json", CREATES | more, False)
        yield Call(f"{kind}, if-match", "PutObject", "metastore/r.json", SWAP | more, True)
        yield Call(f"{kind}, if-none-match", "PutObject", "metastore/r.json", NEW | more, True)
    for key in ("datasets/a", "metastore/r.json"):
        yield Call("begin, part or copied part", "PutObject", key, STEP, True)
        yield Call("abort", "AbortMultipartUpload", key, {}, True)
        yield Call("replicate", "ReplicateObject", key, {}, True)
        yield Call("replicate a deletion", "ReplicateDelete", key, {}, True)
        yield Call("read", "GetObject", key, {}, True)
        yield Call("tag", "PutObjectTagging", key, {}, True)
        yield Call("delete", "DeleteObject", key, {}, False)
        yield Call(
            "delete, if-match", "DeleteObject", key, {"s3:if-match": '"e"'}, True, "prefix bucket exempt"
        )
        yield Call("delete, if-match", "DeleteObject", key, {"s3:if-match": '"e"'}, False, "never")
        yield Call("delete a version", "DeleteObjectVersion", key, {}, False)
    for key in (REPORT, "runs/r/manifests/copy.csv", "runs/r/run.json"):
        yield Call("put", "PutObject", key, CREATES, True)
        yield Call("delete", "DeleteObject", key, {}, True)
    yield Call("put", "PutObject", "other/a", CREATES, True, "prefix exempt never")
    yield Call("put", "PutObject", "other/a", CREATES, False, "bucket")
    yield Call("put, if-none-match", "PutObject", "other/a", NEW, True, "bucket")
    yield Call("list", "ListBucket", "", {}, True)


def request(call: Call, rules: Rules, who: str = SESSION, **more: str) -> Request:
    context = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"} | call.context | more
    resource = f"{LAKE}/{call.key}" if call.key else LAKE
    policy = merged({}, statements(LAKE, rules))
    return Request(f"s3:{call.action}", resource, who, [ALL], resource_policy=policy, context=context)


@pytest.mark.parametrize("rules", RULES)
def test_whoever_writes_without_its_condition_is_denied_and_nobody_else(rules: str) -> None:
    asked = [call for call in calls() if rules in call.rules.split()]
    verdicts = evaluate([request(call, RULES[rules]) for call in asked])
    wrong = [call for call, verdict in zip(asked, verdicts, strict=True) if verdict.allowed != call.allowed]
    assert wrong == []
    denied = [verdict.decision for call, verdict in zip(asked, verdicts, strict=True) if not call.allowed]
    assert set(denied) == {"ExplicitlyDenied"}
    assert all(not verdict.ignored & {"s3:if-match", "s3:if-none-match"} for verdict in verdicts)


def test_who_is_exempt_writes_as_they_like_but_not_without_tls() -> None:
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/migration/session"
    asked = [call for call in calls() if "exempt" in call.rules.split()]
    for role, session in ((EXEMPT, who), (WRITER, SESSION)):
        named = {"aws:PrincipalArn": role}
        verdicts = evaluate([request(call, RULES["exempt"], session, **named) for call in asked])
        told = [verdict.allowed for verdict in verdicts]
        assert told == [call.allowed or role == EXEMPT for call in asked]
    plain = [
        request(call, RULES["exempt"], who, **{"aws:PrincipalArn": EXEMPT, "aws:SecureTransport": "false"})
        for call in asked
    ]
    assert not any(verdict.allowed for verdict in evaluate(plain))

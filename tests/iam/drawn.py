"""Policies and calls drawn from the vocabulary of this application's own policies."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

ACCOUNT, OTHER_ACCOUNT = "123456789012", "999999999999"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/seeder/function"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/seeder/boundary"

Value = str | list[str] | None


@dataclass(frozen=True)
class Case:
    """A call with the policies that decide on it.

    `context` has each condition key that AWS gives for the action; None says that this call lacks it.
    """

    action: str
    resource: str
    context: dict[str, Value]
    identity: list[dict[str, Any]]
    boundary: dict[str, Any] | None
    resource_policy: dict[str, Any] | None
    resource_account: str


_STRINGS = {
    "s3:prefix": ["runs/", "runs/a/", "logs/", ""],
    "s3:if-none-match": ["*"],
    "s3:x-amz-acl": ["private", "bucket-owner-full-control"],
    "s3:RequestObjectTag/seeder": ["temporary", "kept"],
    "iam:PassedToService": ["s3.amazonaws.com", "batchoperations.s3.amazonaws.com", "lambda.amazonaws.com"],
    "aws:RequestTag/seeder": ["pair", "other"],
    "aws:SourceAccount": [ACCOUNT, OTHER_ACCOUNT],
}
_ARNS = {
    "iam:PermissionsBoundary": [BOUNDARY, f"arn:aws:iam::{ACCOUNT}:policy/other"],
    "aws:SourceArn": ["arn:aws:s3:::app-1", "arn:aws:s3:::other"],
}
_BOOLS = {"aws:SecureTransport": ["true", "false"]}
_LISTS = {"aws:TagKeys": ["seeder", "owner"], "events:source": ["seeder", "other"]}
_VALUES = {**_STRINGS, **_ARNS, **_BOOLS, **_LISTS}

_ALWAYS = ["aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn"]
_BUCKETS = ["arn:aws:s3:::app-1", "arn:aws:s3:::app-1.logs", "arn:aws:s3:::other", "arn:aws:s3:::state"]
_OBJECTS = [
    f"{bucket}/{key}"
    for bucket in _BUCKETS
    for key in ("a", "runs/1/run.json", 'logs//2/manifests/x y+%,"é😀.csv')
]
_ROLES = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("seeder/pair-1", "seeder/jobs", "Admin")]
_FUNCTIONS = [f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}" for name in ("copy", "copy:1", "other")]
_BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"

# Each action: what it can be on, and the condition keys that AWS gives for it.
_ACTIONS: dict[str, tuple[list[str], list[str]]] = {
    "s3:GetObject": (_OBJECTS, _ALWAYS),
    "s3:GetObjectVersion": (_OBJECTS, _ALWAYS),
    "s3:PutObject": (_OBJECTS, [*_ALWAYS, "s3:if-none-match", "s3:x-amz-acl", "s3:RequestObjectTag/seeder"]),
    "s3:PutObjectTagging": (_OBJECTS, [*_ALWAYS, "s3:RequestObjectTag/seeder"]),
    "s3:AbortMultipartUpload": (_OBJECTS, _ALWAYS),
    "s3:ListBucket": (_BUCKETS, [*_ALWAYS, "s3:prefix"]),
    "s3:GetReplicationConfiguration": (_BUCKETS, _ALWAYS),
    "s3:CreateJob": (["*"], ["aws:SecureTransport", "aws:TagKeys", "aws:RequestTag/seeder"]),
    "iam:PassRole": (_ROLES, ["iam:PassedToService"]),
    "iam:CreateRole": (_ROLES, ["iam:PermissionsBoundary", "aws:RequestTag/seeder", "aws:TagKeys"]),
    "iam:PutRolePolicy": (_ROLES, ["iam:PermissionsBoundary"]),
    "events:PutEvents": ([_BUS], ["events:source"]),
    "lambda:InvokeFunction": (_FUNCTIONS, ["aws:SourceAccount"]),
}
_OTHER_ACTIONS = [
    "s3:*",
    "s3:Get*",
    "s3:*Object",
    "S3:PUTOBJECT",
    "iam:*",
    "iam:P*Role*",
    "lambda:Invoke?unction",
]
_PATTERNS = [
    "arn:aws:s3:::app-*",
    "arn:aws:s3:::app-*/*",
    "arn:aws:s3:::app-?/*",
    "arn:aws:s3:::*/runs/*/run.json",
    "arn:aws:s3:::state/runs/*",
    f"arn:aws:iam::{ACCOUNT}:role/seeder/*",
    f"arn:aws:iam::{ACCOUNT}:role/*-?",
    f"arn:aws:lambda:*:{ACCOUNT}:function:copy*",
]
_PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "*"},
    {"AWS": ROLE},
    {"AWS": ACCOUNT},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    {"AWS": [OTHER_ACCOUNT, ROLE]},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"},
    {"Service": "s3.amazonaws.com"},
]


def cases(seed: int, count: int) -> list[Case]:
    """Draw calls with one or two identity policies, and now and then a boundary and a bucket's policy."""
    random = Random(seed)  # noqa: S311 - dice, not secrets
    return [_case(random) for _ in range(count)]


def _case(random: Random) -> Case:
    action = random.choice(sorted(_ACTIONS))
    resources, keys = _ACTIONS[action]
    resource = random.choice(resources)
    policies = _Drawing(random, action, resource, keys)
    bucket = resource.startswith("arn:aws:s3:::")
    return Case(
        action,
        resource,
        {key: policies.value(key) for key in keys},
        identity=[policies.document() for _ in range(random.randint(1, 2))],
        boundary=policies.document() if random.random() < 0.3 else None,
        resource_policy=policies.document(principals=True) if bucket and random.random() < 0.5 else None,
        resource_account=random.choice([ACCOUNT, ACCOUNT, OTHER_ACCOUNT]) if bucket else ACCOUNT,
    )


class _Drawing:
    """Draws policies, of which about half concern one action and resource."""

    def __init__(self, random: Random, action: str, resource: str, keys: list[str]) -> None:
        self._random, self._keys = random, keys
        self._actions = [action, "*", action, *random.sample([*sorted(_ACTIONS), *_OTHER_ACTIONS], 3)]
        self._resources = [resource, "*", *random.sample(_PATTERNS, 4)]

    def value(self, key: str) -> Value:
        """Draw the value of a key in a call."""
        if self._random.random() < 0.3:
            return None
        return self._several(_LISTS[key]) if key in _LISTS else self._random.choice(_VALUES[key])

    def document(self, principals: bool = False) -> dict[str, Any]:
        """Draw a policy."""
        statements = [self._statement(principals) for _ in range(self._random.randint(1, 3))]
        return {"Version": "2012-10-17", "Statement": statements}

    def _statement(self, principals: bool) -> dict[str, Any]:
        choice = self._random.choice
        statement: dict[str, Any] = {
            "Effect": choice(["Allow", "Allow", "Allow", "Deny"]),
            choice(["Action", "Action", "NotAction"]): self._some(self._actions),
            choice(["Resource", "Resource", "NotResource"]): self._some(self._resources),
        }
        if principals:
            statement["Principal"] = choice(_PRINCIPALS)
        for _ in range(choice([0, 0, 1, 2])):
            key = choice(self._keys)
            operator = choice(_operators(key))
            statement.setdefault("Condition", {}).setdefault(operator, {})[key] = self._wanted(operator, key)
        return statement

    def _wanted(self, operator: str, key: str) -> str | list[str]:
        if operator == "Null" or key in _BOOLS:
            return self._random.choice(["true", "false"])
        values = _VALUES[key]
        if "Like" in operator:
            values = [*values, *(f"{value[:-2]}*" for value in values if len(value) > 3)]
        return self._some(values)

    def _some(self, values: list[str]) -> str | list[str]:
        return self._random.choice(values) if self._random.random() < 0.5 else self._several(values)

    def _several(self, values: list[str]) -> list[str]:
        return self._random.sample(values, self._random.randint(1, min(3, len(values))))


def _operators(key: str) -> list[str]:
    if key in _BOOLS:
        return ["Bool", "BoolIfExists", "Null"]
    if key in _ARNS:
        return ["ArnEquals", "ArnLike", "ArnNotLike", "ArnLikeIfExists", "StringEquals", "StringLike", "Null"]
    if key in _LISTS:
        kinds = ("ForAllValues:StringEquals", "ForAllValues:StringLike", "ForAnyValue:StringEquals")
        return [*kinds, "ForAnyValue:StringNotEquals", "ForAnyValue:StringLike", "Null"]
    names = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"]
    return [*names, "StringEqualsIfExists", "StringNotEqualsIfExists", "Null"]

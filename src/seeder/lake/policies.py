"""Bucket policies that refuse whoever writes a lake without a condition, as pure functions.

Files are written exactly once: PutObject, CopyObject and CompleteMultipartUpload under the files' prefixes need
If-None-Match. An If-Match there is refused too, for it would replace a file. Registries are swapped: If-Match, or
If-None-Match for the first. Steps of a multipart upload create no object, and are let through; what completes it isn't.

All is denied, nothing allowed: who may write at all is said elsewhere. Replication (s3:ReplicateObject,
s3:ReplicateDelete) asks for none of the denied actions; bucket policies don't concern lifecycle rules.

Contracts: S3 User Guide, "Enforce conditional writes on Amazon S3 buckets", "Enforce conditional deletes on Amazon S3
buckets", "Bucket policies"; IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from seeder.errors import InvalidRequest

__all__ = ["Rules", "bucket_arn", "merged", "statements"]

Document = dict[str, Any]
Statement = dict[str, Any]
Level = Literal["bucket", "prefix"]
Deletes = Literal["if-match", "never"]

FILES, REGISTRIES, RUNS = "datasets/", "metastore/", "runs/"
MOST_BYTES = 20 * 1024
"""The size of a bucket policy: S3 User Guide, "Bucket policies"."""

# Whether a request names a condition, whatever it is: the pages above test presence alone.
_NO_MATCH, _NO_NONE_MATCH = {"s3:if-match": "true"}, {"s3:if-none-match": "true"}
# True for PutObject, CopyObject and CompleteMultipartUpload; false for the steps of an upload.
_CREATES = {"Bool": {"s3:ObjectCreationOperation": "true"}}
_PRINCIPAL = re.compile(r"arn:[a-z-]+:iam::\d{12}:(role|user)/.+")


@dataclass(frozen=True)
class Rules:
    """What is enforced, and where. Prefixes are of printable ASCII.

    `files` are prefixes whose objects are written exactly once, `registries` those whose objects are swapped. At the
    level of the bucket all objects are files but those under `registries` and `excluded`, which needs the prefix of
    whatever AWS itself delivers by PutObject: reports and manifests of S3 Batch Operations, inventories, logs.
    `deletes`: with If-Match, or not at all; versions can't be deleted either way, but by lifecycle rules. `exempt` are
    ARNs of roles and users on whom nothing but TLS is enforced. `tls`: 1.2 or newer, for everything in the bucket.
    """

    level: Level = "prefix"
    files: tuple[str, ...] = (FILES,)
    registries: tuple[str, ...] = (REGISTRIES,)
    excluded: tuple[str, ...] = ()
    deletes: Deletes = "if-match"
    exempt: tuple[str, ...] = ()
    tls: bool = False


def bucket_arn(bucket: str, partition: str = "aws") -> str:
    """Return the ARN of a bucket, as `statements` takes it."""
    return f"arn:{partition}:s3:::{bucket}"


def statements(bucket: str, rules: Rules) -> list[Statement]:
    """Return the statements that enforce rules on a bucket, given by its ARN.

    Raises InvalidRequest for a prefix that no policy can name, prefixes of two kinds that overlap, and others' ARNs.
    """
    _check(rules)
    spared = {"ArnNotLike": {"aws:PrincipalArn": _one_or_many(rules.exempt)}} if rules.exempt else {}
    kept = _besides if rules.level == "bucket" else _under
    files = kept(bucket, (*rules.registries, *rules.excluded) if rules.level == "bucket" else rules.files)
    both = kept(bucket, rules.excluded if rules.level == "bucket" else (*rules.files, *rules.registries))
    unread = {"Null": _NO_MATCH} if rules.deletes == "if-match" else {}
    made = []
    if files:
        made.append(_deny("LakeFiles", "s3:PutObject", files, {"Null": _NO_NONE_MATCH} | _CREATES | spared))
    if rules.registries:
        swaps = {"Null": _NO_MATCH | _NO_NONE_MATCH} | _CREATES | spared
        made.append(_deny("LakeRegistries", "s3:PutObject", _under(bucket, rules.registries), swaps))
    if both:
        made.append(_deny("LakeDeletes", "s3:DeleteObject", both, unread | spared))
        # A deletion by version id knows no condition, and lets an earlier version stand there again.
        made.append(_deny("LakeVersions", "s3:DeleteObjectVersion", both, spared))
    return made + (_tls(bucket) if rules.tls else [])


def merged(there: Mapping[str, Any], made: Iterable[Statement]) -> Document:
    """Return a bucket's policy with statements added, each in place of the one that has its Sid.

    Raises InvalidRequest where that is larger than a bucket policy may be, or `there` is no policy.
    """
    before = there.get("Statement", [])
    before = [before] if isinstance(before, Mapping) else before
    if not (isinstance(before, list) and all(isinstance(item, Mapping) for item in before)):
        raise InvalidRequest("policy", "its Statement is not a list of objects; give a bucket policy")
    new = {item["Sid"]: item for item in made}
    kept = [new.pop(item["Sid"], item) if "Sid" in item else item for item in before]
    document = {"Version": "2012-10-17", **there, "Statement": [*kept, *new.values()]}
    size = len(json.dumps(document, separators=(",", ":")).encode())
    if size > MOST_BYTES:
        problem = (
            f"{size} bytes are more than the {MOST_BYTES} of a bucket policy; give fewer prefixes or ARNs"
        )
        raise InvalidRequest("policy", problem)
    return document


def _deny(sid: str, action: str, where: Mapping[str, Any], condition: Mapping[str, Any]) -> Statement:
    wanted = {"Condition": dict(condition)} if condition else {}
    return {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, **where, **wanted}


def _tls(bucket: str) -> list[Statement]:
    everything = {"Resource": [bucket, f"{bucket}/*"]}
    return [
        _deny("TlsOnly", "s3:*", everything, {"Bool": {"aws:SecureTransport": "false"}}),
        _deny("Tls12OrNewer", "s3:*", everything, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ]


def _under(bucket: str, prefixes: Sequence[str]) -> dict[str, Any]:
    return {"Resource": _one_or_many(_patterns(bucket, prefixes))} if prefixes else {}


def _besides(bucket: str, prefixes: Sequence[str]) -> dict[str, Any]:
    if not prefixes:
        return {"Resource": f"{bucket}/*"}
    return {"NotResource": _one_or_many(_patterns(bucket, prefixes))}


def _patterns(bucket: str, prefixes: Sequence[str]) -> list[str]:
    """`*`, `?` and `$` of a prefix mean themselves (IAM User Guide, "IAM policy elements: Variables and tags")."""
    return [f"{bucket}/{re.sub(r'[*?$]', lambda found: f'${{{found[0]}}}', prefix)}*" for prefix in prefixes]


def _one_or_many(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _check(rules: Rules) -> None:
    if rules.level == "prefix" and rules.excluded:
        raise InvalidRequest("excluded", "is for the level 'bucket'; give the prefixes to enforce instead")
    files = rules.files if rules.level == "prefix" else ()
    for field, prefixes in (("files", files), ("registries", rules.registries), ("excluded", rules.excluded)):
        for prefix in prefixes:
            _check_prefix(field, prefix)
    for registry in rules.registries:
        for other in (*files, *rules.excluded):
            if registry.startswith(other) or other.startswith(registry):
                problem = f"'{registry}' overlaps '{other}', to which another rule applies; give one apart"
                raise InvalidRequest("registries", problem)
    for arn in rules.exempt:
        if not _PRINCIPAL.fullmatch(arn):
            problem = (
                f"'{arn}' is not the ARN of a role or user; give one such as arn:aws:iam::ACCOUNT:role/NAME"
            )
            raise InvalidRequest("exempt", problem)


def _check_prefix(field: str, prefix: str) -> None:
    if not prefix:
        raise InvalidRequest(
            field, "'' is a prefix of every key; give another, or enforce the level 'bucket'"
        )
    if not re.fullmatch(r"[\x20-\x7e]+", prefix):
        problem = f"{prefix!r} has characters that a policy can't name; give a prefix of printable ASCII"
        raise InvalidRequest(field, problem)

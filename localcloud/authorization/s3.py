"""What a request to S3 needs to be allowed.

Contract: S3 User Guide, "Required permissions for Amazon S3 API operations", "How to prevent object overwrites
with conditional writes", "Enforce conditional writes on Amazon S3 buckets"; S3 API reference, the "Permissions" of
GetObject, CopyObject, UploadPartCopy and CreateMultipartUpload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from localcloud.authorization.calls import local_name
from localcloud.authorization.needs import Need, NotSupported
from localcloud.authorization.s3_operations import action_of, of_version
from localcloud.batch_operations import store
from localcloud.kms import find_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.authorization.calls import Call

COPIED_TAGS_NEED_PERMISSION = True
"""Whether a copy that keeps its source's tags needs to read and to write them, as for S3 Batch Operations; the page
of CopyObject does not say so: unconfirmed."""

REPLICATION_ROLE_PASSED_TO: str | None = None
"""iam:PassedToService where PutBucketReplication passes a role. Unconfirmed: absent, as it is for CreateJob, so that
no policy comes to depend on it."""

_HEADERS = {
    f"x-amz-{name}": f"s3:x-amz-{name}"
    for name in (
        "acl",
        "content-sha256",
        "grant-full-control",
        "grant-read",
        "grant-read-acp",
        "grant-write",
        "grant-write-acp",
        "metadata-directive",
        "object-ownership",
        "server-side-encryption",
        "server-side-encryption-aws-kms-key-id",
        "server-side-encryption-customer-algorithm",
        "storage-class",
        "website-redirect-location",
    )
} | {
    f"x-amz-{name}": f"s3:{name}"
    for name in ("object-lock-legal-hold", "object-lock-mode", "object-lock-retain-until-date")
}
_LIST_KEYS = ("prefix", "delimiter", "max-keys")
_GRANTS = ("x-amz-acl", "x-amz-grant-")


def needs(call: Call) -> list[Need]:
    """Return what a request needs, in the order S3 would refuse it. Raises NotSupported."""
    bucket, key = call.place
    if not bucket:
        if call.method != "GET":
            raise NotSupported(f"{call.method} on S3 itself")
        return [Need("s3:ListAllMyBuckets", "arn:aws:s3:::*")]
    if bucket.startswith("arn:"):
        raise NotSupported(f"the access point {bucket}")
    action = action_of(call.method, call.query, bool(key))
    if action is None:
        raise NotSupported(f"{call.method} {'object' if key else 'bucket'} with ?{'&'.join(call.query)}")
    return list(_of_object(call, action, bucket, key) if key else _of_bucket(call, action, bucket))


def needs_of_missing(call: Call) -> Need | None:
    """Return what S3 wants before it says that an object is not there (404); without it the answer is 403."""
    bucket, key = call.place
    source = call.headers.get("x-amz-copy-source")
    if source:
        return _list(copy_source(source)[0])
    looks = call.method in ("GET", "HEAD") and key and action_of(call.method, call.query, True)
    return _list(bucket) if looks in ("GetObject", "GetObjectAttributes") else None


def _list(bucket: str) -> Need:
    return Need("s3:ListBucket", f"arn:aws:s3:::{bucket}", {}, bucket)


def _of_bucket(call: Call, action: str, bucket: str) -> Iterator[Need]:
    arn = f"arn:aws:s3:::{bucket}"
    context: dict[str, str | None] = _from_headers(call)
    if action.startswith("ListBucket") and call.method == "GET":
        context |= {f"s3:{name}": call.query.get(name) for name in _LIST_KEYS}
    if action == "DeleteObject":
        for key, version in deleted(call):
            yield Need(f"s3:{of_version(action, version)}", f"{arn}/{key}", {"s3:VersionId": version}, bucket)
        return
    if action == "CreateBucket":
        context["s3:LocationConstraint"] = _element(call, "LocationConstraint")
    yield Need(f"s3:{action}", arn, context, bucket)
    if action == "PutReplicationConfiguration" and call.method == "PUT":
        context = {"iam:PassedToService": REPLICATION_ROLE_PASSED_TO}
        yield Need("iam:PassRole", _element(call, "Role") or "", context)


def _of_object(call: Call, action: str, bucket: str, key: str) -> Iterator[Need]:
    version = call.query.get("versionId")
    arn = f"arn:aws:s3:::{bucket}/{key}"
    context: dict[str, Any] = {**_from_headers(call), "s3:VersionId": version}
    if action == "PutObject":
        yield from _of_write(call, bucket, key, context)
        return
    if action == "DeleteObject":
        context["s3:if-match"] = call.headers.get("if-match")
    yield Need(f"s3:{of_version(action, version)}", arn, context, bucket)
    if action == "GetObjectAttributes" or _compares(call, action):
        yield Need(f"s3:{of_version('GetObject', version)}", arn, {"s3:VersionId": version}, bucket)
    if action == "GetObject" and call.method == "GET":
        yield from _decrypt(bucket, key, version, call)


def _of_write(call: Call, bucket: str, key: str, context: dict[str, Any]) -> Iterator[Need]:
    arn = f"arn:aws:s3:::{bucket}/{key}"
    query, headers = call.query, call.headers
    creates = "uploads" not in query and not (call.method == "PUT" and "uploadId" in query)
    copied = headers.get("x-amz-copy-source")
    tags = dict(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True))
    context |= {
        "s3:ObjectCreationOperation": "true" if creates else "false",
        "s3:if-match": headers.get("if-match"),
        "s3:if-none-match": headers.get("if-none-match"),
        **{f"s3:RequestObjectTag/{name}": value for name, value in tags.items()},
        "s3:RequestObjectTagKeys": list(tags) or None,
    }
    if copied:
        source, source_key, version = copy_source(copied)
        context["s3:x-amz-copy-source"] = f"{source}/{source_key}"
        yield from _read_source(call, source, source_key, version)
    yield Need("s3:PutObject", arn, context, bucket)
    if _compares(call, "PutObject"):
        yield Need("s3:GetObject", arn, {}, bucket)
    if tags or (copied and COPIED_TAGS_NEED_PERMISSION and _keeps_tags(call, copied)):
        yield Need("s3:PutObjectTagging", arn, context, bucket)
    if any(name.startswith(_GRANTS) for name in headers):
        yield Need("s3:PutObjectAcl", arn, context, bucket)
    for header, action in (("mode", "PutObjectRetention"), ("legal-hold", "PutObjectLegalHold")):
        if f"x-amz-object-lock-{header}" in headers:
            yield Need(f"s3:{action}", arn, context, bucket)
    yield from _encrypt(call, bucket, key)


def _read_source(call: Call, bucket: str, key: str, version: str | None) -> Iterator[Need]:
    arn = f"arn:aws:s3:::{bucket}/{key}"
    context = {"s3:VersionId": version}
    yield Need(f"s3:{of_version('GetObject', version)}", arn, context, bucket)
    if COPIED_TAGS_NEED_PERMISSION and _keeps_tags(call, call.headers["x-amz-copy-source"]):
        yield Need(f"s3:{of_version('GetObjectTagging', version)}", arn, context, bucket)
    yield from _decrypt(bucket, key, version, call)


def _keeps_tags(call: Call, copied: str) -> bool:
    """Tell whether a copy takes tags over: parts of an upload have none."""
    if "uploadId" in call.query or call.headers.get("x-amz-tagging-directive") == "REPLACE":
        return False
    held = store.version(*copy_source(copied))
    return held is not None and bool(store.tags(held))


def _compares(call: Call, action: str) -> bool:
    """Tell whether a write or deletion depends on an ETag, which the caller must then be allowed to read."""
    return action in ("PutObject", "DeleteObject") and call.headers.get("if-match", "*") != "*"


def _decrypt(bucket: str, key: str, version: str | None, call: Call) -> Iterator[Need]:
    held = store.version(bucket, key, version)
    if held is not None:
        yield from _use_key("kms:Decrypt", store.kms_key_of(held), bucket, key, call)


def _encrypt(call: Call, bucket: str, key: str) -> Iterator[Need]:
    """Yield the use of the KMS key by which an object is written; parts and what completes them use it too."""
    upload = "uploadId" in call.query or "uploads" in call.query
    kind = call.headers.get("x-amz-server-side-encryption")
    if kind is None:
        key_id = store.default_kms_key(bucket)
    else:
        named = call.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
        key_id = named if kind.startswith("aws:kms") else None
    for action in ("kms:GenerateDataKey", "kms:Decrypt") if upload else ("kms:GenerateDataKey",):
        yield from _use_key(action, key_id, bucket, key, call)


def _use_key(action: str, key_id: str | None, bucket: str, key: str, call: Call) -> Iterator[Need]:
    """Yield nothing for S3's own key, which needs no permission."""
    if not key_id or "alias/aws/s3" in key_id:
        return
    held = store.bucket(bucket)
    region = str(held.region_name) if held else call.region
    named = f"arn:aws:s3:::{bucket}" if store.uses_bucket_key(bucket) else f"arn:aws:s3:::{bucket}/{key}"
    found = find_key(key_id, store.owner(bucket) or "", region)
    context = {
        "kms:CallerAccount": store.owner(bucket),
        "kms:ViaService": f"s3.{region}.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": named,
        "kms:EncryptionContextKeys": "aws:s3:arn",
    }
    yield Need(action, found.arn, context, key=found)


def deleted(call: Call) -> list[tuple[str, str | None]]:
    """Return the keys and version ids that a DeleteObjects request names."""
    named = []
    for each in call.xml:
        if local_name(each) == "Object":
            members = {local_name(member): member.text or "" for member in each}
            named.append((members.get("Key", ""), members.get("VersionId")))
    return named


def copy_source(header: str) -> tuple[str, str, str | None]:
    """Return the bucket, the decoded key and the version id that x-amz-copy-source names."""
    path, _, query = header.partition("?")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    return bucket, key, dict(parse_qsl(query)).get("versionId")


def _from_headers(call: Call) -> dict[str, str | None]:
    return {key: call.headers[name] for name, key in _HEADERS.items() if name in call.headers}


def _element(call: Call, name: str) -> str | None:
    """Return the text of the first element of this name, or None."""
    if not call.body:
        return None
    return next((each.text for each in call.xml.iter() if local_name(each) == name), None)

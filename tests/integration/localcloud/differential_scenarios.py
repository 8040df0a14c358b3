"""What both servers are asked: listings, versions, conditional writes and deletes, copies, multipart uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.localcloud.differential import Calls, Outcome, keys, prefixes

if TYPE_CHECKING:
    from collections.abc import Callable

MIB5 = 5 * 1024 * 1024
WRONG = '"00000000000000000000000000000000"'
ODD_KEYS = [
    *(
        "a b",
        "a+b",
        "a%b",
        "a%20b",
        "a&b",
        "a=b",
        "a@b",
        "a,b",
        'a"b',
        "a'b",
        "a<b>",
        "a:b",
        "a;b",
        "a?b",
        "a#b",
    ),
    *("a*b", "a!b", "a$b", "a|b", "a^b", "a`b", "(1)", "[1]", "{2}", "~t", "x_y-z.w", "x/y", "dir/"),
    *("é", "日本", "😀", "nl\nx", "t\tb", "cr\rx"),
]


def odd_keys(calls: Calls) -> None:
    for key in ODD_KEYS:
        calls.put(f"put {key!r}", key, key.encode())
        calls.do(f"get {key!r}", "get_object", lambda got: got["Body"].read(), Key=key)
    calls.do("keys in order", "list_objects_v2", lambda page: keys(page))
    raw = {"EncodingType": "url"}
    calls.do("keys encoded", "list_objects_v2", lambda page: keys(page), **raw)
    calls.do("v1 keys encoded", "list_objects", lambda page: keys(page), **raw)
    calls.do("versions in order", "list_object_versions", lambda page: keys(page, "Versions"))
    calls.do("version keys encoded", "list_object_versions", lambda page: keys(page, "Versions")[-2:], **raw)
    calls.do("prefix encoded", "list_objects_v2", lambda page: page["Prefix"], Prefix="é a+", **raw)
    calls.do(
        "start after encoded", "list_objects_v2", lambda page: page["StartAfter"], StartAfter="é a+", **raw
    )
    for delimiter in ("/", " ", "+", "y/"):
        calls.do(f"folders by {delimiter!r}", "list_objects_v2", prefixes, Delimiter=delimiter)
    calls.put("put folder with space", "x y/1 2")
    calls.do(
        "folder with space encoded",
        "list_objects_v2",
        lambda page: keys(page),
        Prefix="x y",
        **raw,
    )
    calls.put("put backslash", "back\\slash")
    calls.do("backslash", "list_objects_v2", lambda page: keys(page), Prefix="back")


def pages(calls: Calls) -> None:
    for key in ("A", "B/1", "B/2", "C", "D/1/1", "D/1/2", "D/2", "E"):
        calls.put(f"put {key}", key)
    for question in (
        {},
        {"MaxKeys": 3},
        {"MaxKeys": 1},
        {"MaxKeys": 0},
        {"Delimiter": "/"},
        {"Delimiter": "/", "MaxKeys": 1},
        {"Delimiter": "/", "MaxKeys": 2},
        {"Prefix": "D/", "Delimiter": "/", "MaxKeys": 1},
        {"Prefix": "D/1", "Delimiter": "/"},
        {"Delimiter": "/1"},
        {"StartAfter": "B/1"},
        {"StartAfter": "B/1", "Delimiter": "/"},
        {"StartAfter": "B/", "Delimiter": "/"},
        {"StartAfter": "Z"},
        {"Prefix": "none"},
    ):
        token: dict[str, str] = {}
        for number in range(10):
            page = calls.do(f"{question} page {number}", "list_objects_v2", calls.page, **question, **token)
            if not page.get("NextContinuationToken"):
                break
            token = {"ContinuationToken": page["NextContinuationToken"]}
    calls.put("put B.x", "B.x")
    calls.do("folders among keys", "list_objects_v2", lambda page: keys(page), Prefix="B")


def versions(calls: Calls) -> None:
    calls.put("put null", "n")
    calls.versioning("Enabled")
    for number in range(3):
        calls.put(f"put k {number}", "k", str(number).encode())
    calls.put("put n", "n")
    for step in ("delete k", "delete k again"):
        calls.do(step, "delete_object", lambda gone: gone.get("DeleteMarker"), Key="k")
    calls.do("delete missing", "delete_object", lambda gone: gone.get("DeleteMarker"), Key="m")
    calls.put("put d/1", "d/1")
    calls.put("put d/2", "d/2")
    for question in (
        {},
        {"MaxKeys": 1},
        {"MaxKeys": 2},
        {"MaxKeys": 3},
        {"Delimiter": "/"},
        {"Delimiter": "/", "MaxKeys": 1},
        {"Prefix": "k"},
        {"KeyMarker": "d/1"},
        {"KeyMarker": "k"},
        {"KeyMarker": "kk"},
        {"KeyMarker": "a", "Delimiter": "/"},
    ):
        _version_pages(calls, question)
    empty = calls.quietly("list_object_versions", MaxKeys=0)
    calls.outcomes["no versions asked for"] = len(empty.get("Versions", [])) == 0, empty["IsTruncated"]
    _single_versions(calls)


def _version_pages(calls: Calls, question: dict[str, Any]) -> None:
    marker: dict[str, str] = {}
    for number in range(15):
        fields = {**question, **marker}
        page = calls.do(f"{question} page {number}", "list_object_versions", calls.versions, **fields)
        if not page.get("IsTruncated"):
            break
        marker = {"KeyMarker": page["NextKeyMarker"]}
        if page.get("NextVersionIdMarker"):
            marker["VersionIdMarker"] = page["NextVersionIdMarker"]


def _single_versions(calls: Calls) -> None:
    held = calls.quietly("list_object_versions", Prefix="k")
    newer, older = (item["VersionId"] for item in held["DeleteMarkers"])
    last = held["Versions"][0]["VersionId"]
    calls.do("get deleted", "get_object", Key="k")
    calls.do("head deleted", "head_object", Key="k")
    calls.do("get marker", "get_object", Key="k", VersionId=newer)
    calls.do("head marker", "head_object", Key="k", VersionId=newer)
    calls.do("get version", "get_object", lambda got: got["Body"].read(), Key="k", VersionId=last)
    calls.do(
        "delete marker", "delete_object", lambda gone: gone.get("DeleteMarker"), Key="k", VersionId=newer
    )
    marked = {"Objects": [{"Key": "k", "VersionId": older}]}
    calls.do("delete marker among others", "delete_objects", _deleted, Delete=marked)
    calls.do("get undeleted", "get_object", lambda got: got["Body"].read(), Key="k")
    calls.do(
        "delete version", "delete_object", lambda gone: gone.get("DeleteMarker"), Key="k", VersionId=last
    )
    calls.do("get older", "get_object", lambda got: got["Body"].read(), Key="k")
    calls.versioning("Suspended")
    calls.put("put suspended", "k", b"s1")
    calls.put("put suspended again", "k", b"s2")
    calls.do(
        "versions suspended", "list_object_versions", lambda page: sorted(calls.versions(page)[0]), Prefix="k"
    )
    calls.do("delete suspended", "delete_object", lambda gone: gone.get("VersionId"), Key="k")
    calls.do("versions deleted", "list_object_versions", calls.versions, Prefix="k")


def _deleted(answer: Any) -> Outcome:
    done = [
        (item["Key"], bool(item.get("DeleteMarker")), "VersionId" in item)
        for item in answer.get("Deleted", [])
    ]
    return done, [(item["Key"], item["Code"]) for item in answer.get("Errors", [])]


def writes(calls: Calls) -> None:
    calls.quietly("put_object", Key="source", Body=b"source")

    def put(step: str, key: str, **condition: Any) -> None:
        calls.do(step, "put_object", Key=key, Body=b"x", **condition)

    def complete(step: str, key: str, **condition: Any) -> None:
        upload = calls.quietly("create_multipart_upload", Key=key)["UploadId"]
        part = calls.quietly("upload_part", Key=key, UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
        calls.do(
            step, "complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload=parts, **condition
        )

    def copy(step: str, key: str, **condition: Any) -> None:
        calls.do(
            step, "copy_object", Key=key, CopySource={"Bucket": calls.bucket, "Key": "source"}, **condition
        )

    for versioning in ("never", "Enabled"):
        if versioning == "Enabled":
            calls.versioning(versioning)
        for write in (put, complete, copy):
            _conditions(calls, write, f"{write.__name__}, versioning {versioning}: ")


def _conditions(calls: Calls, write: Callable[..., None], label: str) -> None:
    key = label

    def etag() -> str:
        return str(calls.quietly("head_object", Key=key)["ETag"])

    write(label + "If-None-Match, absent", key, IfNoneMatch="*")
    write(label + "If-None-Match, present", key, IfNoneMatch="*")
    write(label + "If-Match, equal", key, IfMatch=etag())
    write(label + "If-Match, unquoted", key, IfMatch=etag().strip('"'))
    write(label + "If-Match, different", key, IfMatch=WRONG)
    write(label + "If-Match, absent", key + "absent", IfMatch=WRONG)
    before = etag()
    calls.quietly("delete_object", Key=key)
    write(label + "If-Match, deleted", key, IfMatch=before)
    write(label + "If-None-Match, deleted", key, IfNoneMatch="*")
    write(label + "If-None-Match, ETag", key, IfNoneMatch=before)


def deletes(calls: Calls) -> None:
    for versioning in ("never", "Enabled"):
        if versioning == "Enabled":
            calls.versioning(versioning)
        label = f"versioning {versioning}: "
        etag = calls.quietly("put_object", Key="d", Body=b"x")["ETag"]
        calls.do(label + "different", "delete_object", Key="d", IfMatch=WRONG)
        calls.do(label + "equal", "delete_object", Key="d", IfMatch=etag)
        calls.do(label + "gone", "delete_object", Key="d", IfMatch=etag)
        calls.do(label + "any, gone", "delete_object", Key="d", IfMatch="*")
        calls.do(label + "any, never there", "delete_object", Key="never", IfMatch="*")
        calls.quietly("put_object", Key="d", Body=b"x")
        calls.do(label + "any", "delete_object", Key="d", IfMatch="*")
        for key in ("a", "b", "c"):
            calls.quietly("put_object", Key=key, Body=b"x")
        wanted = [{"Key": "a", "ETag": etag}, {"Key": "b", "ETag": WRONG}, {"Key": "never", "ETag": etag}]
        calls.do(label + "several", "delete_objects", _deleted, Delete={"Objects": [*wanted, {"Key": "c"}]})
        quiet = {"Objects": [{"Key": "b", "ETag": "*"}], "Quiet": True}
        calls.do(label + "quiet", "delete_objects", _deleted, Delete=quiet)
        calls.do(label + "left", "list_objects_v2", lambda page: keys(page))


def copies(calls: Calls) -> None:
    calls.versioning("Enabled")
    first = calls.put("put 1", "s", b"one", Metadata={"m": "1"}, Tagging="t=1", ContentType="text/plain")
    calls.put("put 2", "s", b"two", Metadata={"m": "2"})

    def copy(step: str, key: str, source: dict[str, str], **fields: Any) -> None:
        calls.do(step, "copy_object", Key=key, CopySource={"Bucket": calls.bucket, **source}, **fields)
        if calls.outcomes[step] == 200 and step != "itself":
            calls.do(
                f"{step}, body", "get_object", lambda got: (got["Body"].read(), got["Metadata"]), Key=key
            )
            calls.do(f"{step}, tags", "get_object_tagging", lambda got: got["TagSet"], Key=key)

    current, old = {"Key": "s"}, {"Key": "s", "VersionId": first}
    copy("current", "c", current)
    copy("version", "c", old)
    copy("new metadata", "c", old, MetadataDirective="REPLACE", Metadata={"n": "9"})
    copy("new tags", "c", old, TaggingDirective="REPLACE", Tagging="z=2")
    copy("itself", "s", current)
    copy("itself, changed", "s", current, MetadataDirective="REPLACE", Metadata={"n": "9"})
    copy("its old version", "s", old)
    copy("missing", "x", {"Key": "none"})
    copy("missing version", "x", {"Key": "s", "VersionId": "null"})
    etag = calls.quietly("head_object", Key="s")["ETag"]
    copy("source If-Match, equal", "y", current, CopySourceIfMatch=etag)
    copy("source If-Match, different", "y", current, CopySourceIfMatch=WRONG)
    copy("source If-None-Match, different", "y", current, CopySourceIfNoneMatch=WRONG)
    copy("source If-None-Match, equal", "y", current, CopySourceIfNoneMatch=etag)
    calls.quietly("delete_object", Key="c")
    marker = calls.quietly("list_object_versions", Prefix="c")["DeleteMarkers"][0]["VersionId"]
    copy("deleted", "x", {"Key": "c"})
    copy("delete marker", "x", {"Key": "c", "VersionId": marker})
    for key in ("a b", "a+b", "a%b", "a%20b", "é", "a?b", "a&b", "x/y z", "a?versionId=1"):
        calls.put(f"put {key}", key, key.encode())
        copy(f"odd {key}", f"odd/{key}", {"Key": key})


def parts(calls: Calls) -> None:
    upload = calls.quietly("create_multipart_upload", Key="m")["UploadId"]
    bodies = (b"a" * MIB5, b"b", b"c")
    where = {"Key": "m", "UploadId": upload}
    etags = [
        calls.quietly("upload_part", **where, PartNumber=number, Body=body)["ETag"]
        for number, body in enumerate(bodies, 1)
    ]

    def complete(step: str, *numbers: int, **changed: Any) -> None:
        listed = [{"PartNumber": number, "ETag": etags[(number - 1) % 3]} for number in numbers]
        fields = {**where, "MultipartUpload": {"Parts": listed}, **changed}
        calls.do(
            step, "complete_multipart_upload", lambda done: (done["ETag"], done.get("VersionId")), **fields
        )

    complete("wrong order", 2, 1)
    complete("too small", 1, 2, 3)
    complete("missing part", 1, 9)
    complete("no parts")
    complete("unknown upload", 1, UploadId="unknown")
    calls.do("part of unknown upload", "upload_part", Key="m", UploadId="unknown", PartNumber=1, Body=b"")
    complete("two of three", 1, 2)
    complete("again", 1, 2)
    calls.put("put source", "s", b"0123456789")
    other = {"Key": "o", "UploadId": calls.quietly("create_multipart_upload", Key="o")["UploadId"]}

    def part(step: str, key: str, number: int, **fields: Any) -> Any:
        source = {"Bucket": calls.bucket, "Key": key}
        return calls.do(step, "upload_part_copy", CopySource=source, PartNumber=number, **other, **fields)

    copied = part("copy range", "s", 1, CopySourceRange="bytes=2-5")["CopyPartResult"]["ETag"]
    part("copy missing", "none", 2)
    part("copy beyond the end", "s", 2, CopySourceRange="bytes=5-10")
    done = {"Parts": [{"PartNumber": 1, "ETag": copied}]}
    calls.do("complete copied", "complete_multipart_upload", **other, MultipartUpload=done)
    calls.do("get copied", "get_object", lambda got: got["Body"].read(), Key="o")


SCENARIOS = (odd_keys, pages, versions, writes, deletes, copies, parts)

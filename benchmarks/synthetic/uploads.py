"""Objects that clients put: small ones are kept, parts of uploads are counted and thrown away.

All lies in files under one directory, since the server's processes share nothing else; a file that is created
exclusively decides between two writers of one key.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import md5, sha256
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from benchmarks.synthetic.entries import escaped
from benchmarks.synthetic.listings import Query, Refused

_KEPT = 1024 * 1024
_LEAST_PART = 5 * 1024 * 1024
_PART = re.compile(rb"<Part>(.*?)</Part>", re.DOTALL)
_RANGE = re.compile(r"bytes=(\d+)-")
_NUMBER = re.compile(rb"<PartNumber>(\d+)</PartNumber>")
_ETAG = re.compile(rb"<ETag>(?:&quot;|\"|&#34;)?([0-9a-f-]+)(?:&quot;|\"|&#34;)?</ETag>")


@dataclass
class Answer:
    """An HTTP response. Its body is `body`, or what stands in the file `path` from `offset` on, `length` bytes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    path: Path | None = None
    offset: int = 0


class Uploads:
    """PutObject, GetObject, HeadObject, DeleteObject and multipart uploads, for any bucket and key.

    With `keep_all` bodies over 1 MiB are kept too, so that a test can read back what was uploaded.
    """

    def __init__(self, directory: Path, keep_all: bool = False) -> None:
        self._directory = directory
        self._kept = None if keep_all else _KEPT

    def answer(self, method: str, name: str, query: Query, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request for the object `name` (bucket and key). Raises Refused."""
        upload = query.get(b"uploadId", b"").decode()
        if method == "POST" and b"uploads" in query:
            return self._create(name)
        if upload:
            return self._of_upload(method, name, upload, query, headers, body)
        if method == "PUT":
            etag = md5(body).hexdigest()
            self._store(name, headers, {"etag": etag, "size": len(body)}, body)
            return Answer(headers={"ETag": f'"{etag}"'})
        if method in ("GET", "HEAD"):
            return self._read(name, headers, method == "GET")
        if method == "DELETE":
            shutil.rmtree(self._object(name), ignore_errors=True)
            return Answer(204)
        raise Refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")

    def _of_upload(
        self, method: str, name: str, upload: str, query: Query, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        parts = self._directory / "uploads" / sha256(f"{upload} {name}".encode()).hexdigest()
        if not parts.is_dir():
            raise Refused(404, "NoSuchUpload", "The specified upload does not exist.")
        if method == "PUT":
            return self._put_part(parts, int(query[b"partNumber"]), body)
        if method == "GET":
            return self._list_parts(parts, name, upload, query)
        if method == "POST":
            return self._complete(parts, name, headers, body)
        shutil.rmtree(parts)
        return Answer(204)

    def _create(self, name: str) -> Answer:
        upload = uuid4().hex
        (self._directory / "uploads" / sha256(f"{upload} {name}".encode()).hexdigest()).mkdir(parents=True)
        bucket, key = name.split("/", 1)
        fields = f"<Bucket>{bucket}</Bucket><Key>{escaped(key.encode()).decode()}</Key><UploadId>{upload}</UploadId>"
        return _xml("InitiateMultipartUploadResult", fields)

    def _put_part(self, parts: Path, number: int, body: bytes) -> Answer:
        etag = md5(body).hexdigest()
        content = body if self._kept is None or len(body) <= self._kept else b""
        new = parts / f"new-{uuid4().hex}"
        new.write_bytes(json.dumps({"etag": etag, "size": len(body)}).encode() + b"\n" + content)
        new.rename(parts / f"{number:05d}")
        return Answer(headers={"ETag": f'"{etag}"'})

    def _list_parts(self, parts: Path, name: str, upload: str, query: Query) -> Answer:
        marker, limit = int(query.get(b"part-number-marker", b"0")), int(query.get(b"max-parts", b"1000"))
        numbers = [number for number in _numbers(parts) if number > marker]
        shown = numbers[: min(limit, 1000)]
        items = "".join(_part_item(number, _head(parts / f"{number:05d}")[0]) for number in shown)
        more = f"<IsTruncated>{str(len(shown) < len(numbers)).lower()}</IsTruncated>"
        following = f"<NextPartNumberMarker>{shown[-1] if shown else 0}</NextPartNumberMarker>"
        bucket, key = name.split("/", 1)
        head = f"<Bucket>{bucket}</Bucket><Key>{escaped(key.encode()).decode()}</Key><UploadId>{upload}</UploadId>"
        return _xml("ListPartsResult", f"{head}<MaxParts>{limit}</MaxParts>{following}{more}{items}")

    def _complete(self, parts: Path, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        chosen = [_chosen(part) for part in _PART.findall(body)]
        if not chosen:
            raise Refused(400, "MalformedXML", "The XML you provided was not well-formed.")
        if [number for number, _ in chosen] != sorted({number for number, _ in chosen}):
            raise Refused(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
        size, digests = 0, b""
        for place, (number, etag) in enumerate(chosen):
            path = parts / f"{number:05d}"
            held = _head(path)[0] if path.exists() else {}
            if held.get("etag") != etag:
                raise Refused(400, "InvalidPart", "One or more of the specified parts could not be found.")
            if held["size"] < _LEAST_PART and place + 1 < len(chosen):
                raise Refused(
                    400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"
                )
            size += held["size"]
            digests += bytes.fromhex(etag)
        etag = f"{md5(digests).hexdigest()}-{len(chosen)}"
        contents = [parts / f"{number:05d}" for number, _ in chosen]
        self._store(name, headers, {"etag": etag, "size": size}, contents)
        shutil.rmtree(parts)
        bucket, key = name.split("/", 1)
        fields = f"<Bucket>{bucket}</Bucket><Key>{escaped(key.encode()).decode()}</Key><ETag>&quot;{etag}&quot;</ETag>"
        return _xml("CompleteMultipartUploadResult", fields)

    def _object(self, name: str) -> Path:
        return self._directory / "objects" / sha256(name.encode()).hexdigest()

    def _store(
        self, name: str, headers: Mapping[str, str], facts: dict[str, Any], content: bytes | list[Path]
    ) -> None:
        """Put an object that holds some bytes, or those of parts. Raises Refused where a condition does not hold."""
        target = self._object(name)
        if headers.get("if-none-match") == "*":
            try:
                target.mkdir(parents=True)
            except FileExistsError:
                raise _unmet() from None
        if wanted := headers.get("if-match"):
            _require(wanted, target / "content")
        target.mkdir(parents=True, exist_ok=True)
        new = target / f"new-{uuid4().hex}"
        with new.open("wb") as file:
            file.write(json.dumps(facts).encode() + b"\n")
            if self._kept is None or facts["size"] <= self._kept:
                _pour(content, file)
        new.rename(target / "content")

    def _read(self, name: str, headers: Mapping[str, str], with_body: bool) -> Answer:
        path = self._object(name) / "content"
        if not path.exists():
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        if wanted := headers.get("if-match"):
            _require(wanted, path)
        held, offset = _head(path)
        size = held["size"]
        if with_body and path.stat().st_size - offset != size:
            raise Refused(501, "NotImplemented", "This server keeps no bodies of that size.")
        modified = "Mon, 01 Jan 2024 00:00:00 GMT"
        told = {"ETag": f'"{held["etag"]}"', "Last-Modified": modified, "Accept-Ranges": "bytes"}
        if (asked := _RANGE.fullmatch(headers.get("range", ""))) and with_body:
            first = int(asked[1])
            if first >= size:
                raise Refused(416, "InvalidRange", "The requested range is not satisfiable")
            told["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
            return Answer(206, headers=told, length=size - first, path=path, offset=offset + first)
        return Answer(200, headers=told, length=size, path=path, offset=offset)


def _pour(content: bytes | list[Path], file: BinaryIO) -> None:
    if isinstance(content, bytes):
        file.write(content)
        return
    for path in content:
        with path.open("rb") as part:
            part.readline()
            shutil.copyfileobj(part, file)


def _require(etag: str, path: Path) -> None:
    """Raise Refused unless an object is there and has an ETag."""
    if not path.exists():
        raise Refused(404, "NoSuchKey", "The specified key does not exist.")
    if _head(path)[0]["etag"] != etag.strip('"'):
        raise _unmet()


def _unmet() -> Refused:
    message = "At least one of the pre-conditions you specified did not hold"
    return Refused(412, "PreconditionFailed", message)


def _numbers(parts: Path) -> list[int]:
    return sorted(int(path.name) for path in parts.iterdir() if path.name.isdigit())


def _head(path: Path) -> tuple[dict[str, Any], int]:
    """Return what is known of an object or part, and where its bytes begin."""
    with path.open("rb") as file:
        line = file.readline()
    return json.loads(line), len(line)


def _part_item(number: int, held: Mapping[str, Any]) -> str:
    fields = (
        f"<PartNumber>{number}</PartNumber><ETag>&quot;{held['etag']}&quot;</ETag><Size>{held['size']}</Size>"
    )
    return f"<Part>{fields}<LastModified>2024-01-01T00:00:00.000Z</LastModified></Part>"


def _chosen(part: bytes) -> tuple[int, str]:
    number, etag = _NUMBER.search(part), _ETAG.search(part)
    if not number or not etag:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed.")
    return int(number[1]), etag[1].decode()


def _xml(root: str, fields: str) -> Answer:
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{namespace}">{fields}</{root}>'
    return Answer(body=text.encode(), headers={"Content-Type": "application/xml"})

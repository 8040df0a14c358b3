"""Inventories as S3 writes them, for tests."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from typing import Any
from urllib.parse import quote_plus

SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, StorageClass"
WRITTEN = "2026-01-01T00:00:00.000Z"
Row = list[str]


def row_of(
    key: str,
    size: int = 1,
    storage: str = "STANDARD",
    latest: str = "true",
    marker: str = "false",
    version: str = "",
) -> Row:
    encoded = quote_plus(key, safe="/*")
    return ["source", encoded, version, latest, marker, str(size), WRITTEN, storage]


def packed(rows: list[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)


def publish(s3: Any, bucket: str, files: list[bytes], source: str = "source", **changes: Any) -> str:
    """Put an inventory as S3 would; return the address of its manifest.json."""
    folder = f"{source}/daily"
    made = []
    for body in files:
        digest = hashlib.md5(body).hexdigest()
        made.append({"key": f"{folder}/data/{digest}.csv.gz", "size": len(body), "MD5checksum": digest})
        s3.put_object(Bucket=bucket, Key=made[-1]["key"], Body=body)
    document = {
        "sourceBucket": source,
        "destinationBucket": f"arn:aws:s3:::{bucket}",
        "version": "2016-11-30",
        "creationTimestamp": "1767225600000",
        "fileFormat": "CSV",
        "fileSchema": SCHEMA,
        "files": made,
    }
    manifest = json.dumps(document | changes).encode()
    place = f"{folder}/2026-01-01T01-00Z/manifest"
    s3.put_object(Bucket=bucket, Key=f"{place}.json", Body=manifest)
    checksum = hashlib.md5(manifest).hexdigest() + "\n"
    s3.put_object(Bucket=bucket, Key=f"{place}.checksum", Body=checksum.encode())
    return f"s3://{bucket}/{place}.json"

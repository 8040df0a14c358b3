"""Multipart uploads made of copied ranges, for tests."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.localcloud.replication_world import World


def copy_in_parts(cloud: World, source: str, target: str, bounds: list[int]) -> str:
    """Copy src/`source` to src/`target` by UploadPartCopy; return the ETag."""
    where = {"Bucket": "src", "Key": target}
    etag = cloud.head(source)["ETag"]
    upload_id = cloud.s3.create_multipart_upload(**where)["UploadId"]
    parts = []
    for number, (start, stop) in enumerate(itertools.pairwise(bounds), 1):
        made = cloud.s3.upload_part_copy(
            **where,
            UploadId=upload_id,
            PartNumber=number,
            CopySource=f"src/{source}",
            CopySourceRange=f"bytes={start}-{stop - 1}",
            CopySourceIfMatch=etag,
        )
        parts.append({"PartNumber": number, "ETag": made["CopyPartResult"]["ETag"]})
    done = cloud.s3.complete_multipart_upload(**where, UploadId=upload_id, MultipartUpload={"Parts": parts})
    return str(done["ETag"])

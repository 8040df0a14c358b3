"""Objects read by part: HeadObject and GetObject with PartNumber.

moto answers HeadObject with the ETag and headers of the part, GetObject with the whole object, and takes a copy
of a multipart object for one. A copy made by CopyObject has one part.

Contract: S3 API reference, HeadObject and GetObject (partNumber, x-amz-mp-parts-count).
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeMultipart
from moto.s3.responses import S3Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.patching import Patches

_NO_SUCH_PART = "The requested partnumber is not satisfiable"


def install(patches: Patches) -> None:
    """Answer for the part asked for until the patches are undone."""

    def complete(upload: Any, body: Iterator[tuple[int, str]]) -> Any:
        numbers: list[int] = []

        def noted() -> Iterator[tuple[int, str]]:
            for number, etag in body:
                numbers.append(number)
                yield number, etag

        answer = original_complete(upload, noted())
        upload.part_sizes = tuple(upload.parts[number].contentsize for number in numbers)
        upload.dispose()
        upload.parts.clear()
        return answer

    def head_object(
        response: Any, bucket_name: str, query: dict[str, Any], key_name: str, headers: Any
    ) -> Any:
        whole = {name: values for name, values in query.items() if name != "partNumber"}
        answer = original_head(response, bucket_name, whole, key_name, headers=headers)
        if "partNumber" not in query or answer[0] != 200:
            return answer
        version = response.backend.get_object(
            bucket_name, key_name, version_id=query.get("versionId", [None])[0]
        )
        try:
            status, fields, _ = _part(version, int(query["partNumber"][0]), answer[1])
        except S3ClientError:
            return 416, {}, ""
        return status, fields, ""

    def get_object(response: Any) -> Any:
        number = response._get_int_param("partNumber")
        if number is None:
            return original_get(response)
        version, not_modified = response._get_key()
        asked = response.querystring.pop("partNumber")
        try:
            answer = original_get(response)
        finally:
            response.querystring["partNumber"] = asked
        return answer if not_modified else _part(version, number, answer[1])

    original_complete = patches.replace(FakeMultipart, "complete", complete)
    original_head = patches.replace(S3Response, "head_object", head_object)
    original_get = patches.replace(S3Response, "get_object", get_object)


def part_sizes(version: Any) -> tuple[int, ...]:
    """Return the sizes of a version's parts; () where it was not uploaded in parts."""
    uploaded_in_parts = version.multipart is not None and "-" in version.etag
    return tuple(version.multipart.part_sizes) if uploaded_in_parts else ()


def _part(version: Any, number: int, headers: dict[str, Any]) -> tuple[int, dict[str, Any], Any]:
    """Return the answer for one part of a version. Raises S3ClientError (InvalidPartNumber)."""
    sizes = part_sizes(version)
    bounds = [0, *accumulate(sizes or (version.size,))]
    if not 1 <= number < len(bounds):
        raise S3ClientError("InvalidPartNumber", _NO_SUCH_PART)
    start, stop = bounds[number - 1], bounds[number]
    fields = {
        name: value
        for name, value in headers.items()
        if not name.lower().startswith("x-amz-checksum-") and name.lower() != "content-length"
    }
    fields["content-length"] = str(stop - start)
    if sizes:
        fields["x-amz-mp-parts-count"] = str(len(sizes))
    if stop > start:
        fields["content-range"] = f"bytes {start}-{stop - 1}/{version.size}"
    return 206, fields, version.value[start:stop]

"""The same S3 calls for two servers, and what came of each call in a form that can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

Outcome = Any


class Calls:
    """One server under test: each step's outcome, version ids replaced by the step that made them."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self.s3 = s3
        self.bucket = bucket
        self.outcomes: dict[str, Outcome] = {}
        self._made_by: dict[str, str] = {"null": "null"}

    def do(
        self, step: str, operation: str, show: Callable[[Any], Outcome] | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Call, and record under `step` the error or what `show` takes from the answer."""
        try:
            answer: dict[str, Any] = getattr(self.s3, operation)(Bucket=self.bucket, **fields)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            self.outcomes[step] = f"{status} {error.response['Error']['Code']}"
            return {}
        if answer.get("VersionId"):
            self._made_by.setdefault(answer["VersionId"], step)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        self.outcomes[step] = status if show is None else show(answer)
        return answer

    def quietly(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Call without recording: something the next steps need."""
        return dict(getattr(self.s3, operation)(Bucket=self.bucket, **fields))

    def put(self, step: str, key: str, body: bytes = b"x", **fields: Any) -> str:
        """Write and return the version id."""
        answer = self.do(step, "put_object", lambda made: made["ETag"], Key=key, Body=body, **fields)
        return str(answer.get("VersionId", ""))

    def versioning(self, status: str) -> None:
        self.quietly("put_bucket_versioning", VersioningConfiguration={"Status": status})

    def name(self, version_id: str | None) -> str | None:
        """Return which step made a version."""
        return self._made_by.get(version_id, "?") if version_id else None

    def page(self, answer: Any) -> Outcome:
        """Show a page of ListObjectsV2."""
        return (keys(answer, "Contents"), prefixes(answer), answer["KeyCount"], answer["IsTruncated"])

    def versions(self, answer: Any) -> Outcome:
        """Show a page of ListObjectVersions."""
        listed = [
            [(item["Key"], self.name(item["VersionId"]), item["IsLatest"]) for item in answer.get(kind, [])]
            for kind in ("Versions", "DeleteMarkers")
        ]
        marker = (answer.get("NextKeyMarker"), self.name(answer.get("NextVersionIdMarker")))
        return (*listed, prefixes(answer), answer["IsTruncated"], marker)


def keys(answer: Any, kind: str = "Contents") -> list[str]:
    """Show the keys of a page."""
    return [item["Key"] for item in answer.get(kind, [])]


def prefixes(answer: Any) -> list[str]:
    """Show the common prefixes of a page."""
    return [item["Prefix"] for item in answer.get("CommonPrefixes", [])]

"""HTTP statuses of errors that moto's model of S3 does not know and would answer with 400."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.responses import S3Response

if TYPE_CHECKING:
    from localcloud.patching import Patches

STATUSES = {
    "InvalidBucketState": 409,
    "ConditionalRequestConflict": 409,
    "InvalidObjectState": 403,
    "InvalidPartNumber": 416,
    "NotImplemented": 501,
    "ObjectNotInActiveTierError": 403,
    "RestoreAlreadyInProgress": 409,
}
"""Source: S3 API reference, "Error responses"."""


def install(patches: Patches) -> None:
    """Answer with these statuses until the patches are undone."""

    def serialized(response: Any, result: Any) -> Any:
        status, headers, body = original(response, result)
        return STATUSES.get(getattr(result.result, "code", ""), status), headers, body

    original = patches.replace(S3Response, "serialized", serialized)

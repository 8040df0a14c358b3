"""Policies, where moto takes them wrongly.

- A bucket policy's statement with a Condition does not decide: moto evaluates statements without their
  conditions, so that a usual "deny without TLS" would refuse every call. Here such statements are kept and given
  back, but do not decide; `localcloud.authorization` evaluates them with their conditions, where it enforces.
- ARNs of S3 jobs hold a region, which moto refuses in an identity policy.
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam import policy_validation
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from localcloud.patching import Patches

_REGIONAL = ["accesspoint/", "job/", "storage-lens/"]


def install(patches: Patches) -> None:
    """Mend both until the patches are undone."""
    patches.replace(FakeBucket, "get_permission", _permission)
    rules = policy_validation.SERVICE_TYPE_REGION_INFORMATION_ERROR_ASSOCIATIONS
    s3 = rules["s3"] | {"valid_starting_values": _REGIONAL}
    patches.replace(
        policy_validation, "SERVICE_TYPE_REGION_INFORMATION_ERROR_ASSOCIATIONS", rules | {"s3": s3}
    )


def _permission(bucket: Any, action: str, resource: str) -> Any:
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(bucket.policy)
    policy["Statement"] = [item for item in policy["Statement"] if "Condition" not in item]
    if not policy["Statement"]:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)

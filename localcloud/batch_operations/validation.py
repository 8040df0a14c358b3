"""What a request must be: botocore's model, then the rules between its fields.

Contract: S3 Control API reference, CreateJob and its types; S3 User Guide, "Creating an S3 Batch Operations job".
"""

from __future__ import annotations

from typing import Any

from localcloud.batch_operations.data_plane import OPERATIONS
from localcloud.batch_operations.exceptions import BadRequest
from localcloud.batch_operations.manifest import CSV_FORMAT, INVENTORY_FORMAT
from localcloud.batch_operations.shapes import model, problems


def check_shape(operation: str, request: dict[str, Any], error: type[Exception] = BadRequest) -> None:
    """Raise `error` with every problem a parsed request has with the model."""
    found = list(problems(model().operation_model(operation).input_shape, request))
    if found:
        plural = "error" if len(found) == 1 else "errors"
        raise error(f"{len(found)} validation {plural} detected: {'; '.join(found)}")


def check_create_job(request: dict[str, Any], account: str) -> None:
    """Raise BadRequest for the first rule between fields that a well-formed CreateJob breaks."""
    if request["RoleArn"].split(":")[4] != account:
        raise BadRequest("Cross-account pass role is not allowed")
    if ("Manifest" in request) == ("ManifestGenerator" in request):
        raise BadRequest("Exactly one of Manifest and ManifestGenerator must be specified")
    _check_operation(request["Operation"])
    _check_report(request["Report"])
    if "Manifest" in request:
        _check_manifest(request["Manifest"])


def _check_operation(operation: dict[str, Any]) -> None:
    if len(operation) != 1:
        raise BadRequest("Exactly one operation must be specified")
    ((name, parameters),) = operation.items()
    if name not in OPERATIONS:
        raise BadRequest(f"The operation {name} is not supported by the local cloud")
    if name == "S3PutObjectCopy":
        _check_copy(parameters)


def _check_copy(parameters: dict[str, Any]) -> None:
    target = parameters.get("TargetResource")
    if not target:
        raise BadRequest("TargetResource is required for S3PutObjectCopy")
    _check_bucket_arn(target, "TargetResource")


def _check_report(report: dict[str, Any]) -> None:
    if not report["Enabled"]:
        return
    missing = [name for name in ("Bucket", "Format", "ReportScope") if not report.get(name)]
    if missing:
        raise BadRequest(f"An enabled report needs {', '.join(missing)}")
    _check_bucket_arn(report["Bucket"], "Report.Bucket")


def _check_manifest(manifest: dict[str, Any]) -> None:
    spec, location = manifest["Spec"], manifest["Location"]
    if spec["Format"] == CSV_FORMAT and not spec.get("Fields"):
        raise BadRequest(f"Manifest.Spec.Fields is required for the format {CSV_FORMAT}")
    if spec["Format"] == INVENTORY_FORMAT and spec.get("Fields"):
        raise BadRequest(f"Manifest.Spec.Fields is not allowed for the format {INVENTORY_FORMAT}")
    _, _, path = location["ObjectArn"].partition(":s3:::")
    bucket, _, key = path.partition("/")
    if not bucket or not key:
        raise BadRequest(
            f"Manifest.Location.ObjectArn {location['ObjectArn']} is not the ARN of an S3 object"
        )


def _check_bucket_arn(arn: str, field: str) -> None:
    name = arn.partition(":s3:::")[2]
    if not name or "/" in name or ":" in name:
        raise BadRequest(f"{field} {arn} is not the ARN of a general purpose bucket")

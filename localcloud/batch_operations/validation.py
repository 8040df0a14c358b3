"""What a request must be: botocore's model, then the rules between its fields.

Contract: S3 Control API reference, CreateJob and its types; S3 User Guide, "Creating an S3 Batch Operations
job".
"""

from __future__ import annotations

from typing import Any

from localcloud.batch_operations.data_plane import OPERATIONS
from localcloud.batch_operations.exceptions import BadRequest
from localcloud.batch_operations.manifest import CSV_FORMAT, INVENTORY_FORMAT
from localcloud.batch_operations.operations import checksum, replicate
from localcloud.batch_operations.shapes import model, problems

MAX_TAGS = 50
MAX_NAMES = 1


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
    else:
        _check_generator(request["ManifestGenerator"])
    _check_checksum(request)
    if len(request.get("Tags") or ()) > MAX_TAGS:
        raise BadRequest(f"A job can have at most {MAX_TAGS} tags")


def _check_operation(operation: dict[str, Any]) -> None:
    if len(operation) != 1:
        raise BadRequest("Exactly one operation must be specified")
    ((name, parameters),) = operation.items()
    if name not in OPERATIONS:
        raise BadRequest(f"The operation {name} is not supported by the local cloud")
    if name == "S3PutObjectCopy":
        _check_copy(parameters)
    elif name == "LambdaInvoke":
        _check_invoke(parameters)
    elif name == "S3InitiateRestoreObject":
        _check_restore(parameters)
    elif name == "S3ReplicateObject" and not replicate.supported():
        raise BadRequest(
            "The operation S3ReplicateObject needs localcloud.replication, which is not installed"
        )


def _check_invoke(parameters: dict[str, Any]) -> None:
    schema = parameters.get("InvocationSchemaVersion", "1.0")
    if not parameters.get("FunctionArn"):
        raise BadRequest("FunctionArn is required for LambdaInvoke")
    if schema not in ("1.0", "2.0"):
        raise BadRequest(f"InvocationSchemaVersion {schema} must be 1.0 or 2.0")
    if "UserArguments" in parameters and schema != "2.0":
        raise BadRequest("UserArguments need InvocationSchemaVersion 2.0")


def _check_restore(parameters: dict[str, Any]) -> None:
    if not parameters.get("ExpirationInDays"):
        raise BadRequest(
            "ExpirationInDays of S3InitiateRestoreObject must be 1 or more; the archive tiers of "
            "S3 Intelligent-Tiering, which do without, are not supported by the local cloud"
        )


def _check_checksum(request: dict[str, Any]) -> None:
    parameters = request["Operation"].get("S3ComputeObjectChecksum")
    if parameters is None:
        return
    if not request["Report"].get("ExpectedBucketOwner"):
        raise BadRequest("Report.ExpectedBucketOwner is required for S3ComputeObjectChecksum")
    algorithm = parameters.get("ChecksumAlgorithm", "CRC32")
    if algorithm not in checksum.ALGORITHMS:
        raise BadRequest(f"The checksum algorithm {algorithm} is not supported by the local cloud")
    if parameters.get("ChecksumType") == "COMPOSITE":
        raise BadRequest("The checksum type COMPOSITE is not supported by the local cloud")


def _check_copy(parameters: dict[str, Any]) -> None:
    target = parameters.get("TargetResource")
    if not target:
        raise BadRequest("TargetResource is required for S3PutObjectCopy")
    _check_bucket_arn(target, "TargetResource")
    for grant in parameters.get("AccessControlGrants") or ():
        if not grant.get("Grantee", {}).get("Identifier") or "Permission" not in grant:
            raise BadRequest(
                "Each of AccessControlGrants needs a Grantee with an Identifier, and a Permission"
            )
    for name in ("AnnotationDirective", "ObjectLockEventHold", "ObjectLockEventHoldDuration"):
        if name in parameters:
            raise BadRequest(f"{name} is not supported by the local cloud")


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


def _check_generator(union: dict[str, Any]) -> None:
    generator = union.get("S3JobManifestGenerator")
    if generator is None:
        raise BadRequest("ManifestGenerator must hold an S3JobManifestGenerator")
    _check_bucket_arn(generator["SourceBucket"], "SourceBucket")
    output = generator.get("ManifestOutputLocation")
    if generator["EnableManifestOutput"]:
        if not output:
            raise BadRequest("ManifestOutputLocation is required when EnableManifestOutput is true")
        _check_bucket_arn(output["Bucket"], "ManifestOutputLocation.Bucket")
    wanted = generator.get("Filter") or {}
    for name, values in (wanted.get("KeyNameConstraint") or {}).items():
        if len(values) > MAX_NAMES:
            raise BadRequest(f"KeyNameConstraint.{name} takes one string")
    for choice in wanted.get("MatchAnyObjectEncryption") or ():
        if len(choice) != 1:
            raise BadRequest("Each of MatchAnyObjectEncryption must hold exactly one kind of encryption")


def _check_bucket_arn(arn: str, field: str) -> None:
    name = arn.partition(":s3:::")[2]
    if not name or "/" in name or ":" in name:
        raise BadRequest(f"{field} {arn} is not the ARN of a general purpose bucket")

"""From a request to a run: its buckets looked at, its operation chosen, and what can't work refused at the start.

Nothing is changed here. Contracts: S3 User Guide, "Copy objects with S3 Batch Operations", "Replicating existing
objects with Batch Replication"; IAM API reference, SimulatePrincipalPolicy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from seeder.buckets import Bucket, describe, require_versioning
from seeder.errors import InvalidRequest, code_of
from seeder.replication import read_rules
from seeder.request import Request, parse_request
from seeder.roles import given_job_role, given_replication_role
from seeder.roles.plans import covers_key, key_arn
from seeder.run import Run

if TYPE_CHECKING:
    from seeder.clients import Clients
    from seeder.settings import Settings

_UNKNOWN_HERE = frozenset({"AccessDenied", "AccessDeniedException"})


def resolve(
    document: object, run_id: str, started_at: str, account_id: str, settings: Settings, clients: Clients
) -> Run:
    """Check a request and its buckets, and return the run. Changes nothing.

    Raises InvalidRequest naming the field, AccessDenied, ClientError.
    """
    request = parse_request(document)
    job_role, replication_role = given_job_role(request, settings), given_replication_role(request, settings)
    source = describe(clients, "source", request.source, account_id)
    destination = describe(clients, "destination", request.destination, account_id)
    operation = _operation(request, source, clients)
    if operation == "replicate" and not request.enable_replication:
        require_versioning("source", source)
        require_versioning("destination", destination)
    if operation == "copy":
        _check_copy(destination)
        _check_keys(source, destination, account_id, job_role, settings, clients)
    if request.enable_replication and request.replica_kms_key and not replication_role:
        asked, held = request.replica_kms_key, key_arn(source, account_id)
        _require_key("replica_kms_key", f"'{asked}' is a key", asked, settings)
        _require_key("source", _encrypts(source, held), held, settings)
    return Run(
        run_id=run_id,
        started_at=started_at,
        account_id=account_id,
        request=request,
        source=source,
        destination=destination,
        state_bucket=settings.state_bucket,
        operation=operation,
    )


def _operation(request: Request, source: Bucket, clients: Clients) -> Literal["copy", "replicate"]:
    if request.operation == "copy":
        return "copy"
    if request.enable_replication or request.trigger == "rule-added":
        return "replicate"
    rules = read_rules(clients.s3(source.region), source.name)
    if any(rule.covers(request.destination, request.prefix, request.tags) for rule in rules):
        return "replicate"
    if request.operation == "auto":
        return "copy"
    keys = f"the keys that begin with '{request.prefix}'" if request.prefix else "all keys"
    raise InvalidRequest(
        "operation",
        f"'replicate' needs an enabled rule of '{request.source}' that replicates {keys} to "
        f"'{request.destination}', and there is none; add one, set enable_replication to true, or ask for 'copy'",
    )


def _check_copy(destination: Bucket) -> None:
    """Refuse a copy that no task of could succeed."""
    if not destination.is_ours:
        raise InvalidRequest(
            "destination",
            f"bucket '{destination.name}' belongs to another account, and a copy job must be created in the "
            "destination's account; add a replication rule and ask for 'replicate', or deploy seeder there",
        )


def _check_keys(
    source: Bucket, destination: Bucket, account_id: str, role_arn: str, settings: Settings, clients: Clients
) -> None:
    """Refuse a copy by a role that may not use the buckets' keys; an empty `role_arn` is one that is yet to be made."""
    for bucket, field, action in (
        (source, "source", "kms:Decrypt"),
        (destination, "destination", "kms:GenerateDataKey"),
    ):
        key = key_arn(bucket, account_id)
        if not role_arn:
            _require_key(field, _encrypts(bucket, key), key, settings)
        elif key and not _may(clients, role_arn, action, key):
            raise InvalidRequest(
                field,
                f"{_encrypts(bucket, key)}, for which the jobs' role {role_arn} lacks {action}; "
                "allow it in the role's policy (and in the key's), or ask for 'replicate'",
            )


def _encrypts(bucket: Bucket, key: str) -> str:
    return f"bucket '{bucket.name}' encrypts by {key}"


def _require_key(field: str, told: str, key: str, settings: Settings) -> None:
    """Refuse a key, unless it is empty, that no role which the stack makes could use; `told` is where it comes from."""
    if key and not covers_key(settings, key):
        raise InvalidRequest(
            field,
            f"{told} which the roles that this stack makes may not use (its parameter KmsKeyId is "
            f"'{settings.kms_key_id}'); deploy with KmsKeyId={key.rpartition('/')[2]} or *, or give a role of your own",
        )


def _may(clients: Clients, role_arn: str, action: str, resource: str) -> bool:
    """Tell what IAM says of the role's policies; true where that is not known.

    It is not where this function may not ask, and where a policy depends on what only a task's request has.
    """
    try:
        answer = clients.iam().simulate_principal_policy(
            PolicySourceArn=role_arn, ActionNames=[action], ResourceArns=[resource]
        )
    except ClientError as error:
        if code_of(error) in _UNKNOWN_HERE:
            return True
        raise
    results = answer["EvaluationResults"]
    return all(
        result["EvalDecision"] == "allowed" or result.get("MissingContextValues") for result in results
    )

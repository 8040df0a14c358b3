"""From a request to a run: its buckets looked at, its operation chosen, and what can't work refused at the start.

Nothing is changed here. Contracts: S3 User Guide, "Copy objects with S3 Batch Operations", "Replicating existing
objects with Batch Replication"; IAM API reference, SimulatePrincipalPolicy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from seeder.buckets import Bucket, describe, require_versioning
from seeder.errors import InvalidRequest, code_of
from seeder.replication import read_rules
from seeder.request import Request, parse_request
from seeder.run import Run

if TYPE_CHECKING:
    from seeder.clients import Clients
    from seeder.settings import Settings

_KEY_ID = re.compile(r"[0-9a-f-]{36}|mrk-[0-9a-f]{32}")
_UNKNOWN_HERE = frozenset({"AccessDenied", "AccessDeniedException"})


def resolve(
    document: object, run_id: str, started_at: str, account_id: str, settings: Settings, clients: Clients
) -> Run:
    """Check a request and its buckets, and return the run. Changes nothing.

    Raises InvalidRequest naming the field, AccessDenied, ClientError.
    """
    request = parse_request(document)
    source = describe(clients, "source", request.source, account_id)
    destination = describe(clients, "destination", request.destination, account_id)
    operation = _operation(request, source, clients)
    if operation == "replicate" and not request.enable_replication:
        require_versioning("source", source)
        require_versioning("destination", destination)
    if operation == "copy":
        _check_copy(request, source, destination, account_id, settings.job_role_arn, clients)
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
    if any(rule.covers(request.destination, request.prefix) for rule in rules):
        return "replicate"
    if request.operation == "auto":
        return "copy"
    keys = f"the keys that begin with '{request.prefix}'" if request.prefix else "all keys"
    raise InvalidRequest(
        "operation",
        f"'replicate' needs an enabled rule of '{request.source}' that replicates {keys} to "
        f"'{request.destination}', and there is none; add one, set enable_replication to true, or ask for 'copy'",
    )


def _check_copy(
    request: Request,
    source: Bucket,
    destination: Bucket,
    account_id: str,
    role_arn: str,
    clients: Clients,
) -> None:
    """Refuse a copy that no task of could succeed."""
    if not destination.is_ours:
        raise InvalidRequest(
            "destination",
            f"bucket '{destination.name}' belongs to another account, and a copy job must be created in the "
            "destination's account; add a replication rule and ask for 'replicate', or deploy seeder there",
        )
    for bucket, field, action in (
        (source, "source", "kms:Decrypt"),
        (destination, "destination", "kms:GenerateDataKey"),
    ):
        key = _key_arn(bucket, account_id)
        if key and role_arn and not _may(clients, role_arn, action, key):
            raise InvalidRequest(
                field,
                f"bucket '{bucket.name}' encrypts by {key}, for which the jobs' role {role_arn} lacks {action}; "
                "allow it in the role's policy (and in the key's), or ask for 'replicate'",
            )


def _key_arn(bucket: Bucket, account_id: str) -> str:
    """The ARN of a bucket's key; empty for one that is named by an alias, which no policy need name."""
    if bucket.key.startswith("arn:"):
        return "" if ":alias/" in bucket.key else bucket.key
    return (
        f"arn:aws:kms:{bucket.region}:{account_id}:key/{bucket.key}" if _KEY_ID.fullmatch(bucket.key) else ""
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

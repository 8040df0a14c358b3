"""The roles of a run: those it was given, or those made for its pair, within a path and a permissions boundary.

The job role is made for a pair and a prefix, and has a policy of its own for each kind of job. The replication role is
made for a source, for S3 keeps one role for all rules of a bucket (API reference, ReplicationConfiguration), and has a
policy for each destination and prefix. So a run writes no policy that a run of another scope has written.

A policy is only ever widened: rules go on being replicated by it when runs have ended, and what objects were encrypted
by once, they stay encrypted by. `seeder prune` removes roles; the next run makes them anew, as narrow as it needs them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import Conflict, InvalidRequest, NotYetVisible, code_of
from seeder.replication import parse_rule, read_configuration
from seeder.roles import policies
from seeder.roles.plans import JOBS, REPLICATION, Plan, job_plan, replication_plan, tag_value
from seeder.roles.policies import Document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_iam import IAMClient

    from seeder.clients import Clients
    from seeder.request import Request
    from seeder.run import Run
    from seeder.settings import Settings

# Changes of IAM take some seconds to be seen everywhere (IAM User Guide, "Changes that I make are not always
# immediately visible"); how many is nowhere said.
SETTLE_SECONDS = 15
# By this tag, a call that is repeated finds what the call before it had changed.
RUN_TAG = "seeder-run"
_MEANWHILE = frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable", "NoSuchEntity"})


class Roles(BaseModel):
    """The ARNs of a run's roles; `replication` is empty where none is needed.

    Where one was made or changed by this run, `made` is true, and `settle_seconds` are to be waited before its use.
    """

    model_config = ConfigDict(frozen=True)

    job: str
    replication: str = ""
    settle_seconds: int = 0
    made: bool = False


def ensure(run: Run, settings: Settings, clients: Clients) -> Roles:
    """Return the run's roles, made or widened where they were not given. Can be repeated.

    Raises InvalidRequest for a given role that the stack may not pass, or where IAM's quotas are reached; Conflict
    where a role of that name is somebody else's; NotYetVisible where others change it meanwhile; ClientError.
    """
    job, replication = given_job_role(run.request, settings), given_replication_role(run.request, settings)
    changed = []
    if not job:
        job, is_changed = _ensure(clients.iam(), job_plan(run, settings, clients.region), run, settings)
        changed.append(is_changed)
    if run.request.enable_replication and run.request.trigger != "rule-added":
        plan = replication_plan(run, settings, clients.region)
        replication = _held(run, settings, plan, clients) or replication
        if not replication:
            replication, is_changed = _ensure(clients.iam(), plan, run, settings)
            changed.append(is_changed)
    made = any(changed)
    return Roles(job=job, replication=replication, made=made, settle_seconds=SETTLE_SECONDS if made else 0)


def given_job_role(request: Request, settings: Settings) -> str:
    """Return the ARN of the jobs' role that the request or the stack gives; empty: one is made.

    Raises InvalidRequest for one that the stack may not pass to S3.
    """
    return _given("job_role_arn", request.job_role_arn, settings.job_role_arn, settings, JOBS)


def given_replication_role(request: Request, settings: Settings) -> str:
    """Return the ARN of the replication role that the request or the stack gives; see `given_job_role`."""
    asked = request.replication_role_arn
    return _given("replication_role_arn", asked, settings.replication_role_arn, settings, REPLICATION)


def _given(field: str, asked: str, of_stack: str, settings: Settings, kind: str) -> str:
    if not asked or asked == of_stack:
        return of_stack
    if of_stack:
        raise InvalidRequest(
            field,
            f"this stack passes one role alone, {of_stack}; leave the field out, or deploy with '{asked}'",
        )
    path = f"{settings.role_path}{kind}/"
    if not _is_under(path, asked):
        raise InvalidRequest(
            field,
            f"this stack may not pass '{asked}' to S3; make the role under the path {path}, or deploy with its ARN",
        )
    return asked


def _is_under(path: str, arn: str) -> bool:
    return arn.partition(":role")[2].startswith(path)


def _held(run: Run, settings: Settings, plan: Plan, clients: Clients) -> str:
    """Return the role that the source's rules have already, where it is not the planned one: a rule more has it too.

    Raises InvalidRequest for one that the stack may not pass to S3, as it must to add a rule.
    """
    configuration = read_configuration(clients.s3(run.source.region), run.source.name)
    held, of_stack = str(configuration.get("Role", "")), settings.replication_role_arn
    if not held or (not of_stack and held.endswith(f":role{plan.path}{plan.name}")):
        return ""
    is_passed = held == of_stack if of_stack else _is_under(plan.path, held)
    if not is_passed and not _is_covered(run, configuration):
        raise InvalidRequest(
            "enable_replication",
            f"the rules of '{run.source.name}' have one role, {held}, which this stack may not pass to S3; deploy "
            "with it as ReplicationRoleArn, or add the rule yourself",
        )
    return held


def _is_covered(run: Run, configuration: dict[str, Any]) -> bool:
    request = run.request
    rules = [parse_rule(rule) for rule in configuration.get("Rules", [])]
    return any(rule.covers(request.destination, request.prefix, request.tags) for rule in rules)


def _ensure(iam: IAMClient, plan: Plan, run: Run, settings: Settings) -> tuple[str, bool]:
    """Make or widen a role; return its ARN and whether this run has made or changed it."""
    try:
        role = _find(iam, plan.name)
        is_new = role is None
        role = role or _create(iam, plan, run.run_id, settings.boundary_arn)
        _require_ours(role, plan, settings)
        return role["Arn"], _write(iam, plan, role, run.run_id) or is_new
    except ClientError as error:
        if code_of(error) in _MEANWHILE:
            raise NotYetVisible(f"role '{plan.name}' is just being changed: {error}") from error
        if code_of(error) == "LimitExceeded":
            raise InvalidRequest(
                f"{'replication' if plan.path.endswith(f'{REPLICATION}/') else 'job'}_role_arn",
                f"no role can be made or widened for this pair: {error}; give one, or remove others (seeder prune)",
            ) from error
        raise


def _find(iam: IAMClient, name: str) -> dict[str, Any] | None:
    """Return a role; None where there is none, or none within the stack's path.

    IAM looks for the permission at a role's path, and one that is not there has none: that is denied, not NoSuchEntity.
    """
    try:
        return dict(iam.get_role(RoleName=name)["Role"])
    except ClientError as error:
        if code_of(error) in {"NoSuchEntity", "AccessDenied"}:
            return None
        raise


def _create(iam: IAMClient, plan: Plan, run_id: str, boundary: str) -> dict[str, Any]:
    tags = plan.tags | {RUN_TAG: tag_value(run_id)}
    within: dict[str, Any] = {"PermissionsBoundary": boundary} if boundary else {}
    try:
        made = iam.create_role(
            RoleName=plan.name,
            Path=plan.path,
            AssumeRolePolicyDocument=json.dumps(plan.trust),
            Description="Made by seeder; removed by seeder prune.",
            **within,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )["Role"]
    except ClientError as error:
        if code_of(error) != "EntityAlreadyExists":
            raise
        # Another run, or a call of this one that has died, was faster.
        return dict(iam.get_role(RoleName=plan.name)["Role"])
    return dict(made) | {"AssumeRolePolicyDocument": plan.trust}


def _require_ours(role: dict[str, Any], plan: Plan, settings: Settings) -> None:
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    if role["Path"] != plan.path or boundary != settings.boundary_arn:
        raise Conflict(
            f"role {role['Arn']} is not within the path {plan.path} and the permissions boundary "
            f"{settings.boundary_arn} of this stack; delete it (seeder prune --days 0), and run again"
        )


def _write(iam: IAMClient, plan: Plan, role: dict[str, Any], run_id: str) -> bool:
    """Write what a role lacks; tell whether this run has changed it, now or in a call before."""
    updates = dict(_updates(iam, plan))
    is_trusted = role["AssumeRolePolicyDocument"] == plan.trust
    if not updates and is_trusted:
        tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}
        return tags.get(RUN_TAG) == tag_value(run_id)
    iam.tag_role(RoleName=plan.name, Tags=[{"Key": RUN_TAG, "Value": tag_value(run_id)}])
    if not is_trusted:
        iam.update_assume_role_policy(RoleName=plan.name, PolicyDocument=json.dumps(plan.trust))
    for name, document in updates.items():
        iam.put_role_policy(RoleName=plan.name, PolicyName=name, PolicyDocument=json.dumps(document))
    return True


def _updates(iam: IAMClient, plan: Plan) -> Iterable[tuple[str, Document]]:
    for name, wanted in plan.policies.items():
        there = _policy(iam, plan.name, name)
        document = policies.widened(there, wanted)
        if document != there:
            yield name, document


def _policy(iam: IAMClient, role: str, name: str) -> Document:
    try:
        document: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return {}
        raise
    return dict(document)

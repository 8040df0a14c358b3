"""iam:SimulatePrincipalPolicy, which moto lacks, for roles.

Contract: IAM API reference, SimulatePrincipalPolicy and EvaluationResult; IAM User Guide, "Policy evaluation
logic". As in AWS, the policies of resources have no part in it. What is not evaluated is refused with
"not supported by the local cloud" (InvalidInput, or PolicyEvaluation where a policy itself is the reason).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import IAMException
from moto.iam.responses import IamResponse

from localcloud.iam import Access, Decision, Principal, UnsupportedPolicy, evaluate
from localcloud.iam_roles import Role, read_role

if TYPE_CHECKING:
    from localcloud.iam import Context
    from localcloud.patching import Patches

_SUPPORTED = frozenset(("PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries"))
_WORDS = {Decision.ALLOW: "allowed", Decision.DENY: "explicitDeny", Decision.SILENT: "implicitDeny"}


def install(patches: Patches) -> None:
    """Answer SimulatePrincipalPolicy until the patches are undone."""
    patches.add(IamResponse, "simulate_principal_policy", _answer)


def _answer(response: Any) -> ActionResult:
    request = {name: value for name, value in response.params.items() if value not in (None, [], "")}
    if unknown := sorted(set(request) - _SUPPORTED):
        raise IAMException("InvalidInput", f"{', '.join(unknown)} is not supported by the local cloud")
    results = simulate(
        request.get("PolicySourceArn", ""),
        request.get("ActionNames", []),
        request.get("ResourceArns") or ["*"],
        {
            entry["ContextKeyName"]: entry.get("ContextKeyValues", [])
            for entry in request.get("ContextEntries", [])
        },
    )
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def simulate(
    role_arn: str, actions: list[str], resources: list[str], entries: Context
) -> list[dict[str, Any]]:
    """Return an EvaluationResult for each action on each resource.

    `entries` maps condition keys to their values; a key that a policy asks for and that is not there counts as
    absent, and is named in MissingContextValues. Raises IAMException (NoSuchEntity, InvalidInput,
    PolicyEvaluation).
    """
    try:
        role = _role(role_arn)
        return [_evaluate(role, action, resource, entries) for action in actions for resource in resources]
    except UnsupportedPolicy as error:
        raise IAMException("PolicyEvaluation", f"{error} (not supported by the local cloud)") from error


def _role(arn: str) -> Role:
    kind = arn.split(":", 5)[-1].split("/")[0]
    if not arn.startswith("arn:") or kind not in ("role", "user", "group"):
        raise IAMException("InvalidInput", f"PolicySourceArn {arn} is not the ARN of an IAM entity")
    if kind != "role":
        raise IAMException(
            "InvalidInput", f"PolicySourceArn {arn}: a {kind} is not supported by the local cloud"
        )
    role = read_role(arn)
    if role is None:
        raise IAMException("NoSuchEntity", f"The role with name {arn.rsplit('/', 1)[-1]} cannot be found.")
    return role


def _evaluate(role: Role, action: str, resource: str, entries: Context) -> dict[str, Any]:
    given = {name.lower() for name in entries}
    policies = [*role.identity, *([role.boundary] if role.boundary else [])]
    asked = {key for policy in policies for key in policy.condition_keys(action, resource)}
    missing = sorted(key for key in asked if key.lower() not in given)
    context = {**dict.fromkeys(missing), **entries}
    access = Access(action, resource, Principal(arn=role.arn), context)
    said = evaluate(role.identity, access)
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "MatchedStatements": [
            {"SourcePolicyId": policy.name, "SourcePolicyType": "IAM Policy"}
            for policy in role.identity
            if policy.decide(access) is not Decision.SILENT
        ],
        "MissingContextValues": missing,
    }
    if role.boundary:
        limit = role.boundary.decide(access)
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": limit is Decision.ALLOW
        }
        said = _limited(said, limit)
    return {**result, "EvalDecision": _WORDS[said]}


def _limited(said: Decision, limit: Decision) -> Decision:
    if Decision.DENY in (said, limit):
        return Decision.DENY
    return said if limit is Decision.ALLOW else Decision.SILENT

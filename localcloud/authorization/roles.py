"""What a request to IAM or STS needs to be allowed.

Contract: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access
Management"; IAM User Guide, "IAM and AWS STS condition context keys" (iam:PermissionsBoundary, iam:PolicyARN).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends

from localcloud.authorization.needs import Need, NotSupported
from localcloud.iam import Policy
from localcloud.iam_roles import read_role
from localcloud.kms import Key

if TYPE_CHECKING:
    from localcloud.authorization.calls import Call

TAGS_AT_CREATION_NEED_TAG_ROLE = True
"""Whether CreateRole with tags needs iam:TagRole too. Unconfirmed by IAM's own pages."""

_OF_ROLE = frozenset(
    {
        "DeleteRole",
        "GetRole",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "ListRolePolicies",
        "ListRoleTags",
        "TagRole",
        "UntagRole",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
        "UpdateRoleDescription",
    }
)
_UNDER_BOUNDARY = frozenset(
    {
        "AttachRolePolicy",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
    }
)
_OF_POLICY = frozenset(
    {
        "CreatePolicyVersion",
        "DeletePolicy",
        "DeletePolicyVersion",
        "GetPolicy",
        "GetPolicyVersion",
        "ListEntitiesForPolicy",
        "ListPolicyVersions",
    }
)
_OF_ALL = frozenset({"GetAccountAuthorizationDetails", "GetAccountSummary", "ListPolicies", "ListRoles"})
"""Actions that have no resource type, so that a policy must name all resources (`*`)."""


def iam_needs(call: Call, account: str) -> list[Need]:
    """Return what a request to IAM needs. Raises NotSupported."""
    form = call.form
    operation = form.get("Action", "")
    action = f"iam:{operation}"
    if operation == "CreateRole":
        return _create_role(form, account)
    if operation in _OF_ROLE | _UNDER_BOUNDARY:
        arn, role = _role(form.get("RoleName", ""), account)
        context = _tag_context(form) | _tags_of(role)
        if operation in _UNDER_BOUNDARY:
            held = getattr(role, "permissions_boundary_arn", None)
            context["iam:PermissionsBoundary"] = form.get("PermissionsBoundary") or held
            context["iam:PolicyARN"] = form.get("PolicyArn")
        return [Need(action, arn, context)]
    if operation in _OF_POLICY:
        return [Need(action, form.get("PolicyArn", ""))]
    if operation == "CreatePolicy":
        arn = f"arn:aws:iam::{account}:policy{form.get('Path', '/')}{form.get('PolicyName', '')}"
        return [Need(action, arn, _tag_context(form))]
    if operation == "SimulatePrincipalPolicy":
        return [Need(action, form.get("PolicySourceArn", ""))]
    if operation in _OF_ALL:
        return [Need(action, "*")]
    raise NotSupported(action)


def sts_needs(call: Call, account: str) -> list[Need]:
    """Return what a request to STS needs; GetCallerIdentity needs nothing. Raises NotSupported."""
    form = call.form
    operation = form.get("Action", "")
    if operation == "GetCallerIdentity":
        return []
    if operation == "AssumeRole":
        context = {
            "sts:ExternalId": form.get("ExternalId"),
            "sts:RoleSessionName": form.get("RoleSessionName"),
        }
        arn = form.get("RoleArn", "")
        role = read_role(arn)
        trust = role.trust if role else Policy({})
        return [Need("sts:AssumeRole", arn, context, key=Key(arn, trust))]
    raise NotSupported(f"sts:{operation}")


def _create_role(form: dict[str, str], account: str) -> list[Need]:
    arn = f"arn:aws:iam::{account}:role{form.get('Path', '/')}{form.get('RoleName', '')}"
    tags = _tag_context(form)
    wanted = [
        Need("iam:CreateRole", arn, {**tags, "iam:PermissionsBoundary": form.get("PermissionsBoundary")})
    ]
    if tags["aws:TagKeys"] and TAGS_AT_CREATION_NEED_TAG_ROLE:
        wanted.append(Need("iam:TagRole", arn, tags))
    return wanted


def _role(name: str, account: str) -> tuple[str, Any | None]:
    roles = list(iam_backends[account]["aws"].roles.values())
    held = next((role for role in roles if role.name == name), None)
    return (held.arn if held else f"arn:aws:iam::{account}:role/{name}"), held


def _tag_context(form: dict[str, str]) -> dict[str, Any]:
    context: dict[str, Any] = {}
    for number in range(1, 51):
        key = form.get(f"Tags.member.{number}.Key")
        if key is None:
            break
        context[f"aws:RequestTag/{key}"] = form.get(f"Tags.member.{number}.Value", "")
    keys = [name.partition("/")[2] for name in context]
    keys += [value for name, value in form.items() if name.startswith("TagKeys.member.")]
    context["aws:TagKeys"] = keys or None
    return context


def _tags_of(role: Any | None) -> dict[str, str]:
    tags = getattr(role, "tags", None) or []
    held = {tag["Key"]: tag["Value"] for tag in (tags.values() if isinstance(tags, dict) else tags)}
    return {
        f"{service}:ResourceTag/{key}": value for key, value in held.items() for service in ("aws", "iam")
    }

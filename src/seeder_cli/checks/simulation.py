"""What a role's own policies, boundary and organisation allow it, asked of IAM.

Contract: IAM API reference, SimulatePrincipalPolicy and EvaluationResult.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seeder_cli.checks.denials import Need

EXAMPLE_KEY = "seeder-doctor"


@dataclass(frozen=True)
class Answer:
    """What IAM says of a need: "allowed", "refused" or "depends", and on which conditions or by what."""

    need: Need
    says: str
    why: str = ""


def simulate(iam: Any, role_arn: str, needs: Iterable[Need], context: Mapping[str, str]) -> list[Answer]:
    """Return an answer for each need of a role; `context` holds condition keys and values. Raises ClientError.

    For objects, an example below the ARN is asked for.
    """
    by_resource: dict[str, list[Need]] = defaultdict(list)
    for need in needs:
        by_resource[need.arn + (EXAMPLE_KEY if need.all_below else "")].append(need)
    answers = []
    for resource, wanted in by_resource.items():
        pages = iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=role_arn,
            ActionNames=[need.action for need in wanted],
            ResourceArns=[resource],
            ContextEntries=_entries({**context, "kms:EncryptionContext:aws:s3:arn": resource}),
        )
        results = {result["EvalActionName"]: result for page in pages for result in page["EvaluationResults"]}
        answers += [_answer(need, results[need.action]) for need in wanted]
    return answers


def _entries(context: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]}
        for key, value in context.items()
    ]


def _answer(need: Need, result: Mapping[str, Any]) -> Answer:
    if result["EvalDecision"] == "allowed":
        return Answer(need, "allowed")
    if missing := result.get("MissingContextValues"):
        return Answer(need, "depends", ", ".join(missing))
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return Answer(need, "refused", "by a policy of the organisation")
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return Answer(need, "refused", "by its permissions boundary")
    explicit = result["EvalDecision"] == "explicitDeny"
    return Answer(need, "refused", "by a Deny of its policies" if explicit else "")

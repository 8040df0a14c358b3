"""What the roles of a cloud did, and what they might do, put to the independent evaluator."""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.authorization import Recorded
from localcloud.cloud import LocalCloud
from tests.iam.evaluator import Request, Verdict, evaluate
from tests.iam.forbidden import Call
from tests.iam.policies_of import Role, resource_of, roles_of


def judged(cloud: LocalCloud) -> list[tuple[Recorded, Request, Verdict]]:
    """Return each recorded access with the independent verdict, for the roles that are still there.

    A policy that changed since an access was made decides on it as it now is.
    """
    roles = roles_of(cloud)
    seen = [each for each in cloud.recorded() if each.role in roles]
    requests = [
        roles[each.role].request(each.action, each.resource, each.context, *resource_of(cloud, each.resource))
        for each in seen
    ]
    return list(zip(seen, requests, evaluate(requests), strict=True))


def disagreements(cloud: LocalCloud) -> list[str]:
    """Return a line for each access that the cloud allowed and the evaluator refuses, or the other way round."""
    return [
        f"the cloud {'allowed' if access.allowed else 'refused'}, the evaluator: {verdict.decision}: {request}"
        for access, request, verdict in judged(cloud)
        if access.allowed != verdict.allowed
    ]


def allowed_of(cloud: LocalCloud, roles: Sequence[Role], calls: Sequence[Call]) -> list[str]:
    """Return a line for each of the calls that one of the roles may make."""
    resources = {call.resource: resource_of(cloud, call.resource) for call in calls}
    requests = [
        role.request(call.action, call.resource, call.context, *resources[call.resource])
        for role in roles
        for call in calls
    ]
    verdicts = evaluate(requests)
    return [str(request) for request, verdict in zip(requests, verdicts, strict=True) if verdict.allowed]

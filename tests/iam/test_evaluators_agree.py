from __future__ import annotations

import pytest

from localcloud.iam import Access, Policy, Principal, allowed
from tests.iam.drawn import ROLE, Case, cases
from tests.iam.evaluator import Request, evaluate


def local(case: Case) -> bool:
    """Return what the local cloud says."""
    return allowed(
        Access(case.action, case.resource, Principal(arn=ROLE), case.context),
        [Policy(document) for document in case.identity],
        Policy(case.boundary) if case.boundary else None,
        Policy(case.resource_policy) if case.resource_policy else None,
        case.resource_account,
    )


def request(case: Case) -> Request:
    """Return the case as the independent evaluator takes it."""
    return Request(
        case.action,
        case.resource,
        ROLE,
        case.identity,
        case.boundary,
        case.resource_policy,
        case.resource_account,
        {key: value for key, value in case.context.items() if value is not None},
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_local_cloud_and_an_independent_evaluator_agree(seed: int) -> None:
    drawn = cases(seed, 200)
    verdicts = evaluate([request(case) for case in drawn])
    assert 30 < sum(verdict.allowed for verdict in verdicts) < 170
    assert not [verdict.ignored for verdict in verdicts if verdict.ignored]
    differing = [
        (case, verdict)
        for case, verdict in zip(drawn, verdicts, strict=True)
        if verdict.allowed != local(case)
    ]
    assert differing == []

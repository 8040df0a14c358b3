"""What the states of an execution hand to one another: documents of any kind, understood as a whole or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from seeder import causes, closing
from seeder.errors import UnexpectedAnswer, aws_errors
from seeder.fleet.claims import Claim
from seeder.jobs import Job
from seeder.manifest import Progress
from seeder.report import ReportProgress
from seeder.roles import Roles
from seeder.run import Run
from seeder.verify import Verification
from seeder.work import Work
from tests.functions import context, loaded
from tests.fuzz.memory import MemoryS3
from tests.fuzz.refusals import refusals, require_sentence
from tests.fuzz.strategies import LONG, altered, any_json, any_object, fuzzed, texts
from tests.runs import ROLES, SETTINGS, failure, manifests_of, run_of, verified

_report = ReportProgress.fresh("state", "runs/run/rounds/copy-0.csv", "datasets/f.csv")
_job = Job(
    operation="copy",
    region="eu-west-1",
    manifest=manifests_of(own=(3,)).copy_files[0],
    fields=["Bucket", "Key"],
)
DOCUMENTS: dict[str, BaseModel] = {
    "run": run_of(prefix="logs/", tags={"a": "b"}),
    "roles": ROLES,
    "claim": Claim(),
    "manifest": manifests_of(own=(3, 2), large=1, archived=1),
    "work": Work(jobs=[_job], failures=[failure()], report=_report, next="create"),
    "verification": verified("differs", missing=1),
}
MODELS: dict[str, type[BaseModel]] = {
    "run": Run,
    "roles": Roles,
    "claim": Claim,
    "manifest": Progress,
    "work": Work,
    "verification": Verification,
}
names = st.sampled_from(
    ["Boom", "InvalidRequest", "UnexpectedAnswer", "States.Timeout", "Lambda.Unknown", ""]
)
FUNCTIONS = {
    "claim_pair": "run",
    "create_job": "work",
    "describe_job": "work",
    "enable_replication": "roles",
    "ensure_roles": "run",
    "paginate_keys": "manifest",
    "parse_report": "work",
    "plan_jobs": "manifest",
    "verify_replica": "manifest",
}


@pytest.fixture(scope="module")
def handlers() -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(loaded(name)).handler for name in FUNCTIONS}


@fuzzed(150)
@given(st.sampled_from(sorted(DOCUMENTS)), st.data())
def test_a_document_of_a_state_is_handed_on_as_it_came_or_refused(name: str, data: st.DataObject) -> None:
    document = data.draw(
        st.one_of(altered(st.just(DOCUMENTS[name].model_dump(mode="json"))), any_json, any_object)
    )
    with refusals():
        told = MODELS[name].model_validate(document)
        handed_on = told.model_dump()
        assert MODELS[name].model_validate(json.loads(json.dumps(handed_on))) == told or "NaN" in json.dumps(
            handed_on
        )


@pytest.mark.parametrize(("function", "member"), FUNCTIONS.items())
@pytest.mark.parametrize("value", [None, 7, [], {}, "x" * LONG, {"\x1b[31m": 1}])
def test_a_function_refuses_a_document_of_another_release(
    handlers: dict[str, Any], function: str, member: str, value: Any
) -> None:
    state = {name: document.model_dump(mode="json") for name, document in DOCUMENTS.items()} | {member: value}
    event = {"state": state, "execution": "arn:x"}
    with pytest.raises(UnexpectedAnswer, match="this release does not understand") as refused, aws_errors():
        handlers[function](event | state, context())
    require_sentence(refused.value)


@pytest.mark.parametrize("member", ["run", "manifest", "work", "verification"])
@pytest.mark.parametrize("value", [None, 7, [], "x" * LONG])
def test_no_run_is_closed_by_a_document_of_another_release(member: str, value: Any) -> None:
    state = {name: document.model_dump(mode="json") for name, document in DOCUMENTS.items()} | {member: value}
    clients = MemoryS3().clients
    with pytest.raises(UnexpectedAnswer, match="this release does not understand") as refused, aws_errors():
        closing.complete(state, "2026-01-31T01:00:00Z", {}, clients, SETTINGS)
    require_sentence(refused.value)


@fuzzed(40)
@given(st.one_of(st.fixed_dictionaries({"Error": names, "Cause": any_json}), any_object, st.just({})), texts)
def test_any_error_that_is_caught_becomes_a_sentence(caught: dict[str, Any], cause: str) -> None:
    for told in (
        causes.explained(caught),
        causes.explained({"Error": "Boom", "Cause": json.dumps({"errorMessage": cause})}),
    ):
        assert told["Cause"].strip()
        assert len(told["Cause"]) <= 2 * causes.MOST_CHARACTERS
        assert "\n" not in told["Cause"]

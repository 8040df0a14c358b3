"""The application as its files tell it."""

from __future__ import annotations

from pathlib import Path

from seeder_cli.here import HereOptions
from seeder_cli.here.application import load
from seeder_cli.here.definition import check
from seeder_cli.here.environment import Surroundings
from seeder_cli.here.running import _NOTICES, COPIER, _variables
from seeder_cli.project import application_folder

AT = Surroundings(
    session=None,  # type: ignore[arg-type]  # no call is made
    region="us-east-1",
    account="123456789012",
    endpoint="http://127.0.0.1:1",
    is_aws=False,
    has_jobs=False,
)


def test_the_machine_of_the_stack_is_known_in_all_its_parts() -> None:
    built = load(application_folder())
    check(built.definition, {*built.functions, *_NOTICES})


def test_each_task_of_the_machine_has_a_handler() -> None:
    built = load(application_folder())
    called = {state["Resource"] for state in built.definition["States"].values() if "Resource" in state}
    for name in {*called, COPIER} - set(_NOTICES):
        assert (built.functions[name].folder / "app.py").is_file()


def test_functions_get_every_variable_that_the_template_gives_them() -> None:
    built = load(application_folder())
    called = {state.get("Resource") for state in built.definition["States"].values()} | {COPIER}
    wanted = {
        name
        for function in built.functions.values()
        if function.name in called
        for name in function.variables
    }
    assert wanted <= set(_variables({}, AT, "state", every=True))


def test_calls_have_the_time_that_the_template_gives_them() -> None:
    functions = load(application_folder()).functions
    assert (functions["PaginateKeys"].timeout, functions["PlanJobs"].timeout) == (900, 60)


def test_roles_that_are_given_are_used_whatever_their_path() -> None:
    asked = {"job_role_arn": "arn:aws:iam::123456789012:role/mine"}
    assert _variables(asked, AT, "state", every=False)["JOB_ROLE_ARN"] == asked["job_role_arn"]
    assert _variables({}, AT, "state", every=False)["JOB_ROLE_ARN"] == ""
    assert _variables({}, AT, "state", every=True)["JOB_ROLE_ARN"].startswith(
        "arn:aws:iam::123456789012:role/"
    )


def test_an_installation_brings_what_a_run_needs() -> None:
    import tomllib

    project = tomllib.loads((application_folder() / "pyproject.toml").read_text("utf-8"))
    brought = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    places = {source: Path(target) for source, target in brought.items()}
    assert places == {
        name: Path("seeder_cli/application", name)
        for name in ("template.yaml", "functions", "statemachine", "src/requirements.txt")
    }


def test_options_are_empty_unless_given() -> None:
    assert HereOptions() == HereOptions(state_bucket="", local_batch=False, endpoint_url="")

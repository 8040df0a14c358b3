"""The README and the pages name only what there is, and all that an operator meets in the template is in them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from samtranslator.yaml_helper import yaml_parse

from seeder.fleet.request import parse_fleet
from seeder.request import Request, parse_request
from seeder.roles import policies
from seeder_cli.main import cli

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
MOST_README_LINES = 120
MOST_ARCHITECTURE_LINES = 200
# CloudWatch API reference, PutMetricAlarm.
MOST_DESCRIPTION_CHARACTERS = 1024
# What looks like a resource, and is somebody else's.
NOT_OURS = {"Cause", "ClientRequestToken", "Error", "Input", "Seeder", "SlowDown"}
NOT_OPTIONS = {"--help"}

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
# A command in code, with the options up to the end of the line or of the code; \\ joins lines.
_COMMAND = re.compile(r"(?:^[ $]*|`)seeder ([a-z]+(?: [a-z]+)?)((?:[^`\n|#]|\\\n)*)", re.MULTILINE)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_FOLDERS = "benchmarks|docs|events|functions|localcloud|schema|src|statemachine|tests"
_FILE = re.compile(rf"^(?:{_FOLDERS})/[\w./*-]*$|^[\w-]+\.(?:yaml|toml)$")
_PARAMETERS = re.compile(r"<!-- parameters.*?-->\n(.*?)<!-- end of parameters -->", re.DOTALL)
_RESOURCE = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)*")


@cache
def template() -> Any:
    return yaml_parse((ROOT / "template.yaml").read_text("utf-8"))


def named(*kinds: str) -> list[str]:
    return [name for name, item in template()["Resources"].items() if item["Type"] in kinds]


@cache
def text_of(*names: str) -> str:
    return "\n".join((ROOT / name).read_text("utf-8") for name in names)


def codes(text: str) -> set[str]:
    return set(_CODE.findall(text))


def operators() -> str:
    return text_of("docs/security.md", "docs/deploy.md", "docs/operating.md")


def states() -> set[str]:
    """Return the names of all states of both machines."""
    machines = [yaml_parse(text_of(f"statemachine/{name}.asl.yaml"))["States"] for name in ("fleet", "seed")]
    inner = machines[0]["SeedEachPair"]["ItemProcessor"]["States"]
    return {name for each in (*machines, inner) for name in each}


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next of its level or above."""
    level = heading.partition(" ")[0]
    after = f"\n{text}".partition(f"\n{heading}\n")[2]
    return re.split(rf"\n#{{1,{len(level)}}} ", after, maxsplit=1)[0]


def commands(text: str) -> Iterator[tuple[list[str], set[str]]]:
    """Yield the first words of each `seeder` command of a text, and its options."""
    for match in _COMMAND.finditer(text):
        yield match[1].split(), set(_OPTION.findall(match[2]))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows_of_functions() -> dict[str, list[str]]:
    """Return the rows of the table of functions, by each that they are of; one without a name goes on the row above."""
    section = text_of("docs/security.md").partition("## Roles of the functions")[2].partition("\n## ")[0]
    rows: dict[str, list[str]] = {}
    names: list[str] = []
    for row in re.findall(r"^\|.*\|$", section, re.MULTILINE):
        names = _CODE.findall(row.split("|")[1]) or names
        for name in names:
            rows.setdefault(name, []).append(row)
    return rows


def actions_of(item: Any) -> Iterator[str]:
    """Yield each Action of a policy in the template, within Fn::If too."""
    if isinstance(item, dict):
        action = item.get("Action", [])
        yield from [action] if isinstance(action, str) else action
        item = list(item.values())
    if isinstance(item, list):
        for each in item:
            yield from actions_of(each)


# ── what pages name is there ──


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_of_a_page_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for link in _LINK.findall(page.read_text("utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    files = [name for name in codes(text) if _FILE.match(name)]
    assert [name for name in files if not any(ROOT.glob(name.rstrip("/")))] == []
    tests = {name for code in codes(text) for name in re.findall(r"\btest_\w+\.py", code)}
    assert [name for name in tests if not any((ROOT / "tests").rglob(name))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_of_a_page_exists_with_its_options(page: Path) -> None:
    context = click.Context(cli)
    for words, options in commands(page.read_text("utf-8")):
        command = cli.get_command(context, words[0])
        if isinstance(command, click.Group) and len(words) == 2:
            command = command.get_command(context, words[1])
        assert command is not None, words
        known = {option for item in command.params for option in (*item.opts, *item.secondary_opts)}
        assert options - known - NOT_OPTIONS == set(), words


def test_every_command_is_in_the_readme_and_its_permissions_on_the_page_of_security() -> None:
    for page in ("README.md", "docs/security.md"):
        told = {words[0] for words, _ in commands(text_of(page))}
        assert set(cli.list_commands(click.Context(cli))) - told == set(), page


def test_each_target_of_make_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for page in PAGES:
        told = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
        assert set(told) - targets == set(), page.name


def test_the_pages_for_operators_name_no_resource_parameter_output_or_state_that_is_not_there() -> None:
    there = {*template()["Resources"], *template()["Parameters"], *template()["Outputs"], *states()}
    told = {code for code in codes(operators()) if _RESOURCE.fullmatch(code) and len(code) > 3}
    assert told - there - NOT_OURS == set()


def test_the_page_of_the_architecture_names_no_resource_or_state_that_is_not_there() -> None:
    told = {code for code in codes(text_of("docs/architecture.md")) if _RESOURCE.fullmatch(code)}
    assert told - {*template()["Resources"], *states(), *NOT_OURS} == set()


def test_the_page_of_the_architecture_stays_short() -> None:
    assert len(text_of("docs/architecture.md").splitlines()) < MOST_ARCHITECTURE_LINES


def test_the_readme_stays_short() -> None:
    assert len(text_of("README.md").splitlines()) < MOST_README_LINES


# ── what an operator meets is in them ──


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::Serverless::Function",
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::CloudTrail::Trail",
    ],
)
def test_every_function_role_alarm_and_store_of_the_template_is_told_of(kind: str) -> None:
    assert named(kind), kind
    assert [name for name in named(kind) if name not in codes(operators())] == []


def test_every_output_and_every_alarms_name_is_in_the_page_of_deployment() -> None:
    told = codes(text_of("docs/deploy.md"))
    assert [name for name in template()["Outputs"] if name not in told] == []
    alarms = [template()["Resources"][name]["Properties"] for name in named("AWS::CloudWatch::Alarm")]
    names = {alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-") for alarm in alarms}
    assert names - told == set()


@pytest.mark.parametrize("name", named("AWS::CloudWatch::Alarm"))
def test_every_alarm_has_a_section_that_says_what_to_do_and_how_to_test_it(name: str) -> None:
    told = section(text_of("docs/operating.md"), f"### {name}")
    alarm = template()["Resources"][name]["Properties"]
    assert told.strip().startswith(
        f"`{alarm['AlarmName']['Fn::Sub'].replace('${AWS::StackName}', '<stack>')}`: "
    )
    assert "**To test**: " in told
    assert "**Do**: " in told or "#the-dead-letter-queue" in told


def test_no_section_is_of_an_alarm_that_is_not_there() -> None:
    headings = re.findall(r"^### (.+)$", section(text_of("docs/operating.md"), "## Alarms"), re.MULTILINE)
    assert headings == named("AWS::CloudWatch::Alarm")


@pytest.mark.parametrize("name", named("AWS::CloudWatch::Alarm"))
def test_the_commands_in_the_description_of_an_alarm_are_there(name: str) -> None:
    description = template()["Resources"][name]["Properties"]["AlarmDescription"]
    assert 0 < len(description) <= MOST_DESCRIPTION_CHARACTERS
    known = set(cli.list_commands(click.Context(cli)))
    assert set(re.findall(r"\bseeder ([a-z]+)", description)) <= known


@pytest.mark.parametrize(
    "wait", sorted(name for name in states() if name.startswith(("Await", "Pause", "Let")))
)
def test_the_page_of_operation_says_of_each_wait_what_for(wait: str) -> None:
    assert f"`{wait}`" in section(text_of("docs/operating.md"), "## A run that hangs")


def test_the_table_of_parameters_has_each_with_its_default_in_order() -> None:
    match = _PARAMETERS.search(text_of("docs/deploy.md"))
    assert match
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`|empty) \|", match[1], re.MULTILINE)
    wanted = {name: str(item["Default"]) for name, item in template()["Parameters"].items()}
    assert sorted(rows) == sorted(wanted.items())


def test_the_sums_about_alarms_are_right() -> None:
    alarms = [template()["Resources"][name]["Properties"] for name in named("AWS::CloudWatch::Alarm")]
    metrics = sum(sum("MetricStat" in item for item in alarm.get("Metrics", [])) or 1 for alarm in alarms)
    assert f"{len(alarms)} alarms on {metrics} metrics" in text_of("docs/deploy.md")


def test_the_unconfirmed_trust_conditions_are_told_by_name_and_value() -> None:
    page = text_of("docs/security.md")
    for name in ("JOB_CONDITIONS", "REPLICATION_CONDITIONS"):
        (row,) = [line for line in page.splitlines() if f"`{name}`" in line]
        assert set(re.findall(r"`(aws:\w+)`", row)) == set(getattr(policies, name))


@pytest.mark.parametrize("name", named("AWS::Serverless::Function"))
def test_the_table_of_functions_names_each_action_beyond_s3_and_none_that_is_not_there(name: str) -> None:
    told = set(re.findall(r"\b[a-z0-9]+:[A-Z]\w+", "\n".join(rows_of_functions()[name])))
    actions = set(actions_of(template()["Resources"][name]["Properties"].get("Policies", [])))
    assert told <= actions
    assert {action for action in actions if not action.startswith("s3:")} <= told


def test_the_state_machines_in_the_readme_have_each_of_their_tasks() -> None:
    graph = text_of("README.md")
    for machine in ("fleet", "seed"):
        states = yaml_parse(text_of(f"statemachine/{machine}.asl.yaml"))["States"]
        tasks = [name for name, state in states.items() if state["Type"] in ("Task", "Map")]
        assert [name for name in tasks if name not in graph] == []


# ── the samples ──


@pytest.mark.parametrize("path", sorted((ROOT / "events").glob("*.json")), ids=lambda path: path.stem)
def test_each_sample_is_an_input_and_a_page_names_it(path: Path) -> None:
    sample = json.loads(path.read_text("utf-8"))
    if path.stem.startswith("manual"):
        parse_request(sample)
    elif path.stem.startswith("rule-"):
        assert sample["detail"]["eventName"] in ("PutBucketReplication", "DeleteBucketReplication")
    else:
        parse_fleet(sample)
    assert path.name in text_of("README.md", "docs/deploy.md"), "name it in README.md or docs/deploy.md"


def test_the_sample_of_a_csv_file_has_fields_of_a_request() -> None:
    with (ROOT / "events/pairs.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert set(header) <= set(Request.model_fields)

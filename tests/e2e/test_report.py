"""The pages that runs leave, and the command that writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from seeder_cli.errors import CommandError
from seeder_cli.main import cli
from tests.e2e.deployed import ACCOUNT, HOME, Deployed
from tests.unit.seeder.page.read import Element, read


def seeder(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


def refused(*arguments: str) -> CommandError:
    error = seeder(*arguments).exception
    assert isinstance(error, CommandError), error
    return error


def left(deployed: Deployed, run_id: str) -> Element:
    """Return the page that a run has left."""
    return read(deployed.read(f"s3://{deployed.state_bucket}/runs/{run_id}/report.html").decode())


@pytest.fixture(scope="module")
def complete(deployed: Deployed) -> dict[str, Any]:
    asked = {"source": deployed.bucket(keys=["logs/a", "b"]), "destination": deployed.bucket()}
    return asked | deployed.seed(asked)


@pytest.fixture(scope="module")
def refused_run(deployed: Deployed) -> dict[str, Any]:
    asked = {"source": deployed.bucket(), "destination": "not-there-at-all"}
    return asked | deployed.seed(asked)


def test_a_run_that_is_complete_leaves_its_page(deployed: Deployed, complete: dict[str, Any]) -> None:
    page = left(deployed, complete["name"])
    assert page.get("h1").text == f"{complete['source']} → {complete['destination']}"
    assert "Complete" in page.get("div", class_="verdict").text
    sections = [section.attributes["aria-labelledby"] for section in page.all("section")]
    assert sections == ["comparison", "time", "jobs", "classes", "prefixes", "costs", "request", "files"]
    head = deployed.cloud.client("s3").head_object(
        Bucket=deployed.state_bucket, Key=f"runs/{complete['name']}/report.html"
    )
    assert head["ContentType"] == "text/html; charset=utf-8"


def test_a_run_that_is_refused_leaves_its_page(deployed: Deployed, refused_run: dict[str, Any]) -> None:
    verdict = left(deployed, refused_run["name"]).get("div", class_="verdict").text
    assert "destination: bucket 'not-there-at-all' does not exist" in verdict


def test_the_command_writes_the_page_that_the_run_left(
    deployed: Deployed, complete: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "run.html"
    done = seeder("report", f"{complete['source']}/{complete['destination']}", "--html", str(file))
    assert done.return_value == 0, done.output
    assert done.output == f"{file}: {complete['name']}, {file.stat().st_size:,} bytes\n"
    key = f"s3://{deployed.state_bucket}/runs/{complete['name']}/report.html"
    assert file.read_bytes() == deployed.read(key)


def test_the_page_of_all_pairs_has_each_and_leads_to_the_pages_of_runs(
    deployed: Deployed, complete: dict[str, Any], refused_run: dict[str, Any]
) -> None:
    done = seeder("report", "--html", "-", "--links")
    page = read(done.stdout)
    rows = {row.all("p")[0].text: row for row in page.get("tbody").all("tr")}
    for run, state in ((complete, "Complete"), (refused_run, "Failed")):
        row = rows[run["source"]]
        assert row.get("span", class_=f"state {state.lower()}").text == state
        assert row.get("a").attributes["href"] == f"runs/{run['name']}/report.html"
    assert "runs/" not in "".join(
        str(link.attributes["href"]) for link in read(seeder("report", "--html", "-").stdout).all("a")
    )


def test_without_a_file_the_most_important_stands_in_a_few_lines(
    deployed: Deployed, complete: dict[str, Any], refused_run: dict[str, Any]
) -> None:
    told = seeder("report", complete["name"]).output.splitlines()
    assert "State:      Complete, Total: 2, Success: 2, Failed: 0" in told
    assert f"All of it:  seeder show {complete['name']}" in told
    assert any(f"seeder report {complete['name']} --html FILE" in line for line in told)
    pairs = seeder("report").output
    assert f"Failed: {refused_run['source']} → not-there-at-all: destination: bucket" in pairs
    assert pairs.splitlines()[-2].startswith("Not all there: ")
    assert pairs.splitlines()[-1] == "As a page: seeder report --html pairs.html"


def test_the_pages_of_a_state_bucket_need_no_stack(deployed: Deployed, complete: dict[str, Any]) -> None:
    bucket = deployed.state_bucket
    done = seeder("--stack", "none", "report", complete["name"], "--state-bucket", bucket, "--html", "-")
    assert read(done.stdout).get("h1").text == f"{complete['source']} → {complete['destination']}"
    done = seeder("--stack", "none", "report", "--state-bucket", bucket, "--html", "-")
    assert complete["source"] in read(done.stdout).get("tbody").text


def test_what_can_not_be_written_is_refused_with_the_reason(complete: dict[str, Any], tmp_path: Path) -> None:
    assert f"--html {tmp_path}: Is a directory" in str(
        refused("report", complete["name"], "--html", str(tmp_path))
    )
    assert "--links is for the page of all pairs" in str(refused("report", complete["name"], "--links"))
    assert "there is no run or pair 'nobody'" in str(refused("report", "nobody", "--html", "-"))


@pytest.fixture
def going(deployed: Deployed) -> Iterator[tuple[str, dict[str, Any]]]:
    """A run that waits for its job to be confirmed: its id, and what it was asked."""
    asked = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket(), "confirm": True}
    execution = deployed.start("Seed", asked)
    run_id = execution.rpartition(":")[2]
    job = deployed.job_of(run_id, HOME, "Suspended")["JobId"]
    yield run_id, asked
    deployed.cloud.client("s3control", HOME).update_job_status(
        AccountId=ACCOUNT, JobId=job, RequestedJobStatus="Ready"
    )
    assert deployed.wait(execution)["status"] == "SUCCEEDED"


def test_a_run_that_goes_on_has_no_page_yet(going: tuple[str, dict[str, Any]]) -> None:
    error = refused("report", going[0], "--html", "-")
    assert str(error) == f"the run '{going[0]}' goes on: seeder attach {going[0]}"


def test_a_run_that_is_skipped_leaves_its_page(deployed: Deployed, going: tuple[str, dict[str, Any]]) -> None:
    skipped = deployed.seed(going[1] | {"overlap": "skip"})
    verdict = left(deployed, skipped["name"]).get("div", class_="verdict").text
    assert verdict.startswith(f"Skippedthe run '{going[0]}' is seeding")


def test_a_run_whose_page_is_refused_is_complete_all_the_same(deployed: Deployed) -> None:
    s3, bucket = deployed.cloud.client("s3"), deployed.state_bucket
    before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    refusal = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/runs/*/report.html",
    }
    policy = json.loads(before)
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps(policy | {"Statement": [*policy["Statement"], refusal]})
    )
    try:
        ended = deployed.seed({"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()})
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=before)
    assert ended["status"] == "SUCCEEDED"
    assert deployed.record(ended["name"])["state"] == "Complete"
    assert f"runs/{ended['name']}/report.html" not in deployed.contents(bucket)

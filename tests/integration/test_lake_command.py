"""`seeder lake`, as somebody runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder_cli.errors import CommandError
from seeder_cli.lake import lake
from seeder_cli.main import cli

PLACE = "s3://my-lake/datasets/events/year=2024/month=01/"
FOLDER = PLACE.removeprefix("s3://my-lake/")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        client = cloud.client("s3")
        client.create_bucket(Bucket="my-lake")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield client


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, content in (("a.csv", "id\n1\n2\n"), ("b.jsonl", "{}\n{}\n{}\n")):
        (tmp_path / name).write_text(content)
    return [str(tmp_path / name) for name in ("a.csv", "b.jsonl")]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(lake, arguments, standalone_mode=False)


def told(*arguments: str) -> Any:
    """Return the document that a command prints."""
    result = run(*arguments, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.output)


def test_files_are_put_shown_and_found_to_agree(s3: Any, files: list[str]) -> None:
    result = run("put", *files, PLACE, "--schema-version", "2")
    assert result.output.splitlines() == [
        f"s3://my-lake/{FOLDER}a.csv: 2 records, revision 1",
        f"s3://my-lake/{FOLDER}b.jsonl: 3 records, revision 2",
    ]
    held = told("show", "my-lake")["events"]
    assert (held["files"], held["records"], held["schema_version"]) == (2, 5, 2)
    assert [one["key"] for one in told("show", "my-lake", "events")["files"]] == [
        f"{FOLDER}a.csv",
        f"{FOLDER}b.jsonl",
    ]
    assert [one["key"] for one in told("show", "my-lake", "events", "--revision", "1")["files"]] == [
        f"{FOLDER}a.csv"
    ]
    assert [(one["revision"], one["what"]) for one in told("history", "my-lake")] == [
        (1, "added"),
        (2, "added"),
    ]
    assert [one["revision"] for one in told("history", "my-lake", "--since", "1")] == [2]
    assert run("verify", "my-lake").output == "all agrees\n"
    assert "events" in run("show", "my-lake").output
    assert f"{FOLDER}b.jsonl" in run("history", "my-lake", "events").output


def test_a_repeat_changes_nothing_and_another_file_of_that_name_is_refused(s3: Any, files: list[str]) -> None:
    first = told("put", *files, PLACE)
    assert told("put", *files, PLACE) == first
    Path(files[0]).write_text("id\n9\n8\n")
    failed = run("put", *files, PLACE)
    assert isinstance(failed.exception, CommandError)
    assert (failed.exception.status, "stands there already" in str(failed.exception)) == (1, True)


def test_records_are_given_where_they_can_not_be_counted(s3: Any, tmp_path: Path, files: list[str]) -> None:
    (tmp_path / "a.orc").write_bytes(b"ORC")
    assert told("put", str(tmp_path / "a.orc"), PLACE, "--records", "7")[0]["records"] == 7
    assert told("put", files[0], PLACE, "--no-header")[0]["records"] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["put", "a.csv", "datasets/events/"],
        ["put", "a.csv", "s3://my-lake/datasets/events/year=1"],
        ["put", "a.csv", "s3://my-lake/other/events/"],
        ["put", "a.csv", "s3://my-lake/datasets/events/2024/"],
        ["put", "a.csv", "b.jsonl", PLACE, "--records", "3"],
        ["put", "a.txt", PLACE],
        ["show", "my-lake", "--revision", "1"],
    ],
    ids=str,
)
def test_bad_input_is_refused_before_anything_is_written(
    s3: Any, files: list[str], arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("text")
    failed = run(*arguments)
    assert isinstance(failed.exception, CommandError)
    assert failed.exception.status == 2
    assert "Contents" not in s3.list_objects_v2(Bucket="my-lake")


def test_what_does_not_agree_ends_with_one_and_is_repaired(s3: Any, files: list[str]) -> None:
    run("put", *files, PLACE)
    s3.delete_object(Bucket="my-lake", Key=f"{FOLDER}a.csv")
    metadata = {"seeder-records": "4", "seeder-schema-version": "1"}
    s3.put_object(Bucket="my-lake", Key=f"{FOLDER}c.csv", Body=b"orphan", Metadata=metadata)
    assert run("verify", "my-lake").return_value == 1
    found = {one["key"]: one["problem"] for one in told("verify", "my-lake", "--older-than", "0")}
    assert found == {f"{FOLDER}a.csv": "missing", f"{FOLDER}c.csv": "orphan"}
    repaired = run("repair", "my-lake", "--older-than", "0")
    assert (repaired.return_value, "repaired  orphan" in repaired.output) == (1, True)
    assert [one["problem"] for one in told("verify", "my-lake", "--older-than", "0")] == ["missing"]


def test_a_name_with_a_line_feed_stays_on_its_line(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "a\nü.csv").write_text("id\n1\n")
    run("put", str(tmp_path / "a\nü.csv"), PLACE)
    assert f"{FOLDER}a\\nü.csv" in run("show", "my-lake", "events").output
    assert told("show", "my-lake", "events")["files"][0]["key"] == f"{FOLDER}a\nü.csv"


def test_a_bucket_that_is_not_there_ends_with_one(s3: Any) -> None:
    failed = run("show", "no-lake")
    assert isinstance(failed.exception, CommandError)
    assert failed.exception.status == 1


def test_the_help_names_every_command() -> None:
    output = CliRunner().invoke(cli, ["lake", "--help"]).output
    for name in ("put", "show", "history", "verify", "repair", "policy"):
        assert f"\n  {name} " in output

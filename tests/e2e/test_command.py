"""The `seeder` command as a user runs it: in a process of its own, judged by what it prints and its exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.client import Config

from seeder.roles.policies import Scope, Side, replication_policy, replication_trust
from tests.keys import TRAPS

ROOT = Path(__file__).parents[2]
SEEDER = [sys.executable, "-W", "error", "-c", "from seeder_cli.main import main; main()"]


def seeder(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SEEDER, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        check=False,
        env=os.environ | variables,
    )


def lines(path: Path, items: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return str(path)


def test_the_demo_ends_with_what_the_user_came_for() -> None:
    done = seeder("demo", "--json")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    result = json.loads(said.pop())
    patterns = [
        r"Replication rule added: foghorn1\.bucket → foghorn2\.bucket",
        r"Creating manifest for bucket: foghorn1\.bucket",
        rf"Uploading manifest: s3://[a-z0-9-]+/runs/{re.escape(result['run_id'])}/manifests/replicate\.csv",
        r"Created s3 batch job: [0-9a-f-]{36}",
        r"State: Complete, Total: 836, Success: 836, Failed: 0",
        r"Replica: equal \(836 objects compared\)",
    ]
    assert len(said) == len(patterns)
    for line, pattern in zip(said, patterns, strict=True):
        assert re.fullmatch(pattern, line), line
    assert (result["state"], result["total"], result["succeeded"], result["failed"]) == (
        "Complete",
        836,
        836,
        0,
    )
    assert (result["replica"], result["failures"]) == ("equal", [])
    assert len(result["job_ids"]) == 1
    assert 0 < result["history_events"] < 1000
    assert result["seconds"] > 0
    assert done.stderr == ""


def test_given_keys_are_seeded_with_their_metadata_and_tags(tmp_path: Path) -> None:
    items: list[dict[str, Any]] = [{"key": key, "size": size} for size, key in enumerate(TRAPS)]
    items[3] |= {"metadata": {"a": "b"}, "tags": {"k e y": "v/a+l"}}
    done = seeder("demo", "--json", "--keys", lines(tmp_path / "keys.jsonl", items))
    result = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, result["replica"], result["total"]) == (0, "equal", len(TRAPS))


def test_an_empty_source_is_complete_without_a_job(tmp_path: Path) -> None:
    done = seeder("demo", "--json", "--keys", lines(tmp_path / "keys.jsonl", []))
    result = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, result["state"], result["total"], result["job_ids"]) == (0, "Complete", 0, [])
    assert result["replica"] == "equal"


def test_faults_end_with_exit_status_1_and_failures_by_code(tmp_path: Path) -> None:
    keys = lines(
        tmp_path / "keys.jsonl", [{"key": f"{p}/{n}", "size": 1} for p in ("x", "y") for n in range(3)]
    )
    fault = {"key_prefix": "y/", "status": 403, "code": "AccessDenied", "times": None}
    (tmp_path / "faults.json").write_text(json.dumps([fault]))
    done = seeder("demo", "--json", "--keys", keys, "--faults", str(tmp_path / "faults.json"))
    result = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1
    assert (result["state"], result["succeeded"], result["failed"]) == ("Failed", 3, 3)
    assert result["failures"] == [{"code": "AccessDenied", "count": 3, "example_key": "y/0"}]
    assert result["replica"] == {"missing": 3, "different": 0, "extra": 0}
    assert "State: Failed, Total: 6, Success: 3, Failed: 3" in done.stdout


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('{"key": "a"}', "line 1: size: Field required"),
        ('{"key": "a", "size": 1}\n{"key": "b", "size": "x"}', "line 2: size: "),
        ('{"key": "", "size": 1}', "line 1: key: "),
        ('{"key": "a", "size": 1, "colour": 2}', "line 1: colour: "),
        (json.dumps({"key": "é" * 513, "size": 1}), "line 1: key: 1026 bytes; S3 takes 1024"),
        ("nonsense", "line 1: line: "),
    ],
)
def test_a_wrong_line_of_keys_is_named(tmp_path: Path, keys: str, message: str) -> None:
    (tmp_path / "keys.jsonl").write_text(keys)
    done = seeder("demo", "--keys", str(tmp_path / "keys.jsonl"))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "faults", ["{", "{}", '[{"key_prefix": "a"}]', '[{"keyprefix": "a", "status": 1, "code": "x"}]', "[1]"]
)
def test_wrong_faults_are_named(tmp_path: Path, faults: str) -> None:
    (tmp_path / "faults.json").write_text(faults)
    done = seeder("demo", "--faults", str(tmp_path / "faults.json"))
    assert done.returncode == 2
    assert done.stderr.startswith("seeder: --faults ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [[], ["demo"], ["local"], ["manifest"]])
def test_help_fits_on_a_screen(command: list[str]) -> None:
    done = seeder(*command, "--help")
    assert done.returncode == 0
    assert "Example:" in done.stdout or "Try it" in done.stdout
    assert len(done.stdout.splitlines()) <= 30
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.fixture
def outside() -> Iterator[Any]:
    """`seeder local` in a process of its own, and boto3 clients that know it by its printed lines alone."""
    with subprocess.Popen(
        [*SEEDER, "local"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line.strip())
            if "Ready" in line:
                break
        variables = dict(
            line.removeprefix("export ").split("=", 1) for line in printed if line.startswith("export ")
        )
        outputs = dict(line[2:].split(": ", 1) for line in printed if line.startswith("# ") and ": " in line)

        def client(service: str, region: str = variables["AWS_DEFAULT_REGION"]) -> Any:
            return boto3.client(
                service,  # type: ignore[call-overload]
                region_name=region,
                endpoint_url=variables["AWS_ENDPOINT_URL"],
                aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
                config=Config(proxies={}),
            )

        client.outputs = outputs  # type: ignore[attr-defined]
        client.variables = variables  # type: ignore[attr-defined]
        yield client
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


def wait_for_runs(states: Any, machine: str, count: int) -> list[str]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        seen = states.list_executions(stateMachineArn=machine)["executions"]
        if len(seen) == count and all(item["status"] != "RUNNING" for item in seen):
            return [item["status"] for item in seen]
        time.sleep(0.1)
    raise AssertionError(f"no {count} ended executions of {machine}")


def test_the_local_cloud_serves_another_process(outside: Any) -> None:
    s3, states, seed = outside("s3"), outside("stepfunctions"), outside.outputs["SeedArn"]
    for bucket in ("source-bucket", "replica-bucket", "other-bucket"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="source-bucket", Key="a\nb + c", Body=b"x")
    rule = {
        "ID": "r",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::replica-bucket"},
    }
    iam, scope = outside("iam"), Scope("123456789012", Side("source-bucket"), Side("replica-bucket"))
    trust = json.dumps(replication_trust(scope.account, "source-bucket"))
    role = iam.create_role(RoleName="mine", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    document = json.dumps(replication_policy(scope))
    iam.put_role_policy(RoleName="mine", PolicyName="replicate", PolicyDocument=document)
    s3.put_bucket_replication(
        Bucket="source-bucket", ReplicationConfiguration={"Role": role, "Rules": [rule]}
    )
    assert wait_for_runs(states, seed, 1) == ["SUCCEEDED"]
    assert s3.get_object(Bucket="replica-bucket", Key="a\nb + c")["Body"].read() == b"x"

    manual = json.loads((ROOT / "events" / "manual.json").read_text())
    manual |= {"source": "source-bucket", "destination": "other-bucket"}
    states.start_execution(stateMachineArn=seed, input=json.dumps(manual))
    assert wait_for_runs(states, seed, 2) == ["SUCCEEDED", "SUCCEEDED"]
    assert s3.get_object(Bucket="other-bucket", Key="a\nb + c")["Body"].read() == b"x"

    check_manifest(outside.variables, s3)


def check_manifest(variables: dict[str, str], s3: Any) -> None:
    """`seeder manifest` against the served cloud, as a process of its own."""
    for key in TRAPS:
        s3.put_object(Bucket="source-bucket", Key=key, Body=b"x")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.csv"
        done = seeder("manifest", "source-bucket", "--output", str(path), "--json", **variables)
        assert done.returncode == 0, done.stderr
        keys = [unquote(row.split(",")[1]) for row in path.read_text("ascii").splitlines()]
        assert sorted(keys) == sorted([*TRAPS, "a\nb + c"])
        assert json.loads(done.stdout.splitlines()[-1])["keys"] == len(keys)

        done = seeder(
            "manifest",
            "source-bucket",
            "--against",
            "other-bucket",
            "--output",
            str(path),
            "--json",
            **variables,
        )
        result = json.loads(done.stdout.splitlines()[-1])
        assert (result["missing"], result["equal"], result["different"], result["extra"]) == (
            len(TRAPS),
            1,
            0,
            0,
        )
        assert sorted(unquote(row.split(",")[1]) for row in path.read_text("ascii").splitlines()) == sorted(
            TRAPS
        )

        done = seeder("manifest", "no-such-bucket", "--output", f"{folder}/none.csv", **variables)
        assert (done.returncode, "NoSuchBucket" in done.stderr, "Traceback" in done.stderr) == (
            1,
            True,
            False,
        )
        assert [found.name for found in Path(folder).iterdir()] == ["m.csv"]

"""`seeder estimate` as a process of its own, against the local cloud over HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests.keys import TRAPS

SEEDER = [sys.executable, "-W", "error", "-c", "from seeder_cli.main import main; main()"]
KEYS = [*TRAPS, *(f"logs/{number:04}" for number in range(1200))]


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    """The environment of a cloud with a source in us-east-1, and replicas there and in eu-west-1."""
    with LocalCloud(ScaledClock(1000)) as cloud:
        s3 = cloud.client("s3")
        for name in ("my-bucket", "my-replica", "empty-bucket"):
            s3.create_bucket(Bucket=name)
        cloud.client("s3", "eu-west-1").create_bucket(
            Bucket="far-replica", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        for key in KEYS:
            s3.put_object(Bucket="my-bucket", Key=key, Body=b"x" * 10)
        s3.put_object(Bucket="my-bucket", Key="archive/a", Body=b"x" * 5, StorageClass="DEEP_ARCHIVE")
        s3.put_bucket_versioning(Bucket="my-bucket", VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket="my-bucket", Key="logs/0000", Body=b"x" * 20)
        s3.delete_object(Bucket="my-bucket", Key="logs/0001")
        server = cloud.serve()
        yield server.environment()
        server.stop()


def estimate(
    variables: dict[str, str], *arguments: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SEEDER, "estimate", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        check=False,
        env=os.environ | variables,
    )


def found(variables: dict[str, str], *arguments: str) -> Any:
    done = estimate(variables, *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    return json.loads(done.stdout)


def test_a_copy_is_estimated_from_what_the_source_holds_now(variables: dict[str, str]) -> None:
    result = found(variables, "my-bucket", "my-replica")
    assert result["objects"] == len(KEYS) - 1
    assert result["bytes"] == 10 * (len(KEYS) - 2) + 20
    assert result["archived"] == {"DEEP_ARCHIVE": {"objects": 1, "bytes": 5}}
    lines = {line["name"]: line for line in result["lines"]}
    assert lines["Batch Operations tasks"]["quantity"] == result["objects"]
    assert lines["Batch Operations jobs"]["usd"] == 0.25
    assert "Transfer between regions" not in lines
    assert 0.25 < result["total_usd"] < 0.5
    assert abs(sum(line["usd"] for line in result["lines"]) - result["total_usd"]) < 0.011
    assert result["listing"]["list_calls"] >= 2
    assert result["complete"] is True


def test_a_replication_is_estimated_from_all_versions(variables: dict[str, str]) -> None:
    done = estimate(variables, "my-bucket", "my-replica", "--operation", "replicate", "--json")
    result = json.loads(done.stdout)
    assert (result["objects"], result["bytes"]) == (len(KEYS) + 1, 10 * len(KEYS) + 20)


def test_bytes_are_charged_between_regions(variables: dict[str, str]) -> None:
    result = found(variables, "my-bucket", "far-replica", "--prefix", "logs/")
    assert (result["source_region"], result["destination_region"]) == ("us-east-1", "eu-west-1")
    transfer = next(line for line in result["lines"] if line["name"] == "Transfer between regions")
    assert transfer["quantity"] == result["bytes"] == 10 * 1198 + 20


def test_a_restore_is_priced_when_asked_for(variables: dict[str, str]) -> None:
    names = [line["name"] for line in found(variables, "my-bucket", "my-replica", "--restore")["lines"]]
    assert {"Ask to restore DEEP_ARCHIVE/BULK", "Restore from DEEP_ARCHIVE/BULK"} <= set(names)


def test_an_empty_bucket_needs_no_job(variables: dict[str, str]) -> None:
    result = found(variables, "empty-bucket", "my-replica")
    assert result["objects"] == 0
    assert not [line for line in result["lines"] if line["name"].startswith("Batch Operations")]


def test_the_table_ends_with_the_total_and_says_what_it_stands_on(
    variables: dict[str, str], tmp_path: Path
) -> None:
    done = estimate(variables, "my-bucket", "far-replica", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for pattern in (
        r"^my-bucket \(us-east-1\) → far-replica \(eu-west-1\), copy$",
        rf"^{len(KEYS) - 1:,} objects, 12\.\d KiB; 0 of them over 5 GiB$",
        r"^Batch Operations jobs +1  0\.25 per job +0\.25$",
        r"^Total +0\.\d\d$",
        r"^DEEP_ARCHIVE: 1 objects of 5 bytes: archived, left out \(--restore\)$",
        r"^Prices as of \d{4}-\d\d-\d\d\. Not counted: ",
        r"^Assumed: ",
        r"^The listing for this estimate cost 0\.01 USD \(\d+ LIST calls\)",
    ):
        assert re.search(pattern, done.stdout, re.MULTILINE), (pattern, done.stdout)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pair", [("no-such-bucket", "my-replica"), ("my-bucket", "no-such-bucket")])
def test_a_missing_bucket_is_named(variables: dict[str, str], pair: tuple[str, str]) -> None:
    done = estimate(variables, *pair)
    assert (done.returncode, "no-such-bucket" in done.stderr, "Traceback" in done.stderr) == (2, True, False)
    assert done.stdout == ""


def test_a_wrong_operation_is_bad_input(variables: dict[str, str]) -> None:
    assert estimate(variables, "a-bucket", "b-bucket", "--operation", "move").returncode == 2


def test_help_fits_on_a_screen_with_an_example(variables: dict[str, str]) -> None:
    done = estimate(variables, "--help")
    assert done.returncode == 0
    assert "Example:" in done.stdout
    assert len(done.stdout.splitlines()) <= 30


class _Endless(BaseHTTPRequestHandler):
    """A bucket that never ends, of one key a page; `listing` is set when one is asked for."""

    listing = threading.Event()

    def do_HEAD(self) -> None:
        self._answer("")

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if "list-type" not in asked:
            self._answer("<VersioningConfiguration/>")
            return
        self.listing.set()
        time.sleep(0.05)
        key = asked.get("continuation-token", asked.get("start-after", [""]))[0] + "1"
        self._answer(
            "<ListBucketResult><EncodingType>url</EncodingType><KeyCount>1</KeyCount><IsTruncated>true</IsTruncated>"
            f"<NextContinuationToken>{key}</NextContinuationToken><Contents><Key>{key}</Key><Size>1</Size></Contents>"
            "</ListBucketResult>"
        )

    def _answer(self, body: str) -> None:
        self.send_response(200)
        self.send_header("Server", "AmazonS3")
        self.send_header("x-amz-bucket-region", "us-east-1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


def test_ctrl_c_ends_a_listing_and_leaves_nothing(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with subprocess.Popen(
        [*SEEDER, "estimate", "my-bucket", "my-replica"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | variables,
    ) as process:
        assert _Endless.listing.wait(30)
        process.send_signal(signal.SIGINT)
        try:
            out, error = process.communicate(timeout=15)
        finally:
            process.kill()
            server.shutdown()
            server.server_close()
    assert (process.returncode, out, error.strip()) == (130, "", "seeder: interrupted")
    assert list(tmp_path.iterdir()) == []

"""Commands that talk to AWS, each in a process: on a terminal, in a pipe that closes, without credentials."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud

SEEDER = [sys.executable, "-W", "error", "-c", "from seeder_cli.main import main; main()"]
KEYS = [f"{number:04}" for number in range(30)]
MANIFEST = ("manifest", "my-bucket")


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    """The environment of a cloud with a bucket of a few objects."""
    with LocalCloud(ScaledClock(1000)) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="my-bucket")
        for key in KEYS:
            s3.put_object(Bucket="my-bucket", Key=key, Body=b"x")
        server = cloud.serve()
        yield {**os.environ, **server.environment(), "TERM": "xterm", "NO_COLOR": ""}
        server.stop()


def on_a_terminal(*words: str, environment: dict[str, str]) -> str:
    """Return what a command prints to a terminal."""
    near, far = pty.openpty()
    with subprocess.Popen([*SEEDER, *words], stdin=far, stdout=far, stderr=far, env=environment) as process:
        os.close(far)
        shown = b""
        try:
            while read := os.read(near, 65536):
                shown += read
        except OSError:  # Linux tells so that the other end is closed
            pass
        assert process.wait(30) == 0, shown
    os.close(near)
    return shown.decode()


def test_a_listing_shows_its_progress_on_a_terminal(variables: dict[str, str], tmp_path: Path) -> None:
    shown = on_a_terminal(*MANIFEST, "--output", str(tmp_path / "m.csv"), environment=variables)
    assert "\x1b[" in shown


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_no_control_character_is_written_where_the_environment_says_so(
    variables: dict[str, str], plain: dict[str, str]
) -> None:
    shown = on_a_terminal(*MANIFEST, environment=variables | plain)
    assert not [each for each in shown if not (each.isprintable() or each in "\r\n")]
    assert [line for line in shown.splitlines() if line.startswith("my-bucket,")] == [
        f"my-bucket,{key}" for key in KEYS
    ]


def test_rows_whose_reader_is_gone_end_a_listing_in_silence(variables: dict[str, str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*SEEDER, *MANIFEST],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
        check=False,
        timeout=30,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "words",
    [
        ("manifest", "my-bucket"),
        ("estimate", "my-bucket", "my-replica"),
        ("policy", "my-bucket", "my-replica", "--look"),
        ("lake", "show", "my-lake"),
        ("run", "my-bucket", "my-replica"),
        ("prune",),
    ],
    ids=" ".join,
)
def test_without_credentials_one_sentence_says_what_to_do(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile work]\nregion = eu-west-1\n")
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PROFILE": "work",
    }
    done = subprocess.run(
        [*SEEDER, *words], capture_output=True, text=True, env=environment, check=False, timeout=30
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("seeder: no AWS credentials are found; sign in (aws sso login --profile work)")

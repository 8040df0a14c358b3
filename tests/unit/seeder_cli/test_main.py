"""How the command ends: its exit status, what it prints then, and to what kind of output."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from botocore.exceptions import ClientError

from seeder.errors import AccessDenied, InvalidRequest
from seeder_cli import main as module
from seeder_cli.errors import CommandError
from seeder_cli.main import cli, main
from seeder_cli.terminal import is_plain

SEEDER = [sys.executable, "-W", "error", "-c", "from seeder_cli.main import main; main()"]
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
POLICY = ["policy", "my-bucket", "my-replica"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEEDER_DEBUG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def ended(act: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the exit status of a command that does only this."""

    @click.command()
    def command() -> Any:
        return act()

    monkeypatch.setattr(module, "cli", command)
    monkeypatch.setattr(sys, "argv", ["seeder"])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def raised(error: BaseException) -> Callable[[], Any]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (CommandError("--keys: 'x' is no file; give one"), 2, "seeder: --keys: 'x' is no file; give one"),
        (CommandError("it failed", status=1), 1, "seeder: it failed"),
        (CommandError("no run '\x1b[2J'\nbut: \udcff"), 2, "seeder: no run '\\x1b[2J'\nbut: \\udcff"),
        (InvalidRequest("prefix", "too long; shorten it"), 2, "seeder: prefix: too long; shorten it"),
        (AccessDenied("may not"), 1, "seeder: may not"),
        (DENIED, 1, "seeder: An error occurred (AccessDenied) when calling the GetObject operation: no"),
        (FileNotFoundError(2, "No such file", "x"), 1, "seeder: [Errno 2] No such file: 'x'"),
        (KeyboardInterrupt(), 130, "seeder: interrupted"),
        (click.Abort(), 130, "seeder: interrupted"),
        (
            ModuleNotFoundError("No module named 'moto'", name="moto"),
            1,
            "seeder: moto is not installed; this takes it: pip install 's3-seeder[local]'",
        ),
        (
            ModuleNotFoundError("No module named 'seeder.x'", name="seeder.x"),
            1,
            "seeder: this is a fault of seeder: ModuleNotFoundError: No module named 'seeder.x'; "
            "seeder --debug … shows where",
        ),
        (
            KeyError("arn"),
            1,
            "seeder: this is a fault of seeder: KeyError: 'arn'; seeder --debug … shows where",
        ),
    ],
    ids=lambda item: type(item).__name__,
)
def test_each_error_has_its_status_and_one_line(
    error: BaseException,
    status: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(raised(error), monkeypatch) == status
    shown = capsys.readouterr()
    assert (shown.out, shown.err.lstrip("\n")) == ("", f"{told}\n")


def test_what_a_command_returns_is_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [ended(lambda status=status: status, monkeypatch) for status in (0, 1, 3)] == [0, 1, 3]  # type: ignore[misc]  # mypy can't type a lambda's default


def test_where_an_error_comes_from_is_shown_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEEDER_DEBUG", "1")
    assert ended(raised(CommandError("it failed")), monkeypatch) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("CommandError: it failed\n\nseeder: it failed\n")


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SEEDER, *words],
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
        env={**os.environ, **variables},
    )


def test_a_traceback_is_shown_by_the_option_and_only_then() -> None:
    refused = ["policy", "a", "b", "--source-kms", "k"]
    plain, debugged = run(*refused), run("--debug", *refused)
    assert (plain.returncode, debugged.returncode) == (2, 2)
    assert ("Traceback" in plain.stderr, "Traceback" in debugged.stderr) == (False, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?"),
        (["xyz"], "No such command 'xyz'. See: seeder --help"),
        (["policy", "a", "b", "--operatoin", "copy"], "Did you mean"),
        (["lake", "vreify"], "No such command 'vreify'. Did you mean 'verify'?"),
        (["--regoin", "x", "local"], "Did you mean '--region'?"),
        (["policy", "a"], "Missing argument 'DESTINATION'"),
    ],
)
def test_what_is_mistyped_is_bad_input_and_says_what_was_meant(words: list[str], told: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert " --help' for help" in done.stderr


# ── pipes, terminals, encodings ──


@pytest.mark.parametrize("words", [["--help"], POLICY, ["completion", "zsh"]], ids=" ".join)
def test_a_pipe_that_is_closed_ends_the_command_in_silence(words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*SEEDER, *words], stdout=write, stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=str,
)
def test_no_encoding_of_the_output_makes_a_command_fail(variables: dict[str, str]) -> None:
    done = run("demo", "--help", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    refused = run("policy", "a", "b", "--source-kms", "schlüssel → \udcff", **variables)
    assert refused.returncode == 2
    assert "is not the ARN of a KMS key" in refused.stderr


def test_bytes_that_are_no_text_are_printed_as_escapes() -> None:
    done = subprocess.run(
        [*SEEDER, *POLICY, b"--json", b"--role", b"arn:\xff"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    json.loads(done.stdout)


def on_a_terminal(*words: str, **variables: str) -> bytes:
    """Return what a command prints to a terminal."""
    main_end, end = pty.openpty()
    process = subprocess.Popen(
        [*SEEDER, *words], stdin=end, stdout=end, stderr=end, env={**os.environ, **variables}
    )
    os.close(end)
    shown = b""
    try:
        while read := os.read(main_end, 65536):
            shown += read
    except OSError:  # Linux tells so that the other end is closed
        pass
    os.close(main_end)
    process.wait(30)
    return shown


@pytest.mark.parametrize("words", [["--help"], POLICY, ["rnu"]], ids=" ".join)
def test_text_is_the_same_on_a_terminal_and_in_a_pipe(words: list[str]) -> None:
    shown = on_a_terminal(*words, COLUMNS="80")
    piped = run(*words, COLUMNS="80")
    assert shown.replace(b"\r\n", b"\n").decode() == piped.stdout + piped.stderr
    assert b"\x1b" not in shown


@pytest.mark.parametrize(
    ("variables", "plain"),
    [({}, False), ({"NO_COLOR": "1"}, True), ({"NO_COLOR": ""}, False), ({"TERM": "dumb"}, True)],
    ids=str,
)
def test_a_terminal_is_shown_more_than_text_unless_the_environment_says_no(
    variables: dict[str, str], plain: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    main_end, end = pty.openpty()
    with open(end, "w") as terminal, (tmp_path / "file").open("w") as file:
        assert is_plain(terminal) is plain
        assert is_plain(file)
        monkeypatch.setattr(sys, "stdout", terminal)
        assert cli.callback
        with click.Context(cli) as context:
            cli.callback(debug=False)
        assert context.color is (False if plain else None)
    os.close(main_end)


def test_rows_that_nobody_reads_end_the_command_in_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is written past click, as manifests are, meets the closed pipe when it is flushed."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert ended(lambda: out.write("row"), monkeypatch) == 141
        out.write("more, which goes nowhere")

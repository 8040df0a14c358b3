"""The command, with any arguments, files and records: it ends with a status and a sentence, never by its own fault."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.faults import Fault
from seeder_cli import demo, main, samples
from seeder_cli.commands import ABOUT
from seeder_cli.errors import CommandError
from seeder_cli.place import Place
from tests.fuzz.memory import MemoryS3
from tests.fuzz.strategies import LONG, altered, any_json, fuzzed, nested, torn, written
from tests.fuzz.test_records import RECORD, body_of
from tests.fuzz.test_registries import WELL
from tests.keys import TRAPS

STATUSES = {0, 1, 2, 3, 130}
MOST_TOLD = 20_000
# `demo` and `local` start a cloud; what a command writes to is not drawn, for it would be written.
COMMANDS = [name for name in ABOUT if name not in {"demo", "local"}]
WRITING = {"--html", "--output", "--here", "--help", "--watch"}
FAULT = {"key_prefix": "logs/", "status": 403, "code": "AccessDenied", "times": None, "effect": "error"}
SAMPLE = {"key": "a/b", "size": 10, "metadata": {"a": "b"}, "tags": {"c": "d"}, "storage_class": "STANDARD"}
# What a shell can hand over: no NUL, and bytes that are no text as lone surrogates.
arguments = st.one_of(
    st.sampled_from(
        [
            *TRAPS,
            "",
            "\udcff",
            "--",
            "-",
            "s3://",
            "s3://state/runs/run/",
            "run",
            "abc/xyz",
            "arn:aws:states:",
        ]
    ),
    st.sampled_from(
        ["my-bucket", "my-replica", "7", "-1", "1e999", "٣", "true", "a=b", "2026-01-31T00:00:00Z"]
    ),
    st.text(max_size=12).map(lambda text: text.replace("\0", "")),
    st.just("long").map(lambda _: "x" * 5000),
).filter(lambda text: not text.startswith("/"))


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Answer what commands ask of AWS from memory, and let them write in a folder of their own."""
    session = MemoryS3().session
    monkeypatch.setattr(Place, "core", property(lambda self: session._session))
    monkeypatch.setattr(Place, "session", property(lambda self: session))
    monkeypatch.setenv("COLUMNS", "80")
    here = Path.cwd()
    os.chdir(tmp_path)
    yield
    os.chdir(here)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Draw a command line: a command's own options and arguments, in any order, with any values."""
    name = draw(st.sampled_from(COMMANDS))
    command = main.cli.get_command(click.Context(main.cli), name)
    assert command
    line = [name]
    if isinstance(command, click.Group):
        part = draw(st.sampled_from(sorted(command.commands)))
        line, command = [*line, part], command.commands[part]
    options = [option for each in command.params for option in each.opts if option.startswith("-")]
    known = sorted(set(options) - WRITING)
    for _ in range(draw(st.integers(0, 4))):
        is_an_option: bool = draw(st.booleans())
        if known and is_an_option:
            line.append(draw(st.sampled_from(known)))
        line.append(draw(arguments))
    is_without_stack: bool = draw(st.booleans())
    wanted = is_without_stack and "--state-bucket" in known
    return [*line, "--state-bucket", "state"] if wanted else line


@fuzzed(80)
@given(st.one_of(lines(), st.lists(arguments, max_size=3)))
def test_any_command_line_ends_with_a_status_and_a_sentence(line: list[str]) -> None:
    if not WRITING.isdisjoint(word.partition("=")[0] for word in line):
        return
    _memory(written(RECORD), written(WELL))
    ended(line)


@fuzzed(40)
@given(st.one_of(altered(st.just(RECORD)).map(written), torn(st.just(written(RECORD)), most=1)), st.data())
def test_any_record_is_shown_or_refused(body: bytes, data: st.DataObject) -> None:
    failures = body_of([["abc", "k", "", "SlowDown", "503", "m", "copy", "0"]])
    held = _memory(body, written(WELL))
    held.put(
        "state",
        RECORD["failure_files"][0].removeprefix("s3://state/"),
        data.draw(torn(st.just(failures), most=1)),
    )
    for line in (
        ["show"],
        ["failures"],
        ["failures", "--keys"],
        ["failures", "--keys", "--json"],
        ["report"],
    ):
        ended([*line, "run", "--state-bucket", "state"])
    status, out, _ = ended(["show", "run", "--json", "--state-bucket", "state"])
    if status == 0:
        assert json.loads(out)["state"] == json.loads(body)["state"]
    _, page, _ = ended(["report", "run", "--html", "-", "--state-bucket", "state"])
    assert "<script>alert" not in page


@fuzzed(40)
@given(altered(st.just({"pairs": {"a": {"request": {"source": "abc", "destination": "x"}, "last_run": {}}}})))
def test_any_registry_of_pairs_is_shown_or_refused(body: Any) -> None:
    _memory(written(RECORD), written({**WELL, "body": body}))
    for line in (["status"], ["report"], ["show", "abc"], ["show", "abc/xyz"], ["show", "ru"]):
        ended([*line, "--state-bucket", "state"])


@fuzzed(60)
@given(torn(st.lists(altered(st.just(SAMPLE), most=2).map(written), max_size=3).map(b"\n".join), most=2))
def test_any_file_of_keys_is_read_as_it_says_or_refused(body: bytes) -> None:
    found = refused_or(lambda path: samples.read(path), body)
    if found is not None:
        told = [json.loads(line) for line in body.decode().split("\n") if line.strip()]
        assert [one.model_dump(exclude_unset=True) for one in found] == told


@fuzzed(60)
@given(torn(st.lists(altered(st.just(FAULT), most=2), max_size=3).map(written), most=1))
def test_any_file_of_faults_is_read_as_it_says_or_refused(body: bytes) -> None:
    found = refused_or(lambda path: demo._faults(path), body)
    if found is not None:
        assert all(isinstance(fault, Fault) for fault in found)
        for fault, told in zip(found, json.loads(body), strict=True):
            assert {name: getattr(fault, name) for name in told} == told


@pytest.mark.parametrize("name", ["keys", "faults"])
@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"\xef\xbb\xbf{",
        nested("{"),
        b'{"key": "' + b"x" * LONG + b'", "size": "' + b"y" * LONG + b'"}',
        b"9" * 5000,
    ],
    ids=["no text", "byte order mark", "deep", "long", "digits"],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(name: str, body: bytes) -> None:
    assert refused_or(samples.read if name == "keys" else demo._faults, body) is None


def test_an_argument_that_is_no_text_is_refused() -> None:
    _memory(written(RECORD), written(WELL))
    for line in (
        ["show", "\udcff", "--state-bucket", "state"],
        ["manifest", "my-bucket", "--prefix", "\udcff"],
    ):
        status, _, told = ended(line)
        assert status == 2
        assert "not UTF-8: '" in told


def test_a_key_with_a_line_separator_of_unicode_is_one_key() -> None:
    for separator in ("\u2028", "\x85", "\x0b", "\x1c"):
        line = json.dumps({"key": f"a{separator}b", "size": 1}, ensure_ascii=separator < " ").encode()
        found = refused_or(lambda path: samples.read(path), line + b"\n")
        assert found
        assert [one.key for one in found] == [f"a{separator}b"]


@fuzzed(40)
@given(
    st.one_of(any_json.map(written), torn(st.just(b'{"pairs": [{"source": "abc", "destination": "xyz"}]}')))
)
def test_any_file_of_a_fleet_is_started_or_refused(body: bytes) -> None:
    Path("fleet.json").write_bytes(body)
    status, _, told = ended(["fleet", "fleet.json"])
    # The stack is not there: what is taken ends with 1, what is refused with 2.
    assert status in {1, 2}
    assert status == 1 or "fleet.json" in told or ": " in told


@fuzzed(40)
@given(
    st.one_of(
        any_json.map(json.dumps),
        torn(st.just(b'{"rounds": 1}')).map(lambda body: body.decode("utf-8", "replace")),
    )
)
def test_any_request_of_a_demo_is_taken_or_refused(text: str) -> None:
    try:
        taken = demo._request(text)
    except CommandError as error:
        told = str(error)
    else:
        assert taken == json.loads(text)
        return
    assert len(told) < MOST_TOLD


def ended(line: list[str]) -> tuple[int, str, str]:
    """Return the status of a command line, and what it wrote to both outputs."""
    out, told = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace"), io.StringIO()
    before = sys.argv
    try:
        sys.argv = ["seeder", *line]
        with redirect_stdout(out), redirect_stderr(told):
            status = main._run()
    finally:
        sys.argv = before
    text = told.getvalue()
    assert status in STATUSES, (status, text)
    assert "this is a fault of seeder" not in text, text
    assert "Traceback" not in text
    assert len(text) < MOST_TOLD
    assert text.replace("\n", "").isprintable() or status == 2, ascii(text)
    out.flush()
    return status, out.buffer.getvalue().decode(), text


def refused_or(read: Callable[[Path], Any], body: bytes) -> Any:
    """Return what a file is read as; None where it is refused, in a sentence of bounded length."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(body)
        try:
            return read(path)
        except CommandError as error:
            text = str(error)
            assert len(text) < 1000
            assert text.isprintable()
            assert "file" in text
            return None


def _memory(record: bytes, pairs: bytes) -> MemoryS3:
    held = MemoryS3()
    held.put("state", "runs/run/run.json", record)
    held.put("state", "metastore/pairs.json", pairs)
    return held

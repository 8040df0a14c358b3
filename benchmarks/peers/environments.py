"""A virtual environment for each peer under `.benchmarks/`, made on first use with the versions of `versions.toml`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

HOME = Path(__file__).parent.parent.parent / ".benchmarks"

_VERSIONS = Path(__file__).with_name("versions.toml")
_INSTALL_SECONDS = 300


class Unavailable(Exception):
    """A peer that cannot be installed here; says why."""


@cache
def home() -> Path:
    """Return the directory of environments and results, which git ignores."""
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n")
    return HOME


@cache
def versions() -> dict[str, list[str]]:
    """Return the pinned requirements of each environment."""
    return dict(tomllib.loads(_VERSIONS.read_text())["environments"])


def binaries(name: str) -> Path:
    """Return the directory of an environment's programs, making the environment when it is not as pinned.

    Raises Unavailable, each time for the reason of the first.
    """
    problem = _made(name)
    if problem:
        raise Unavailable(problem)
    return home() / "environments" / name / "bin"


@cache
def _made(name: str) -> str:
    place = home() / "environments" / name
    wanted = "\n".join([sys.version, *versions()[name]])
    marker = place / "installed"
    if marker.exists() and marker.read_text() == wanted:
        return ""
    shutil.rmtree(place, ignore_errors=True)
    print(f"installing {' '.join(versions()[name])} …", file=sys.stderr, flush=True)
    try:
        _run([sys.executable, "-m", "venv", str(place)])
        _run([str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", *versions()[name]])
    except Unavailable as error:
        return str(error)
    marker.write_text(wanted)
    return ""


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"not installed within {_INSTALL_SECONDS} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        raise Unavailable(lines[-1])

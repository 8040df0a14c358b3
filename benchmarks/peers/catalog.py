"""The peers and how each is called to write all keys of a bucket to a file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Command
from benchmarks.peers.environments import Unavailable, binaries, versions
from benchmarks.s3server import Server

_HERE = Path(__file__).parent

Call = Callable[[Server, Path], Command]


@dataclass(frozen=True)
class Peer:
    """A client: `call` makes the command that lists `server.bucket` to a file. Raises Unavailable."""

    name: str
    call: Call


def discard_sockets(connections: int = 1, keys: int = 0) -> Peer:
    """Fetch and discard over bare sockets: the ceiling of the server and of this machine."""
    arguments = [str(connections), str(keys)] if connections > 1 else []
    name = f"fetch and discard, {connections} bare socket{'s' * (connections > 1)}"
    return Peer(name, lambda server, _: _script(sys.executable, "discard.py", server, *arguments))


def discard_signed(connections: int = 1, keys: int = 0) -> Peer:
    """Fetch and discard over botocore's HTTP session, signed by its signer: what a client in Python cannot avoid."""
    arguments = ["--signed", *([str(connections), str(keys)] if connections > 1 else [])]
    name = f"fetch and discard, signed by botocore{f', {connections} threads' * (connections > 1)}"
    return Peer(name, lambda server, _: _script(_python("boto3"), "discard.py", server, *arguments))


def boto3_paginator() -> Peer:
    """The paginator of ListObjectsV2 and `csv.writer`."""
    return Peer(
        "boto3 paginator + csv", lambda s, out: _script(_python("boto3"), "boto3_csv.py", s, str(out))
    )


def boto3_threads(threads: int, keys: int, pages: int) -> Peer:
    """Threads over ranges cut beforehand, of a flat space of `keys` keys; each range is listed for `pages` pages."""

    def call(server: Server, output: Path) -> Command:
        numbers = [str(number) for number in (threads, keys, pages)]
        return _script(_python("boto3"), "boto3_threads.py", server, str(output), *numbers)

    return Peer(f"boto3, {threads} threads, ranges known", call)


def aws_s3_ls() -> Peer:
    """`aws s3 ls --recursive`."""

    def call(server: Server, output: Path) -> Command:
        return _lines([_program("awscli", "aws"), "s3", "ls", f"s3://{server.bucket}", "--recursive"], output)

    return Peer("aws s3 ls", call)


def aws_s3api() -> Peer:
    """`aws s3api list-objects-v2`, keys as text."""

    def call(server: Server, output: Path) -> Command:
        what = ["--bucket", server.bucket, "--query", "Contents[].[Key]", "--output", "text"]
        return _lines([_program("awscli", "aws"), "s3api", "list-objects-v2", *what], output)

    return Peer("aws s3api, text", call)


def s5cmd() -> Peer:
    """`s5cmd ls` of full paths."""

    def call(server: Server, output: Path) -> Command:
        what = ["--endpoint-url", server.url, "ls", "--show-fullpath", f"s3://{server.bucket}/*"]
        return _lines([_program("s5cmd", "s5cmd"), *what], output)

    return Peer("s5cmd ls", call)


def rclone() -> Peer:
    """`rclone lsf --fast-list`."""

    def call(server: Server, output: Path) -> Command:
        how = ["--config", "/dev/null", "--s3-provider", "AWS", "--s3-env-auth", "--s3-force-path-style"]
        what = ["lsf", "--recursive", "--files-only", "--fast-list", f":s3:{server.bucket}"]
        return _lines([_program("rclone", "rclone"), *how, "--s3-endpoint", server.url, *what], output)

    return Peer("rclone lsf --fast-list", call)


def obstore() -> Peer:
    """obstore's Arrow batches, their keys written as CSV by arro3."""
    return Peer("obstore, Arrow", lambda s, out: _script(_python("obstore"), "obstore_arrow.py", s, str(out)))


def prepare() -> None:
    """Install all environments that are not there yet; those that cannot be are skipped later."""
    for name in versions():
        with contextlib.suppress(Unavailable):
            binaries(name)


def _python(environment: str) -> str:
    return _program(environment, "python")


def _program(environment: str, name: str) -> str:
    return str(binaries(environment) / name)


def _script(python: str, name: str, server: Server, *arguments: str) -> Command:
    """A script of this directory, which prints how many keys it has listed."""
    return Command([python, str(_HERE / name), server.url, server.bucket, *arguments])


def _lines(argv: list[str], output: Path) -> Command:
    """A program that prints a line for each key."""
    return Command(argv, output)

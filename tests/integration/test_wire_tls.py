"""The transport of the listing over TLS: verified exactly as boto3 verifies, never less."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import SSLError

from seeder.listing import exchange as exchange_module
from seeder.listing import walk as walk_module
from seeder.listing.connection import Connection
from seeder.listing.wire import Route, Wire
from tests.certificates import Certificate, certificate
from tests.raw_server import CLOSE, RawServer, Request, Step, chunked, ok
from tests.signatures import signed_as
from tests.walked import KEYS, NAMES, client, serving, walked, wired

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_module, "SPLIT_KEYS", 1)
    monkeypatch.setattr(exchange_module, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("ours"), "127.0.0.1")


def by_route(server: RawServer) -> list[Request]:
    return [request for request in server.requests if "amz-sdk-request" not in request.headers]


def test_a_bundle_that_is_named_is_trusted(ours: Certificate) -> None:
    with RawServer(serving(), ours.context) as server, wired(server, verify=ours.path) as wire:
        assert walked(wire) == NAMES
        assert len(by_route(server)) == len(server.requests) - 1
        assert all(signed_as(request, KEYS, "eu-west-3") for request in server.requests)


def test_a_bundle_of_the_environment_is_trusted(ours: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", ours.path)
    with RawServer(serving(), ours.context) as server, wired(server) as wire:
        assert walked(wire) == NAMES
        assert by_route(server)


def test_a_certificate_that_nobody_vouches_for_is_refused(ours: Certificate) -> None:
    with RawServer(serving(), ours.context) as server, wired(server, ONCE) as wire:
        with pytest.raises(SSLError):
            walked(wire)
        assert server.requests == []


@pytest.mark.parametrize(("names", "days"), [(["localhost"], 1), (["127.0.0.1"], -1)])
def test_another_host_s_certificate_and_an_old_one_are_refused(
    names: list[str], days: int, tmp_path: Path
) -> None:
    bad = certificate(tmp_path, *names, days=days)
    with RawServer(serving(), bad.context) as server, wired(server, ONCE, verify=bad.path) as wire:
        with pytest.raises(SSLError):
            walked(wire)
        assert server.requests == []


@pytest.mark.parametrize(("names", "days"), [(["localhost"], 1), (["127.0.0.1"], -1), (["127.0.0.1"], 1)])
def test_a_certificate_that_turns_bad_gets_no_request(
    names: list[str], days: int, tmp_path: Path, ours: Certificate
) -> None:
    """The first page comes well; then each connection ends, and those made anew are somebody else's."""
    bad = certificate(tmp_path, *names, days=days)
    pages = serving()

    def answer(request: Request) -> list[Step]:
        server.tls = bad.context
        return [*pages(request), CLOSE]

    with RawServer(answer, ours.context) as server, wired(server, ONCE, verify=ours.path) as wire:
        with pytest.raises(SSLError):
            walked(wire)
        assert (len(server.requests), wire.route is not None) == (1, True)
        assert server.connections > 2


def test_a_route_verifies_by_itself(ours: Certificate) -> None:
    def route(s3: Any) -> Route:
        return Route(s3, "ListObjectsV2", "list-type=2", AWSRequest("GET", f"{server.url}/bucket"))

    with RawServer(serving(), ours.context) as server:
        with client(server.url) as s3, pytest.raises(ssl.SSLError):
            route(s3).connect()
        with client(server.url, verify=ours.path) as s3, route(s3).connect() as connected:
            assert isinstance(connected, ssl.SSLSocket)
            assert connected.context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_verification_can_be_turned_off_as_for_boto3(ours: Certificate) -> None:
    with RawServer(serving(), ours.context) as server, wired(server, verify=False) as wire:
        assert walked(wire) == NAMES
        assert by_route(server)


def half(request: Request) -> list[Step]:
    whole = serving()(request)[0]
    assert isinstance(whole, bytes)
    return [whole[: len(whole) // 2], CLOSE]


def in_chunks(request: Request) -> list[Step]:
    whole = serving()(request)[0]
    assert isinstance(whole, bytes)
    return [chunked(whole.partition(b"\r\n\r\n")[2], 333)]


FAULTS: list[Callable[[Request], list[Step]]] = [
    half,
    in_chunks,
    lambda request: [CLOSE],
    lambda request: [*serving()(request), CLOSE],
    lambda request: [ok(b"<Error><Code>SlowDown</Code></Error>", "503 Slow Down")],
]


def test_every_key_comes_over_tls_whatever_the_server_does(ours: Certificate) -> None:
    pages = serving()

    def answer(request: Request) -> list[Step]:
        at = request.number // 3 % len(FAULTS)
        return pages(request) if request.number % 3 else FAULTS[at](request)

    with RawServer(answer, ours.context) as server, wired(server, verify=ours.path) as wire:
        assert walked(wire) == NAMES
        assert by_route(server)


def test_large_pages_come_whole_over_tls(ours: Certificate) -> None:
    with RawServer(serving(page=400), ours.context) as server, wired(server, verify=ours.path) as wire:
        for _ in range(3):
            assert walked(wire) == NAMES
        assert by_route(server)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_are_spoken(version: ssl.TLSVersion, tmp_path: Path) -> None:
    own = certificate(tmp_path, "127.0.0.1")
    own.context.minimum_version = own.context.maximum_version = version
    with RawServer(serving(), own.context) as server, wired(server, verify=own.path) as wire:
        assert walked(wire) == NAMES
        assert by_route(server)


def test_session_tickets_are_no_answer_and_no_end(tmp_path: Path) -> None:
    own = certificate(tmp_path, "127.0.0.1")
    own.context.minimum_version = ssl.TLSVersion.TLSv1_3
    own.context.num_tickets = 8
    trusting = ssl.create_default_context(cafile=own.path)
    with RawServer(lambda request: [ok(b"body")], own.context) as server:
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        with trusting.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
            connection = Connection(wrapped)
            # The tickets wait to be read, and are all there is.
            assert select.select([wrapped], [], [], 5)[0]
            assert connection.is_quiet()
            connection.send(b"GET / HTTP/1.1\r\n\r\n")
            until = time.monotonic() + 5
            while (body := connection.receive()) is None and time.monotonic() < until:
                select.select([wrapped], [], [], 0.01)
            assert (body, connection.is_quiet()) == (b"body", True)


def test_a_proxy_that_tunnels_stays_between(ours: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(serving(), ours.context, tunnels=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with client("https://127.0.0.1:1", verify=ours.path) as s3:
            wire = Wire(s3, "bucket")
            assert walked(wire) == NAMES
            assert wire.route is None
            wire.close()
        assert proxy.requests[0].line[:2] == ("CONNECT", "127.0.0.1:1")

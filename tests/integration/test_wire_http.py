"""The transport of the listing over HTTP, against servers that answer as no server should."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder.errors import SeederError, ServiceUnavailable, Throttled, aws_errors
from seeder.listing import exchange as exchange_module
from seeder.listing import walk as walk_module
from seeder.listing.exchange import MOST_REFUSED
from seeder.listing.wire import Wire
from tests.raw_server import CLOSE, RawServer, Request, Step, chunked, closed_down_to, error, ok, open_files
from tests.signatures import signed_as
from tests.walked import KEYS, NAMES, client, serving, walked, wired


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Split ranges early, and let nobody wait: neither this transport nor botocore between its retries."""
    monkeypatch.setattr(walk_module, "SPLIT_KEYS", 1)
    monkeypatch.setattr(exchange_module, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(exchange_module, "_LEAVE_SECONDS", 0.3)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """See that no socket and no thread is left when all servers are gone."""
    before = open_files()
    yield
    for thread in threading.enumerate():
        if thread.name == "list":
            thread.join(10)
    assert closed_down_to(before)


def test_all_but_the_first_page_come_by_the_route_signed_and_named_as_boto3_does() -> None:
    with RawServer(serving()) as server, wired(server) as wire:
        assert walked(wire) == NAMES
        by_boto3 = [request for request in server.requests if "amz-sdk-request" in request.headers]
        assert len(by_boto3) == 1
        assert wire.calls == len(server.requests)
        assert all(signed_as(request, KEYS, "eu-west-3") for request in server.requests)
        first = by_boto3[0].headers
        for request in server.requests:
            differing = {name for name in request.headers if request.headers[name] != first.get(name)}
            # Other libraries, once imported, add their names to what boto3 sends.
            assert first["user-agent"].startswith(request.headers["user-agent"])
            assert differing <= {"authorization", "user-agent", "x-amz-date"}
            assert first.keys() - request.headers.keys() <= {"amz-sdk-invocation-id", "amz-sdk-request"}


def test_a_virtual_host_is_asked_as_boto3_asks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve: Any = __import__("socket").getaddrinfo
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda host, *rest, **named: resolve("127.0.0.1", *rest, **named)
    )
    with RawServer(serving()) as server:
        style = Config(s3={"addressing_style": "virtual"})
        with client(f"http://s3.test:{server.port}", style) as s3:
            wire = Wire(s3, "bucket")
            assert walked(wire) == NAMES
            wire.close()
        assert {request.headers["host"] for request in server.requests} == {f"bucket.s3.test:{server.port}"}
        assert all(signed_as(request, KEYS, "eu-west-3") for request in server.requests)
        assert any("amz-sdk-request" not in request.headers for request in server.requests)


ALWAYS = serving()


def response(request: Request) -> bytes:
    step = ALWAYS(request)[0]
    assert isinstance(step, bytes)
    return step


def body(request: Request) -> bytes:
    return response(request).partition(b"\r\n\r\n")[2]


def drops(whole: bytes) -> list[Step]:
    return [whole[at : at + 50] for at in range(0, len(whole), 50)]


FAULTS: dict[str, Callable[[Request], list[Step]]] = {
    "well": ALWAYS,
    "in chunks": lambda request: [chunked(body(request), 100)],
    "drop by drop": lambda request: drops(response(request)),
    "closed after it": lambda request: [response(request), CLOSE],
    "closed before it": lambda request: [CLOSE],
    "half of it": lambda request: [response(request)[:400], CLOSE],
    "half of its chunks": lambda request: [chunked(body(request), 100)[:-60], CLOSE],
    "garbage": lambda request: [b"garbage\r\n\r\n", CLOSE],
    "slow down": lambda request: [error("SlowDown", "503 Slow Down")],
    "internal error": lambda request: [error("InternalError", "500 Internal Server Error")],
    "an error called 200": lambda request: [error("InternalError", "200 OK")],
    "late": lambda request: [0.02, response(request)],
}
MODES: Any = ["legacy", "standard"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(FAULTS)), max_size=80), st.integers(1, 8), st.sampled_from(MODES))
def test_every_key_comes_once_whatever_the_server_does(faults: list[str], workers: int, mode: Any) -> None:
    drawn = dict(enumerate(faults))

    def answer(request: Request) -> list[Step]:
        return FAULTS[drawn.get(request.number, "well")](request)

    retries = Config(retries={"mode": mode, "total_max_attempts": 100})
    with RawServer(answer) as server, wired(server, retries) as wire:
        assert walked(wire, workers) == NAMES


def test_adaptive_retries_end_as_well() -> None:
    def answer(request: Request) -> list[Step]:
        return FAULTS["slow down" if request.number == 7 else "well"](request)

    with RawServer(answer) as server, wired(server, Config(retries={"mode": "adaptive"})) as wire:
        assert walked(wire) == NAMES


@pytest.mark.parametrize("fault", ["garbage", "closed before it", "an error called 200", "half of it"])
def test_a_server_that_boto3_alone_understands_is_left_to_it(fault: str) -> None:
    def answer(request: Request) -> list[Step]:
        return FAULTS["well" if "amz-sdk-request" in request.headers else fault](request)

    with RawServer(answer) as server, wired(server) as wire:
        assert walked(wire, workers=1) == NAMES
        assert wire.route is None
        by_route = [request for request in server.requests if "amz-sdk-request" not in request.headers]
        assert len(by_route) == MOST_REFUSED


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("slow down", Throttled),
        ("internal error", ServiceUnavailable),
        ("an error called 200", ServiceUnavailable),
        ("half of it", ServiceUnavailable),
        ("closed before it", ServiceUnavailable),
        ("garbage", ServiceUnavailable),
    ],
)
@pytest.mark.parametrize("begins", [0, 10])
def test_a_fault_without_end_is_its_typed_error(fault: str, expected: type[SeederError], begins: int) -> None:
    def answer(request: Request) -> list[Step]:
        return FAULTS["well" if request.number < begins else fault](request)

    with RawServer(answer) as server, wired(server) as wire, pytest.raises(expected), aws_errors():
        walked(wire)


def test_a_refusal_in_the_middle_is_the_error_that_boto3_raises() -> None:
    def answer(request: Request) -> list[Step]:
        return ALWAYS(request) if request.number < 10 else [error("AccessDenied", "403 Forbidden")]

    with RawServer(answer) as server, wired(server) as wire, pytest.raises(ClientError, match="AccessDenied"):
        walked(wire)


@pytest.mark.parametrize("begins", [0, 10])
def test_a_wrong_region_is_corrected_as_boto3_does(begins: int) -> None:
    moved = error(
        "AuthorizationHeaderMalformed", "400 Bad Request", "x-amz-bucket-region: us-west-2\r\n"
    ).replace(b"<Message>", b"<Region>us-west-2</Region><Message>")
    moved = ok(moved.partition(b"\r\n\r\n")[2], "400 Bad Request", "x-amz-bucket-region: us-west-2\r\n")

    def answer(request: Request) -> list[Step]:
        is_right = "/us-west-2/" in request.headers["authorization"]
        return ALWAYS(request) if request.number < begins or is_right else [moved]

    with RawServer(answer) as server, wired(server) as wire:
        assert walked(wire) == NAMES
        last = server.requests[-1]
        assert signed_as(last, KEYS, "us-west-2")
        # Redirected at first, the route itself signs for the right region.
        assert (wire.route is not None) or begins


def test_a_server_that_hangs_is_a_typed_error() -> None:
    quick = Config(read_timeout=0.1, retries={"total_max_attempts": 1})
    with (
        RawServer(lambda request: ALWAYS(request) if request.number < 5 else [30.0]) as server,
        wired(server, quick) as wire,
        pytest.raises(ServiceUnavailable),
        aws_errors(),
    ):
        walked(wire)


@pytest.mark.parametrize("hangs_from", [0, 1, 20])
def test_ctrl_c_ends_a_walk_over_a_server_that_hangs(hangs_from: int) -> None:
    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    quick = Config(retries={"total_max_attempts": 1})
    try:
        with (
            RawServer(lambda request: ALWAYS(request) if request.number < hangs_from else [30.0]) as server,
            wired(server, quick) as wire,
        ):
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(KeyboardInterrupt):
                walked(wire)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_others_on_the_same_client_get_their_answers_parsed() -> None:
    with RawServer(lambda request: [0.001, response(request)]) as server, client(server.url) as s3:
        wires = [Wire(s3, "bucket"), Wire(s3, "bucket")]
        found: list[list[str]] = []
        others = [threading.Thread(target=lambda wire=wire: found.append(walked(wire))) for wire in wires]
        for other in others:
            other.start()
        while any(other.is_alive() for other in others):
            answer = s3.list_objects_v2(Bucket="bucket")
            assert [shown["Key"] for shown in answer["Contents"]] == NAMES[:10]
            assert s3.list_object_versions(Bucket="bucket")["IsTruncated"]
        assert found == [NAMES, NAMES]
        for wire in wires:
            wire.close()
        assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 10


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_a_proxy_stays_between(no_proxies: pytest.MonkeyPatch) -> None:
    with RawServer(serving()) as proxy:
        no_proxies.setenv("HTTP_PROXY", proxy.url)
        with client("http://s3.test:9000") as s3:
            wire = Wire(s3, "bucket")
            assert walked(wire) == NAMES
            assert wire.route is None
            wire.close()
        assert all(request.target.startswith("http://s3.test:9000/bucket?") for request in proxy.requests)


def test_a_host_that_needs_no_proxy_has_a_route(no_proxies: pytest.MonkeyPatch) -> None:
    with RawServer(serving()) as server, RawServer(serving()) as proxy:
        no_proxies.setenv("http_proxy", proxy.url)
        no_proxies.setenv("no_proxy", "127.0.0.1")
        with wired(server) as wire:
            assert walked(wire) == NAMES
            assert wire.route is not None
        assert proxy.requests == []


def test_what_answers_in_the_place_of_a_server_has_no_route() -> None:
    with LocalCloud(ScaledClock(1000)) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="bucket")
        for name in NAMES[:5]:
            s3.put_object(Bucket="bucket", Key=name)
        wire = Wire(s3, "bucket")
        assert walked(wire) == NAMES[:5]
        assert wire.route is None
        wire.close()


def test_another_botocore_without_its_pools_lists_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(serving()) as server, wired(server) as wire:
        monkeypatch.setattr("seeder.listing.wire._pool", lambda s3, url: s3.of_old)
        assert walked(wire) == NAMES
        assert wire.route is None

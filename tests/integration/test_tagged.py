"""Objects asked for their tags over HTTP: by the route, whatever their keys, and through boto3 where that fails."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError

from seeder.errors import Throttled, UnexpectedAnswer
from seeder.listing import exchange as exchange_module
from seeder.listing.tagged import Name, Tagged, asking_for
from seeder.listing.walk import Untaken
from tests.keys import TRAPS
from tests.raw_server import CLOSE, RawServer, Request, Step, chunked, error, ok
from tests.signatures import signed_as
from tests.walked import KEYS, client

TAGS = {"team": "a", "empty": ""}
NAMES: list[Name] = [(f"{number:03}", "") for number in range(200)]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_module, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


def tagging(tags: dict[str, str]) -> bytes:
    made = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in tags.items())
    return (
        f'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>{made}</TagSet></Tagging>'.encode()
    )


YES = tagging({"other": "x", **TAGS})


def key_of(request: Request) -> str:
    path, _, query = request.target.partition("?")
    assert query.startswith("tagging")
    return unquote(path.removeprefix("/bucket/"))


@contextmanager
def asking(server: RawServer, **given: Any) -> Iterator[Tagged]:
    with (
        client(server.url) as s3,
        closing(Tagged(s3, "bucket", TAGS, sleep=lambda _: None, **given)) as tagged,
    ):
        yield tagged
    assert not [thread for thread in threading.enumerate() if thread.name == "list" and thread.is_alive()]


def by_key(request: Request) -> list[Step]:
    """Every third object has all tags; the others lack one, have it with another value, or have none."""
    number = int(key_of(request))
    lacking: list[dict[str, str]] = [{"team": "a"}, {"team": "b", "empty": ""}, {}]
    return [chunked(YES if number % 3 == 0 else tagging(lacking[number // 3 % 3]), 50)]


def test_those_are_found_that_have_all_tags_with_one_request_each() -> None:
    with RawServer(by_key) as server, asking(server) as tagged:
        assert tagged.having(NAMES) == list(range(0, 200, 3))
        assert Counter(map(key_of, server.requests)) == Counter(key for key, _ in NAMES)
        assert tagged.calls == len(NAMES)
        assert tagged.having([]) == []


def test_one_request_goes_through_boto3_and_all_others_by_the_route_signed() -> None:
    with RawServer(by_key) as server, asking(server, in_flight=8) as tagged:
        tagged.having(NAMES[:100])
        tagged.having(NAMES[100:])
        assert sum("amz-sdk-request" in request.headers for request in server.requests) == 1
        assert all(signed_as(request, KEYS, "eu-west-3") for request in server.requests)
        assert server.connections <= 1 + 8


def test_keys_with_traps_are_asked_for_as_they_are() -> None:
    names = [("first", ""), *((key, "") for key in TRAPS)]
    with RawServer(lambda request: [ok(YES)]) as server, asking(server) as tagged:
        assert tagged.having(names) == list(range(len(names)))
        assert Counter(map(key_of, server.requests)) == Counter(key for key, _ in names)


def test_versions_are_asked_for_by_their_ids() -> None:
    def answer(request: Request) -> list[Step]:
        return [ok(YES if request.target.endswith("?tagging&versionId=v%2B1") else tagging({}))]

    with RawServer(answer) as server, asking(server) as tagged:
        assert tagged.having([("k", "null"), ("k", "v+1"), ("k", "v2"), ("k", "v+1")]) == [1, 3]


@pytest.mark.parametrize(
    ("code", "status"),
    [("NoSuchKey", "404 Not Found"), ("NoSuchVersion", "404 Not Found"), ("MethodNotAllowed", "405 No")],
)
def test_what_was_deleted_meanwhile_has_no_tags(code: str, status: str) -> None:
    def answer(request: Request) -> list[Step]:
        return [error(code, status)] if int(key_of(request)) < 50 else [ok(YES)]

    with RawServer(answer) as server, asking(server) as tagged:
        assert tagged.having(NAMES) == list(range(50, 200))


def test_a_permission_that_is_missing_is_told() -> None:
    with (
        RawServer(lambda request: [error("AccessDenied", "403 Forbidden")]) as server,
        asking(server) as tagged,
        pytest.raises(ClientError, match="AccessDenied"),
    ):
        tagged.having(NAMES)


def test_a_server_that_stays_busy_ends_in_one_error() -> None:
    with (
        RawServer(lambda request: [error("SlowDown", "503 Slow Down")]) as server,
        asking(server) as tagged,
        pytest.raises(Throttled),
    ):
        tagged.having(NAMES[:1])


def test_a_busy_server_and_cut_connections_lose_and_double_nothing() -> None:
    def answer(request: Request) -> list[Step]:
        if request.number % 7 == 3:
            return [error("SlowDown", "503 Slow Down")]
        return [CLOSE] if request.number % 11 == 5 else by_key(request)

    with RawServer(answer) as server, asking(server, in_flight=8) as tagged:
        assert tagged.having(NAMES) == list(range(0, 200, 3))


def test_an_answer_that_is_not_understood_is_told() -> None:
    with (
        RawServer(lambda request: [ok(b"<Tagging><TagSet>" if request.number else YES)]) as server,
        asking(server) as tagged,
        pytest.raises(UnexpectedAnswer, match="not XML"),
    ):
        tagged.having(NAMES[:2])


def test_time_that_is_out_leaves_a_lot_untaken_but_never_the_first() -> None:
    with RawServer(by_key) as server, asking(server, is_out_of_time=lambda: True) as tagged:
        assert tagged.having(NAMES[:10]) == [0, 3, 6, 9]
        with pytest.raises(Untaken):
            tagged.having(NAMES[10:])


def test_where_no_tags_are_asked_for_there_is_nobody_to_ask() -> None:
    with RawServer(by_key) as server, client(server.url) as s3:
        with asking_for(s3, "bucket", {}) as nobody:
            assert nobody is None
        with asking_for(s3, "bucket", TAGS) as tagged:
            assert tagged is not None
            assert tagged.having(NAMES[:4]) == [0, 3]

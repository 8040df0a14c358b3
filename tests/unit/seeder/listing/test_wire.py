from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.listing.wire import Route, Wire
from tests.keys import any_key
from tests.raw_server import Request
from tests.signatures import Keys, signed_as

KEYS = Keys("AKIDEXAMPLE", "secret/with+signs", "a session's token/+=")


def client(token: str = "", config: Config | None = None, region: str = "eu-west-3") -> Any:
    return boto3.client(
        "s3",
        region_name=region,
        aws_access_key_id=KEYS.id,
        aws_secret_access_key=KEYS.secret,
        aws_session_token=token or None,
        config=config,
    )


def route(url: str, s3: Any = None, marker: str = "list-type=2") -> Route:
    first = AWSRequest("GET", f"{url}?{marker}", headers={"User-Agent": "agent/1"})
    first.context["client_config"] = (s3 or client()).meta.config
    return Route(s3 or client(), "ListObjectsV2", marker, first)


def request_of(made: Route, **parameters: Any) -> Request:
    return Request(0, 0, made.message(parameters))


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://bucket.s3.eu-west-3.amazonaws.com/", "bucket.s3.eu-west-3.amazonaws.com", "/"),
        ("https://bucket.s3.eu-west-3.amazonaws.com", "bucket.s3.eu-west-3.amazonaws.com", "/"),
        ("https://s3.eu-west-3.amazonaws.com/bucket", "s3.eu-west-3.amazonaws.com", "/bucket"),
        ("https://S3.Example.com:443/bucket", "s3.example.com", "/bucket"),
        ("http://s3.example.com:80/bucket", "s3.example.com", "/bucket"),
        ("http://s3.example.com:443/bucket", "s3.example.com:443", "/bucket"),
        ("http://127.0.0.1:9000/bucket", "127.0.0.1:9000", "/bucket"),
        ("http://[::1]:9000/bucket", "[::1]:9000", "/bucket"),
        ("https://[::1]/deep/er/bucket", "[::1]", "/deep/er/bucket"),
    ],
)
def test_requests_go_where_the_first_one_went(url: str, host: str, path: str) -> None:
    made = request_of(route(url))
    assert (made.line[0], made.target, made.line[2]) == ("GET", f"{path}?list-type=2", "HTTP/1.1")
    assert made.headers["host"] == host
    assert signed_as(made, KEYS._replace(token=""), "eu-west-3")


@settings(deadline=None, max_examples=50)
@given(any_key, any_key, st.integers(1, 1000))
def test_any_key_comes_through_signed(prefix: str, start: str, most: int) -> None:
    made = request_of(
        _SHARED, Prefix=prefix, StartAfter=start, MaxKeys=most, EncodingType="url", ContinuationToken="a+/="
    )
    assert made.parameters == {
        "Prefix": prefix,
        "StartAfter": start,
        "MaxKeys": str(most),
        "EncodingType": "url",
        "ContinuationToken": "a+/=",
    }
    assert signed_as(made, KEYS._replace(token=""), "eu-west-3")


_SHARED = route("http://127.0.0.1:9000/bucket")


def test_a_changed_request_is_not_signed() -> None:
    made = request_of(_SHARED, Prefix="a")
    changed = made._replace(raw=made.raw.replace(b"prefix=a", b"prefix=b"))
    assert not signed_as(changed, KEYS._replace(token=""), "eu-west-3")


def test_a_session_token_is_sent_and_signed() -> None:
    made = request_of(route("http://127.0.0.1:9000/bucket", client(KEYS.token)))
    assert made.headers["x-amz-security-token"] == KEYS.token
    assert signed_as(made, KEYS, "eu-west-3")


def test_versions_are_asked_for_by_their_markers() -> None:
    made = request_of(
        route("http://127.0.0.1:9000/bucket", marker="versions"), KeyMarker="a b", VersionIdMarker="v+1"
    )
    assert made.target == "/bucket?versions&key-marker=a%20b&version-id-marker=v%2B1"
    assert signed_as(made, KEYS._replace(token=""), "eu-west-3")


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:9000/bucket/", "https://bucket.s3.eu-west-3.amazonaws.com/"]
)
@pytest.mark.parametrize("first", ["a", "a/b +%2B?", "/leading", "..", "é#"])
@settings(deadline=None, max_examples=20)
@given(any_key)
def test_tags_are_asked_for_by_a_path_that_holds_any_key_signed(base: str, first: str, key: str) -> None:
    asked = AWSRequest(
        "GET", f"{base}{quote(first, safe='/-_.~')}?tagging", headers={"User-Agent": "agent/1"}
    )
    asked.context["client_config"] = _CLIENT.meta.config
    made = request_of(Route(_CLIENT, "GetObjectTagging", "tagging", asked, first), Key=key, VersionId="v+/ 1")
    path, _, query = made.target.partition("?")
    assert unquote(path) == urlsplit(base).path + key
    assert query == "tagging&versionId=v%2B%2F%201"
    assert "x-amz-optional-object-attributes" not in made.headers
    assert signed_as(made, KEYS._replace(token=""), "eu-west-3")


_CLIENT = client()


def test_an_unsigned_client_stays_unsigned() -> None:
    made = request_of(route("http://127.0.0.1/b", client(config=Config(signature_version=UNSIGNED))))
    assert "authorization" not in made.headers
    assert made.headers["user-agent"] == "agent/1"


def test_refreshed_credentials_sign_later_requests() -> None:
    turns = iter(range(1, 10))

    def refresh() -> dict[str, str]:
        number = next(turns)
        ends = "2000-01-01T00:00:00Z" if number < 3 else "2999-01-01T00:00:00Z"
        return {
            "access_key": f"id{number}",
            "secret_key": f"s{number}",
            "token": f"t{number}",
            "expiry_time": ends,
        }

    session = boto3.Session(region_name="eu-west-3")
    session._session._credentials = RefreshableCredentials.create_from_metadata(  # type: ignore[attr-defined]
        refresh(), refresh, "test"
    )
    made = route("http://127.0.0.1:9000/bucket", session.client("s3"))
    turns = iter([3, 3, 3])
    assert signed_as(request_of(made), Keys("id3", "s3", "t3"), "eu-west-3")


@pytest.mark.parametrize("seconds", [7, None])
def test_answers_are_waited_for_as_long_as_the_client_waits(seconds: int | None) -> None:
    made = route("http://127.0.0.1:9000/bucket", client(config=Config(read_timeout=seconds)))
    assert made.seconds == (seconds or float("inf"))


def registered(s3: Any, event: str) -> list[Any]:
    return list(s3.meta.events._emitter._handlers.prefix_search(event))


@pytest.mark.parametrize("operation", ["ListObjectsV2", "ListObjectVersions", "GetObjectTagging"])
def test_a_closed_wire_leaves_the_client_as_it_was(operation: str) -> None:
    s3 = client()
    events = [f"{name}.s3.{operation}" for name in ("before-sign", "before-parse")]
    before = [registered(s3, event) for event in events]
    wires = [Wire(s3, "bucket", operation), Wire(s3, "bucket", operation)]
    assert [registered(s3, event) for event in events] != before
    for wire in wires:
        wire.close()
        wire.close()
    assert [registered(s3, event) for event in events] == before

"""This process's environment, set for a run."""

from __future__ import annotations

import os

import pytest

from seeder_cli.errors import CommandError
from seeder_cli.here import HereOptions
from seeder_cli.here.environment import NO_ACCOUNT, environment, is_of_aws, surroundings
from seeder_cli.place import Place


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def test_variables_are_set_and_unset_and_are_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_HERE", "before")
    monkeypatch.delenv("B_HERE", raising=False)
    with environment({"A_HERE": None, "B_HERE": "within"}):
        assert ("A_HERE" in os.environ, os.environ["B_HERE"]) == (False, "within")
    assert (os.environ["A_HERE"], "B_HERE" in os.environ) == ("before", False)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://s3.eu-west-1.amazonaws.com", True),
        ("https://s3.cn-north-1.amazonaws.com.cn", True),
        ("http://127.0.0.1:8333", False),
        ("https://amazonaws.com.example.org", False),
    ],
)
def test_an_endpoint_of_aws_is_known_by_its_host(endpoint: str, expected: bool) -> None:
    assert is_of_aws(endpoint) is expected


def test_a_server_without_accounts_has_one_that_stands_for_them() -> None:
    # That of S3 alone: STS is AWS's then, and is not asked.
    with surroundings(Place(), HereOptions(endpoint_url="http://127.0.0.1:9")) as at:
        assert (at.account, at.region, at.is_aws, at.has_jobs) == (NO_ACCOUNT, "us-east-1", False, False)
        assert at.endpoint == "http://127.0.0.1:9"
    assert "AWS_ENDPOINT_URL_S3" not in os.environ


def test_a_server_has_jobs_where_one_for_them_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3_CONTROL", "http://127.0.0.1:9")
    with surroundings(Place(region="eu-west-1"), HereOptions()) as at:
        assert (at.region, at.has_jobs) == ("eu-west-1", True)


def test_aws_needs_a_region() -> None:
    with pytest.raises(CommandError, match="give --region"), surroundings(Place(), HereOptions()):
        pass

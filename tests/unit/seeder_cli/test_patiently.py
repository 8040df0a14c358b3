from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from seeder_cli.errors import CommandError
from seeder_cli.patiently import LONGEST_PAUSE_SECONDS, patiently
from seeder_cli.place import place_options

BACK = "seeder attach my-run"


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "DescribeExecution")


class Calls:
    """Raises these errors one after the other, then returns."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.slept: list[float] = []

    def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def made(self) -> str:
        return patiently(self, BACK, self.slept.append)


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException", "SlowDown"])
def test_throttling_is_waited_out_however_long_it_lasts(code: str) -> None:
    calls = Calls(*[refused(code)] * 1000)
    assert calls.made() == "answer"
    assert calls.slept[:6] == [2, 4, 8, 16, 32, 60]
    assert max(calls.slept) == LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize(
    "error",
    [
        refused("InternalServerError", 500),
        boto.EndpointConnectionError(endpoint_url="https://states.us-east-1.amazonaws.com"),
        boto.ReadTimeoutError(endpoint_url="https://states.us-east-1.amazonaws.com"),
        boto.ConnectionClosedError(endpoint_url="https://states.us-east-1.amazonaws.com"),
    ],
)
def test_a_network_that_comes_back_is_waited_for(error: Exception) -> None:
    calls = Calls(*[error] * 5)
    assert calls.made() == "answer"
    assert len(calls.slept) == 5


def test_a_network_that_stays_away_ends_the_attachment_and_says_how_to_come_back() -> None:
    calls = Calls(*[boto.EndpointConnectionError(endpoint_url="https://x")] * 1000)
    with pytest.raises(CommandError, match=f"the run goes on: {BACK}$") as raised:
        calls.made()
    assert raised.value.status == 3
    assert 900 <= sum(calls.slept) < 1000


@pytest.mark.parametrize(
    "error",
    [
        refused("ExpiredTokenException"),
        refused("ExpiredToken", 403),
        refused("UnrecognizedClientException"),
        boto.UnauthorizedSSOTokenError(),
        boto.SSOTokenLoadError(profile_name="x", error_msg="y"),
        boto.CredentialRetrievalError(provider="x", error_msg="y"),
        boto.NoCredentialsError(),
    ],
)
def test_credentials_that_expire_end_it_with_one_sentence(error: Exception) -> None:
    calls = Calls(refused("ThrottlingException"), error)
    with pytest.raises(CommandError) as raised:
        calls.made()
    assert str(raised.value) == f"your AWS credentials have expired; the run goes on: renew them, then {BACK}"
    assert raised.value.status == 3


def test_no_other_words_come_between_the_sentence_and_the_user() -> None:
    import click
    from click.testing import CliRunner

    @click.command()
    @place_options
    def command(place: Any) -> None:
        Calls(refused("ExpiredTokenException")).made()

    error = CliRunner().invoke(command, [], standalone_mode=False).exception
    assert isinstance(error, CommandError)
    assert BACK in str(error)


def test_what_does_not_pass_is_raised() -> None:
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        Calls(refused("ExecutionDoesNotExist")).made()

"""Which region, profile and stack a command works with, and what it says where it has no access to AWS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from click.testing import CliRunner

from seeder.errors import AccessDenied, translate
from seeder_cli.access import refusal
from seeder_cli.errors import CommandError
from seeder_cli.place import Place, account_options, location_options, place_options
from seeder_cli.stack import stack_outputs

CONFIG = """\
[default]
region = eu-west-1
aws_access_key_id = default
aws_secret_access_key = x
[profile other]
region = eu-west-2
aws_access_key_id = other
aws_secret_access_key = x
[profile nowhere]
aws_access_key_id = nowhere
aws_secret_access_key = x
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_ACCESS_KEY_ID",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@click.group()
@location_options
def group(**_: Any) -> None:
    """A group with the options, as `seeder` is one."""


@group.command()
@place_options
def stacked(place: Place) -> Place:
    """Return the place."""
    return place


@group.command()
@account_options
def plain(place: Place) -> Place:
    """Return the place."""
    return place


def placed(words: str) -> Place:
    made: Place = group.main(words.split(), standalone_mode=False)
    return made


def access_key(place: Place) -> str:
    credentials = place.session.get_credentials()
    assert credentials
    return credentials.access_key


# ── which ──


@pytest.mark.parametrize(
    ("words", "variables", "region"),
    [
        ("stacked", {}, "eu-west-1"),
        ("stacked --profile other", {}, "eu-west-2"),
        ("stacked", {"AWS_PROFILE": "other"}, "eu-west-2"),
        ("stacked", {"AWS_PROFILE": "other", "AWS_DEFAULT_REGION": "us-west-1"}, "us-west-1"),
        ("stacked", {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-1"}, "us-west-2"),
        ("stacked --region sa-east-1", {"AWS_REGION": "us-west-2", "AWS_PROFILE": "other"}, "sa-east-1"),
        ("--region sa-east-1 stacked", {"AWS_REGION": "us-west-2"}, "sa-east-1"),
        ("--region sa-east-1 stacked --region ca-west-1", {}, "ca-west-1"),
        ("--region sa-east-1 plain", {}, "sa-east-1"),
        ("plain --region ca-west-1", {"AWS_REGION": ""}, "ca-west-1"),
        ("plain", {"AWS_REGION": ""}, "eu-west-1"),
        ("stacked --profile nowhere", {}, None),
    ],
)
def test_the_region_is_the_options_then_the_environments_then_the_profiles(
    words: str, variables: dict[str, str], region: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    place = placed(words)
    assert place.session.region_name == region
    assert place.core.get_config_variable("region") == region
    if region:
        assert place.client("s3").meta.region_name == region
    assert place.client("s3", "ap-south-1").meta.region_name == "ap-south-1"


@pytest.mark.parametrize(
    ("words", "named", "key"),
    [
        ("stacked", "", "default"),
        ("stacked", "other", "other"),
        ("stacked --profile nowhere", "other", "nowhere"),
        ("--profile other plain", "nowhere", "other"),
        ("--profile other plain --profile nowhere", "", "nowhere"),
    ],
)
def test_the_profile_is_the_options_then_the_environments(
    words: str, named: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if named:
        monkeypatch.setenv("AWS_PROFILE", named)
    assert access_key(placed(words)) == key


def test_the_stack_is_seeder_unless_it_is_named_before_or_after_the_command() -> None:
    given = ("stacked", "--stack a stacked", "stacked --stack b", "--stack a stacked --stack b", "plain")
    assert [placed(words).stack for words in given] == ["seeder", "a", "b", "b", "seeder"]


def test_a_command_that_needs_no_stack_does_not_offer_the_option() -> None:
    result = CliRunner().invoke(group, ["plain", "--stack", "a"])
    assert (result.exit_code, "No such option" in result.output) == (2, True)


@pytest.mark.parametrize("by_option", [True, False])
def test_an_unknown_profile_is_named_with_those_there_are(
    by_option: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not by_option:
        monkeypatch.setenv("AWS_PROFILE", "none")
    with pytest.raises(CommandError) as caught:
        _ = Place(profile="none" if by_option else "").session
    option = "--profile" if by_option else "AWS_PROFILE"
    assert str(caught.value) == f"{option}: there is no profile 'none'; there are: default, other, nowhere"
    assert caught.value.status == 2


def test_where_there_are_no_profiles_it_is_said_how_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/none")
    with pytest.raises(CommandError, match="`aws configure --profile NAME` makes one"):
        _ = Place(profile="none").session


def test_without_a_region_no_stack_is_looked_for() -> None:
    with pytest.raises(CommandError, match="no region is set; give --region, set AWS_REGION"):
        stack_outputs(Place(profile="nowhere").session, "seeder")


# ── access ──


def answered(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said AWS"}}, "GetObject")


SAID: list[tuple[Exception, str]] = [
    (boto.NoCredentialsError(), "aws sso login --profile work"),
    (boto.NoCredentialsError(), "aws configure --profile work"),
    (
        boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        "half of the AWS credentials",
    ),
    (boto.SSOTokenLoadError(error_msg="no token"), "run: aws sso login --profile work"),
    (boto.UnauthorizedSSOTokenError(), "run: aws sso login --profile work"),
    (boto.TokenRetrievalError(provider="sso", error_msg="expired"), "run: aws sso login --profile work"),
    (boto.LoginRefreshRequired(), "run: aws login --profile work"),
    (boto.CredentialRetrievalError(provider="p", error_msg="no such program"), "no such program"),
    (boto.NoRegionError(), "aws configure set region NAME --profile work"),
    (boto.EndpointConnectionError(endpoint_url="https://s3"), "check the region (eu-west-1), the network"),
    (boto.ConnectTimeoutError(endpoint_url="https://s3"), "AWS is not reached: Connect timeout"),
    (boto.ConfigParseError(path="/x"), "mend that file"),
    (answered("ExpiredToken"), "the AWS credentials have expired (ExpiredToken); sign in again"),
    (answered("ExpiredTokenException"), "aws sso login --profile work"),
    (answered("InvalidClientTokenId"), "AWS does not take these credentials (InvalidClientTokenId)"),
    (answered("SignatureDoesNotMatch"), "aws sts get-caller-identity --profile work"),
    (answered("RequestTimeTooSkewed"), "set the clock"),
    (answered("NoSuchBucket"), "does not exist (NoSuchBucket); create it, or correct the name"),
]


@pytest.mark.parametrize(("error", "told"), SAID, ids=lambda item: type(item).__name__)
def test_each_way_that_access_fails_is_told_in_a_sentence_with_what_to_do(
    error: Exception, told: str
) -> None:
    refused = refusal(error, "work", "eu-west-1")
    assert refused is not None
    assert told in str(refused)
    assert "\n" not in str(refused)


@pytest.mark.parametrize("error", [answered("AccessDenied"), answered("NoSuchKey"), ValueError("x")])
def test_what_is_not_about_access_is_left_as_it_is(error: Exception) -> None:
    assert refusal(error, "work", "eu-west-1") is None


def test_no_profile_is_named_where_none_was() -> None:
    refused = refusal(boto.SSOTokenLoadError(error_msg="no token"), "", "")
    assert str(refused).endswith("run: aws sso login")


def raising(make: Callable[[], Exception]) -> Any:
    @click.command()
    @place_options
    def failing(place: Place) -> None:
        raise make()

    return CliRunner().invoke(failing, ["--profile", "other"], standalone_mode=False).exception


def test_what_a_command_or_the_library_made_of_it_is_told_the_same() -> None:
    def wrapped() -> Exception:
        error = CommandError("stack 'seeder': something", status=2)
        error.__cause__ = translate(answered("ExpiredToken"))
        error.__cause__.__cause__ = answered("ExpiredToken")
        return error

    for make, status in ((wrapped, 2), (lambda: answered("ExpiredToken"), 1)):
        error = raising(make)
        assert isinstance(error, CommandError)
        assert "(aws sso login --profile other)" in str(error)
        assert error.status == status


def test_all_other_errors_pass_through_a_command_as_they_are() -> None:
    denied = AccessDenied("may not")
    assert raising(lambda: denied) is denied

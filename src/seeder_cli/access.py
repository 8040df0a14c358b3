"""What to do where AWS can't be reached, or does not know who or what is named: a sentence for each way that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from botocore import exceptions as boto
from botocore.exceptions import ClientError

from seeder.errors import code_of
from seeder_cli.errors import CommandError

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_LATE = frozenset({"RequestInTheFuture", "RequestTimeTooSkewed"})


def refusal(error: BaseException, profile: str, region: str) -> CommandError | None:
    """Return what to tell, where an error or one of its causes is about finding AWS, or what it has; else None.

    `profile` and `region` are those that were used; the profile is "" where none was named.
    """
    status = error.status if isinstance(error, CommandError) else 1
    for each in _causes(error):
        if text := _told(each, profile, region):
            return CommandError(text, status)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _told(error: BaseException, profile: str, region: str) -> str:
    if isinstance(error, ClientError):
        return _answered(error, profile)
    option = f" --profile {profile}" if profile else ""
    for kinds, text in _SENTENCES:
        if isinstance(error, kinds):
            return text(error, option, region or "none")
    return ""


def _answered(error: ClientError, profile: str) -> str:
    code, option = code_of(error), f" --profile {profile}" if profile else ""
    if code in _EXPIRED:
        return (
            f"the AWS credentials have expired ({code}); sign in again (aws sso login{option}), or set new ones, and "
            "give the command again"
        )
    if code in _UNKNOWN:
        return (
            f"AWS does not take these credentials ({code}); see whose they are: aws sts get-caller-identity{option}, "
            f"and set others: aws configure{option}"
        )
    if code == "NoSuchBucket":
        name = error.response["Error"].get("BucketName", "that is named")
        return f"bucket '{name}' does not exist (NoSuchBucket); create it, or correct the name"
    if code in _LATE:
        return f"AWS refuses what this machine signs ({code}), for its clock is wrong; set the clock"
    return ""


_Sentence = Callable[[BaseException, str, str], str]
_SENTENCES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], _Sentence], ...] = (
    (
        boto.NoCredentialsError,
        lambda error, option, region: (
            f"no AWS credentials are found; sign in (aws sso login{option}), store some (aws configure{option}), or "
            "name a profile that has some (--profile, AWS_PROFILE)"
        ),
    ),
    (
        boto.PartialCredentialsError,
        lambda error, option, region: (
            f"half of the AWS credentials is missing: {error}; aws configure{option}"
        ),
    ),
    (
        (boto.SSOError, boto.TokenRetrievalError, boto.NoAuthTokenError),
        lambda error, option, region: (
            f"the sign-in to AWS is missing or has expired; run: aws sso login{option}"
        ),
    ),
    (
        boto.LoginError,
        lambda error, option, region: f"the sign-in to AWS is missing or has expired; run: aws login{option}",
    ),
    (
        (boto.CredentialRetrievalError, boto.UnknownCredentialError, boto.InvalidConfigError),
        lambda error, option, region: (
            f"no AWS credentials can be had: {error}; mend the profile (aws configure{option}), or name another "
            "(--profile)"
        ),
    ),
    (
        boto.ConfigParseError,
        lambda error, option, region: f"the AWS configuration can't be read: {error}; mend that file",
    ),
    (
        boto.NoRegionError,
        lambda error, option, region: (
            "no region is set; give --region, set AWS_REGION, or give the profile one (aws configure set region "
            f"NAME{option})"
        ),
    ),
    (
        (boto.ConnectionError, boto.ConnectionClosedError, boto.ReadTimeoutError),
        lambda error, option, region: (
            f"AWS is not reached: {error}; check the region ({region}), the network and, if set, HTTPS_PROXY and "
            "AWS_ENDPOINT_URL"
        ),
    ),
)

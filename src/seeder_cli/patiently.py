"""Calls to AWS while a run is followed, for hours: what passes is waited out, what does not is one sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from seeder.errors import ServiceUnavailable, Throttled, code_of, translate
from seeder_cli.errors import CommandError

Result = TypeVar("Result")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 60.0
# A network that is away this long is left for the user to see to. Throttling is waited out however long it lasts.
MOST_AWAY_SECONDS = 900.0
NOT_PROVEN = 3
_EXPIRED_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "RequestExpired",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
_EXPIRED: tuple[type[BotoCoreError], ...] = (
    boto.CredentialRetrievalError,
    boto.LoginError,
    boto.NoAuthTokenError,
    boto.NoCredentialsError,
    boto.SSOError,
    boto.TokenRetrievalError,
)


def patiently(
    call: Callable[[], Result], come_back: str, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """Return what a call returns, which is made again while AWS asks to slow down or is not reached.

    `come_back` is the command by which the user goes on later. Raises CommandError for credentials that have expired
    and for a network that stays away, and what else the call raises.
    """
    pause, away = FIRST_PAUSE_SECONDS, 0.0
    while True:
        try:
            return _made(call, come_back)
        except Throttled:
            away = 0.0
        except ServiceUnavailable as error:
            if away >= MOST_AWAY_SECONDS:
                raise CommandError(
                    f"AWS was not reached for {away / 60:.0f} minutes ({error}); the run goes on: {come_back}",
                    NOT_PROVEN,
                ) from None
            away += pause
        sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _made(call: Callable[[], Result], come_back: str) -> Result:
    """Make a call once. Raises Throttled, ServiceUnavailable, CommandError, and what else boto3 raises."""
    try:
        return call()
    except ClientError as error:
        if code_of(error) in _EXPIRED_CODES:
            raise _expired(come_back) from None
        passing = translate(error)
        if isinstance(passing, (Throttled, ServiceUnavailable)):
            raise passing from error
        raise
    except _EXPIRED:
        # Without the cause, which would be told in other words, of a command that is given again.
        raise _expired(come_back) from None
    except (boto.ConnectionError, boto.HTTPClientError) as error:
        raise ServiceUnavailable(str(error)) from error


def _expired(come_back: str) -> CommandError:
    told = f"your AWS credentials have expired; the run goes on: renew them, then {come_back}"
    return CommandError(told, NOT_PROVEN)

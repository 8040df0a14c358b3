"""Whose account, which S3 and which region a run without a stack works with, as this process's environment tells."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from seeder_cli.errors import CommandError

if TYPE_CHECKING:
    import boto3

    from seeder_cli.here import HereOptions
    from seeder_cli.place import Place

# What stands for an account where there is none, and for a region.
NO_ACCOUNT, USUAL_REGION = "000000000000", "us-east-1"
_OF_AWS = (".amazonaws.com", ".amazonaws.com.cn")
_ACCOUNT = re.compile(r"\d{12}")
_QUICK = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# Handlers log and measure for CloudWatch; here they are silent, and what they raise is told by the run.
_SILENT = {
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "Seeder",
    "POWERTOOLS_SERVICE_NAME": "seeder",
    "POWERTOOLS_TRACE_DISABLED": "true",
}


@dataclass(frozen=True)
class Surroundings:
    """Where a run works. `has_jobs` tells whether S3 Batch Operations is there; `endpoint` is that of S3."""

    session: boto3.Session
    region: str
    account: str
    endpoint: str
    is_aws: bool
    has_jobs: bool


@contextmanager
def surroundings(place: Place, options: HereOptions) -> Iterator[Surroundings]:
    """Make this process's environment that of the place and options, and yield what is there. Raises CommandError."""
    import boto3

    region = str(place.core.get_config_variable("region") or "")
    values: dict[str, str | None] = {**_SILENT, "AWS_DEFAULT_REGION": region or USUAL_REGION}
    if place.profile:
        # Credentials in the environment would come before those of a profile that stands there as well.
        values |= {"AWS_PROFILE": place.profile, **dict.fromkeys(_CREDENTIALS)}
    if options.endpoint_url:
        values["AWS_ENDPOINT_URL_S3"] = options.endpoint_url
    with environment(values):
        session = boto3.Session()
        endpoint = _endpoint(session, "s3")
        is_aws = is_of_aws(endpoint)
        if is_aws and not region:
            raise CommandError("--region: none is given, nor known from the profile; give --region NAME")
        yield Surroundings(
            session=session,
            region=region or USUAL_REGION,
            account=_account(session, is_aws),
            endpoint=endpoint,
            is_aws=is_aws,
            # One URL for all services is that of a server, which is not known to have jobs.
            has_jobs=is_aws or bool(os.environ.get("AWS_ENDPOINT_URL_S3_CONTROL")),
        )


@contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables within the block, or unset them where the value is None."""
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def is_of_aws(endpoint: str) -> bool:
    """Tell whether an endpoint's URL is one of AWS's own."""
    return str(urlsplit(endpoint).hostname).endswith(_OF_AWS)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _endpoint(session: boto3.Session, service: Any) -> str:
    return str(session.client(service).meta.endpoint_url)


def _account(session: boto3.Session, is_aws: bool) -> str:
    """Return the account of the credentials; NO_ACCOUNT where the server of S3 knows none."""
    if is_aws:
        return session.client("sts").get_caller_identity()["Account"]
    if is_of_aws(_endpoint(session, "sts")):
        return NO_ACCOUNT
    try:
        account = session.client("sts", config=_QUICK).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError, ResponseParserError):
        return NO_ACCOUNT
    return account if _ACCOUNT.fullmatch(account) else NO_ACCOUNT

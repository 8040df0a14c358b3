"""boto3 clients that moto answers in this process, whether under `mock_aws` or a server: never a network."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from moto.core import botocore_stubber as stubbing
from moto.core.models import botocore_stubber

_CONFIG = Config(
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
_lock = threading.Lock()


def make_client(service: str, region: str, credentials: dict[str, str] | None = None) -> Any:
    """Return a client with a role's credentials (as AssumeRole returns them), or the service's own.

    Clients are safe to use from several threads. No call is retried.
    """
    held = credentials or {
        "AccessKeyId": "batchoperations",
        "SecretAccessKey": "batchoperations",
        "SessionToken": "",
    }
    with _lock:
        return _session().create_client(
            service,
            region_name=region,
            aws_access_key_id=held["AccessKeyId"],
            aws_secret_access_key=held["SecretAccessKey"],
            aws_session_token=held["SessionToken"] or None,
            config=_CONFIG,
        )


@lru_cache(maxsize=1)
def _session() -> Any:
    session: Any = botocore.session.Session()
    session.unregister("before-send", botocore_stubber)
    session.register("before-send", _answer)
    return session


def _answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    answer = botocore_stubber.process_request(request)
    if answer is None:
        raise RuntimeError(f"{request.url} is not answered by moto")
    status, headers, body = answer
    raw: Any = stubbing.MockRawResponse(body)
    return AWSResponse(request.url, status, headers, raw)

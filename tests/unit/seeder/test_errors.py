from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from seeder import errors


def answer(code: str, status: int) -> ClientError:
    document: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(document, "Operation")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("SlowDown", 503, errors.Throttled),
        ("TooManyRequestsException", 400, errors.Throttled),
        ("AccessDenied", 403, errors.AccessDenied),
        ("403", 403, errors.AccessDenied),
        ("InternalError", 500, errors.ServiceUnavailable),
        ("InternalServiceException", 500, errors.ServiceUnavailable),
        ("NoSuchKey", 404, errors.UnexpectedAnswer),
    ],
)
def test_awss_errors_become_ours(code: str, status: int, expected: type[Exception]) -> None:
    with pytest.raises(expected), errors.aws_errors():
        raise answer(code, status)


def test_no_answer_is_a_service_that_is_unavailable() -> None:
    with pytest.raises(errors.ServiceUnavailable), errors.aws_errors():
        raise EndpointConnectionError(endpoint_url="x")


def test_our_own_errors_pass() -> None:
    with pytest.raises(errors.InvalidRequest), errors.aws_errors():
        raise errors.InvalidRequest("field", "problem")

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from pydantic import BaseModel

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


def test_a_text_of_any_length_is_one_line_that_keeps_its_end() -> None:
    text = str(errors.InvalidRequest("a\nfield", "\x1b[31m" + "x" * 10_000 + "; do this"))
    assert text.startswith("a\\nfield: \\x1b[31mxxx")
    assert text.endswith("xxx; do this")
    assert len(text) <= errors.MOST_CHARACTERS


def test_a_document_that_a_model_refuses_is_an_unexpected_answer() -> None:
    class Document(BaseModel):
        count: int

    with (
        pytest.raises(errors.UnexpectedAnswer, match=r"a Document that this release .*: count is 'x': "),
        errors.aws_errors(),
    ):
        Document.model_validate({"count": "x"})


def test_a_request_that_boto3_does_not_make_is_an_unexpected_answer() -> None:
    with pytest.raises(errors.UnexpectedAnswer, match="no request can be made"), errors.aws_errors():
        raise ParamValidationError(report="Invalid bucket name")

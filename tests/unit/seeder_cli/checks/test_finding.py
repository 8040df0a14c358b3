from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from seeder_cli.checks.finding import Check, Fact, Verdict, ok, present, run


def refusal(code: str, message: str = "", operation: str = "GetBucketEncryption") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def raising(error: Exception) -> Callable[[], Verdict]:
    def look() -> Verdict:
        raise error

    return look


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (refusal("AccessDenied"), "may not look: s3:GetEncryptionConfiguration is missing"),
        (refusal("403", operation="HeadBucket"), "may not look: s3:ListBucket is missing"),
        (
            refusal(
                "AccessDeniedException",
                "User: u is not authorized to perform: kms:GetKeyPolicy on resource: k",
            ),
            "may not look: kms:GetKeyPolicy is missing",
        ),
        (refusal("NotImplemented"), "this endpoint does not answer GetBucketEncryption"),
        (
            refusal("InternalError", "oops"),
            "GetBucketEncryption was refused: An error occurred (InternalError)",
        ),
        (EndpointConnectionError(endpoint_url="http://x"), "no answer: Could not connect"),
        (KeyError("Rules"), "the check failed: KeyError: 'Rules'"),
    ],
)
def test_a_check_that_fails_to_look_says_so_and_hides_no_other(error: Exception, found: str) -> None:
    checks = [Check("g", "bad", raising(error)), Check("g", "good", lambda: ok("fine"))]
    findings = run(checks)
    assert [(item.name, item.outcome) for item in findings] == [("bad", "unknown"), ("good", "ok")]
    assert findings[0].found.startswith(found)


def test_a_question_that_does_not_arise_is_not_told() -> None:
    assert run([Check("g", "none", lambda: None)]) == []
    assert run([]) == []


def test_a_fact_is_asked_once_and_its_error_told_to_all() -> None:
    asked = []

    def ask() -> str:
        asked.append(1)
        raise refusal("AccessDenied")

    fact = Fact(ask)
    for _ in range(2):
        with pytest.raises(ClientError):
            fact()
    assert len(asked) == 1
    assert Fact(lambda: None)() is None


def test_what_is_absent_is_none_and_what_is_refused_is_raised() -> None:
    assert present(raising(refusal("NoSuchBucketPolicy")), "NoSuchBucketPolicy") is None
    with pytest.raises(ClientError):
        present(raising(refusal("AccessDenied")), "NoSuchBucketPolicy")

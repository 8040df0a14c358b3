from __future__ import annotations

import json

import pytest

from seeder import errors
from seeder.causes import _COMPLETE, _TO_DO, MOST_CHARACTERS, explain, explained

TIMED_OUT = (
    "2026-11-23T02:55:48.123Z 6a54a2e0-8f6c-4a2a-9b1c-5f0f7c1d2e3f Task timed out after 900.00 seconds"
)


def document(message: str, kind: str = "X") -> str:
    return json.dumps({"errorMessage": message, "errorType": kind, "requestId": "1", "stackTrace": ["  a\n"]})


@pytest.mark.parametrize(
    ("name", "cause", "sentence"),
    [
        ("InvalidRequest", document("source: no; correct it"), "source: no; correct it"),
        (
            "ServiceUnavailable",
            document("An error occurred (InternalError) when calling the CreateJob operation"),
            "An error occurred (InternalError) when calling the CreateJob operation; AWS did not recover within all "
            "tries: run the pair again later",
        ),
        (
            "Sandbox.Timedout",
            json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": TIMED_OUT}),
            "Sandbox.Timedout: Task timed out after 900.00 seconds; the function did not end within its time: run the "
            "pair again; if it happens again, see the log group of the functions",
        ),
        (
            "Runtime.ExitError",
            document("RequestId: 1-2 Error: Runtime exited with error: signal: killed"),
            "Runtime.ExitError: Runtime exited with error: signal: killed; the function died each time it was called: "
            "read the log group of the functions for where, then run the pair again",
        ),
        (
            "Lambda.AWSLambdaException",
            "The role defined for the function cannot be assumed by Lambda. (Service: AWSLambda; Status Code: 403)",
            "Lambda.AWSLambdaException: The role defined for the function cannot be assumed by Lambda; a function, its "
            "role or its permissions are not as the template has them: deploy the stack again, then run the pair again",
        ),
        (
            "KeyError",
            document("'manifest'"),
            "KeyError: 'manifest'; this is a fault of seeder's own: report it with its trace from the log group of the "
            "functions, then run the pair again",
        ),
        (
            "States.DataLimitExceeded",
            "",
            "States.DataLimitExceeded; the run's document outgrew 256 KiB: seed the pair by prefix, in several "
            "smaller runs",
        ),
    ],
)
def test_a_cause_is_one_sentence_that_ends_with_what_to_do(name: str, cause: str, sentence: str) -> None:
    assert explain(name, cause) == sentence


def test_whatever_comes_is_one_line_and_keeps_what_to_do() -> None:
    told = explain("ValidationError", document("1 error\n  input\n" + "x" * 5000))
    assert "\n" not in told
    assert told.startswith("ValidationError: 1 error input x")
    assert told.endswith("then run the pair again")
    assert len(told) < MOST_CHARACTERS + 200


@pytest.mark.parametrize("cause", ["", "null", "[]", '"text"', '{"a": 1}', "{not json", "7"])
def test_a_cause_of_any_shape_is_told(cause: str) -> None:
    assert explained({"Error": "Odd", "Cause": cause})["Cause"].startswith("Odd")
    assert explained({})["Cause"].startswith("Unknown; ")


def test_every_error_of_the_library_is_either_complete_or_has_its_advice() -> None:
    own = {
        name
        for name, item in vars(errors).items()
        if isinstance(item, type) and item.__module__ == errors.__name__
    }
    assert own - {"SeederError"} <= _COMPLETE | set(_TO_DO)

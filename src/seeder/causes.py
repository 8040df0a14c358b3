"""Why a run ended early, in one sentence that ends with what to do.

Contracts: Step Functions developer guide, "Handling errors in Step Functions workflows" (names of errors); AWS Lambda
developer guide, "Understanding retry behavior in Lambda" and "Troubleshoot execution issues in Lambda".
"""

from __future__ import annotations

import json
import re
from typing import Any

MOST_CHARACTERS = 700
_AGAIN = "run the pair again"
_LATER = f"{_AGAIN} later"
_LOG = "the log group of the functions"
_DEPLOY = "a function, its role or its permissions are not as the template has them: deploy the stack again"
_DIED = f"the function died each time it was called: read {_LOG} for where, then {_AGAIN}"

# What these say ends with what to do.
_COMPLETE = frozenset({"InvalidRequest", "PairBusy", "AccessDenied", "Interrupted"})
_TO_DO = {
    "Throttled": f"AWS asked to slow down at every try: {_LATER}, with fewer others at a time",
    "ServiceUnavailable": f"AWS did not recover within all tries: {_LATER}",
    "Undecided": f"AWS did not recover within all tries: {_LATER}",
    "NotYetVisible": f"AWS did not show it within all tries: {_LATER}",
    "UnexpectedAnswer": f"mend what AWS names, then {_AGAIN}",
    "Conflict": f"two writers meant the same object: {_AGAIN}",
    "AlreadyExists": f"two writers meant the same object: {_AGAIN}",
    "Lost": f"two writers meant the same object: {_AGAIN}",
    "Gone": f"somebody deleted what the run had read: {_AGAIN}",
    "Sandbox.Timedout": f"the function did not end within its time: {_AGAIN}; if it happens again, see {_LOG}",
    "States.Timeout": f"the state did not end within its time: {_AGAIN}; if it happens again, see {_LOG}",
    "States.DataLimitExceeded": "the run's document outgrew 256 KiB: seed the pair by prefix, in several smaller runs",
    "Runtime.ExitError": _DIED,
    "Runtime.OutOfMemory": _DIED,
    "Lambda.Unknown": _DIED,
    "Lambda.TooManyRequestsException": f"Lambda had no room at any try: {_LATER}, or have the concurrency quota raised",
    "Lambda.ServiceException": f"Lambda did not recover within all tries: {_LATER}",
    "Lambda.SdkClientException": f"Lambda did not recover within all tries: {_LATER}",
    "Lambda.AccessDeniedException": f"{_DEPLOY}, then {_AGAIN}",
    "Lambda.ResourceNotFoundException": f"{_DEPLOY}, then {_AGAIN}",
    "Runtime.ImportModuleError": f"the package is not whole: build and deploy the stack again, then {_AGAIN}",
    "Runtime.HandlerNotFound": f"the package is not whole: build and deploy the stack again, then {_AGAIN}",
}
_FAULT = f"this is a fault of seeder's own: report it with its trace from {_LOG}, then {_AGAIN}"
_PERMISSION = re.compile(r"not authorized to|cannot be assumed|not able to assume")
# What tells a request from others helps nobody who reads a sentence.
_NOISE = re.compile(
    r"^RequestId: \S+ (?:Error: )?|^\d{4}-\d\d-\d\dT\S+ [0-9a-f-]{36} |^[0-9a-f-]{36} (?=Task timed out)"
    r"|\s*\(Service: [^()]*\)"
)


def explained(caught: dict[str, Any]) -> dict[str, str]:
    """Return an error as a state machine caught it, `{"Error", "Cause"}`, its cause made a sentence.

    Its name loses `States.`, for a Fail state must not name its error so (Amazon States Language, "Errors").
    """
    name = str(caught.get("Error") or "Unknown")
    return {"Error": name.removeprefix("States."), "Cause": explain(name, str(caught.get("Cause") or ""))}


def explain(name: str, cause: str) -> str:
    """Return what happened and what to do, on one line; `cause` is a sentence, or the document of a function."""
    told = " ".join(_NOISE.sub("", _message(cause)).split())
    told = f"{told[:MOST_CHARACTERS]} …" if len(told) > MOST_CHARACTERS else told
    if name in _COMPLETE and told:
        return told
    to_do = _TO_DO.get(name)
    if _PERMISSION.search(told):
        to_do = f"{_DEPLOY}, then {_AGAIN}"
    if to_do is None or (name not in told and "." in name):
        told = f"{name}: {told}" if told and told != name else name
    return f"{told.rstrip('.') or name}; {to_do or _FAULT}"


def _message(cause: str) -> str:
    """Return the message in the document that Lambda makes of an exception; anything else as it is."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause

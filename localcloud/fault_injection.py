"""Faults at moto's one dispatch point for S3 and S3 Control, and where it invokes Lambda functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from botocore.exceptions import ReadTimeoutError
from moto.awslambda.models import LambdaFunction
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import HTTPException

from localcloud.batch_operations import settings
from localcloud.batch_operations.models import names_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest

    from localcloud.faults import Fault, Faults
    from localcloud.patching import Patches

_S3_HOST = re.compile(r"(?:.+\.)?s3[.-](?!control|tables|vectors)")
_CONTROL_HOST = re.compile(r"(?:\d+\.)?s3-control[.-]")

Answer = tuple[int, dict[str, str], Any]


def _in_force() -> Faults:
    return settings().strikes


def install(patches: Patches, faults: Callable[[], Faults] = _in_force) -> None:
    """Let faults that name an operation or a function strike, until the patches are undone.

    In this process a timeout is botocore's ReadTimeoutError; whoever serves HTTP must turn it into a dropped
    connection.
    """

    def process(stubber: Any, request: AWSPreparedRequest) -> Answer | None:
        fault = _strike(faults(), request)
        if fault is None:
            return cast("Answer | None", answer(stubber, request))
        if fault.committed:
            answer(stubber, request)
        if fault.effect == "timeout":
            raise ReadTimeoutError(endpoint_url=request.url)
        return _error(fault, request)

    def invoke(function: Any, *args: Any, **kwargs: Any) -> tuple[str, bool, str]:
        fault = faults().strike(operation="Invoke", function=function.function_name)
        if fault is None:
            return cast("tuple[str, bool, str]", run(function, *args, **kwargs))
        if fault.committed:
            run(function, *args, **kwargs)
        return _function_error(fault, function)

    answer: Callable[..., Any] = patches.replace(BotocoreStubber, "process_request", process)
    run: Callable[..., Any] = patches.replace(LambdaFunction, "_invoke_lambda", invoke)


def _strike(faults: Faults, request: AWSPreparedRequest) -> Fault | None:
    if not faults:
        return None
    called = identify(request)
    if called is None:
        return None
    operation, labels = called
    job = labels.get("id")
    return faults.strike(operation=operation, key=labels.get("Key", ""), job=names_of(job) if job else ())


def identify(request: AWSPreparedRequest) -> tuple[str, dict[str, Any]] | None:
    """Return the operation and decoded labels (Bucket, Key, id) of an S3 or S3 Control request, else None."""
    host = urlsplit(request.url).netloc
    if _CONTROL_HOST.match(host):
        service = "s3control"
    elif _S3_HOST.match(host):
        service = "s3"
    else:
        return None
    try:
        operation, labels = get_service_router(service).match(
            Request.from_primitives(request.method, request.url, request.headers)
        )
    except HTTPException:
        return None
    return str(operation.name), labels


def _error(fault: Fault, request: AWSPreparedRequest) -> Answer:
    message = f"<Code>{escape(fault.code)}</Code><Message>Injected fault: {escape(fault.code)}</Message>"
    if _CONTROL_HOST.match(urlsplit(request.url).netloc):
        body = f"<ErrorResponse><Error>{message}</Error><RequestId>injected</RequestId></ErrorResponse>"
    else:
        body = f"<Error>{message}<RequestId>injected</RequestId></Error>"
    return (
        fault.status,
        {"content-type": "application/xml"},
        b"" if request.method == "HEAD" else body.encode(),
    )


def _function_error(fault: Fault, function: Any) -> tuple[str, bool, str]:
    if fault.effect == "timeout":
        text = f"Task timed out after {float(function.timeout):.2f} seconds"
        return (
            f'{{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: injected Error: {text}"}}',
            True,
            text,
        )
    if fault.effect == "exit":
        text = "Runtime exited with error: exit status 1"
        return (
            f'{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: injected Error: {text}"}}',
            True,
            text,
        )
    return f'{{"errorType":"{fault.code}","errorMessage":"Injected fault: {fault.code}"}}', True, fault.code

"""What befalls functions at any of their invocations, and at any of their calls to AWS."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.awslambda.models import LambdaFunction
from moto.core.botocore_stubber import BotocoreStubber
from moto.sts.models import sts_backends

from localcloud.authorization.calls import Call
from localcloud.lambda_runtime.in_process import Context
from localcloud.patching import Patches
from tests.chaos.refusals import CONFLICT, FAILURE, THROTTLE, refusal
from tests.e2e.deployed import ACCOUNT

Answer = tuple[int, dict[str, str], Any]
Hook = Callable[[], None]

DEATHS = {
    "crash before a call": ("Runtime.ExitError", False),
    "crash after a call": ("Runtime.ExitError", True),
    "timeout before a call": ("Sandbox.Timedout", False),
    "timeout after a call": ("Sandbox.Timedout", True),
}
CALLS = (
    "throttled",
    "500",
    "500 after the call was carried out",
    "answer lost after the call was carried out",
    "connection lost before the call",
    "409 at a conditional write",
    "another writer first at a registry (412)",
    "somebody writes at a call",
)
INVOCATIONS = {
    "invocation throttled": ("Lambda.TooManyRequestsException", False),
    "invocation failed": ("Lambda.ServiceException", False),
    "invocation failed, the function ran": ("Lambda.SdkClientException", True),
    "invocation ended in the unknown": ("Lambda.Unknown", True),
}


class Killed(BaseException):
    """Ends a thread of a function whose process has died."""


@dataclass(frozen=True)
class Strike:
    """What befalls a function in its nth invocation: from its nth call on, `times` calls that it can befall.

    A death, if the function makes fewer calls, comes after the last. `lasting`: at every later invocation as well.
    """

    kind: str
    function: str
    invocation: int
    call: int = 1
    times: int = 1
    lasting: bool = False


class Strikes:
    """Lets strikes happen as planned while installed; `struck` are those that did.

    `write` is what "somebody writes at a call" does, and `race` lets another writer be first at a key of the state
    bucket. `hurries` is how often a function saw no time left.
    `describe` answers for an execution that Step Functions does not know, None for unknown ones.
    """

    def __init__(self) -> None:
        self.struck: list[Strike] = []
        self.hurried = False
        self.hurries = 0
        self.write: Hook = lambda: None
        self.race: Callable[[str], None] = lambda key: None
        self.describe: Callable[[str], dict[str, Any] | None] = lambda arn: None
        self._lock = threading.Lock()
        self._plan: list[Strike] = []
        self._invocations: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._due: dict[str, list[Strike]] = {}
        self._left: Counter[Strike] = Counter()
        self._dead: set[str] = set()

    def plan(self, strikes: list[Strike], hurried: bool = False) -> None:
        """Forget what was, and let these happen. Functions that are `hurried` see no time left."""
        with self._lock:
            self._plan, self.hurried, self.struck, self.hurries = strikes, hurried, [], 0
            for kept in (self._invocations, self._calls, self._due, self._left, self._dead):
                kept.clear()

    @contextmanager
    def installed(self) -> Iterator[Strikes]:
        """Let the strikes happen within the block."""
        patches = Patches()
        invoke: Any = LambdaFunction._invoke_lambda
        process: Any = BotocoreStubber.process_request
        remaining = Context.get_remaining_time_in_millis

        def left(context: Context) -> int:
            # What copies in parts must be left the time to complete an object.
            copies = short(context.function_name) == "CopyLargeObject"
            if copies or not self.hurried:
                return remaining(context)
            self.hurries += 1
            return 0

        patches.replace(
            LambdaFunction, "_invoke_lambda", lambda function, event=None: self._run(invoke, function, event)
        )
        patches.replace(
            BotocoreStubber,
            "process_request",
            lambda stubber, request: self._answer(lambda: process(stubber, request), request),
        )
        patches.replace(Context, "get_remaining_time_in_millis", left)
        try:
            yield self
        finally:
            patches.undo()

    def _run(self, invoke: Any, function: Any, event: Any) -> tuple[str, bool, str]:
        name = function.function_name
        with self._lock:
            self._invocations[name] += 1
            self._calls[name] = 0
            self._dead.discard(name)
            due = self._due[name] = [one for one in self._plan if self._is_due(one, name)]
            self._left.update({one: one.times for one in due if one not in self._left or one.lasting})
        outer = next((one for one in due if one.kind in INVOCATIONS), None)
        death = next((one for one in due if one.kind in DEATHS), None)
        answer: tuple[str, bool, str] = "", False, ""
        if outer is None or INVOCATIONS[outer.kind][1]:
            try:
                answer = invoke(function, event)
            except Killed:
                assert death
        error = INVOCATIONS[outer.kind][0] if outer else DEATHS[death.kind][0] if death else ""
        for strike in filter(None, (outer, death)):
            self.struck.append(strike)
        if error:
            told = {"errorType": error, "errorMessage": f"RequestId: drawn Error: {error}"}
            return json.dumps(told), True, error
        return answer

    def _is_due(self, strike: Strike, name: str) -> bool:
        times = self._invocations[name]
        return strike.function == short(name) and (
            times >= strike.invocation if strike.lasting else times == strike.invocation
        )

    def _answer(self, process: Callable[[], Any], request: Any) -> Any:
        caller = _caller(request)
        if not caller:
            return process()
        call = Call(request)
        with self._lock:
            if caller in self._dead:
                raise Killed
            self._calls[caller] += 1
            strike = next((one for one in self._due.get(caller, ()) if self._hits(one, caller, call)), None)
            if strike and strike.kind in DEATHS:
                self._dead.add(caller)
            elif strike:
                self._left[strike] -= 1
                self.struck.append(strike)
        if strike is None:
            return self._described(call, process())
        return self._struck(strike.kind, call, process, request)

    def _hits(self, strike: Strike, caller: str, call: Call) -> bool:
        number = self._calls[caller]
        if strike.kind in DEATHS:
            return number == strike.call
        if strike.kind in INVOCATIONS or number < strike.call or self._left[strike] <= 0:
            return False
        if strike.kind.startswith("409"):
            return is_conditional(call)
        return "412" not in strike.kind or (is_conditional(call) and "/metastore/" in call.path)

    def _struck(self, kind: str, call: Call, process: Callable[[], Any], request: Any) -> Any:
        if kind in DEATHS:
            if DEATHS[kind][1]:
                process()
            raise Killed
        if kind == "somebody writes at a call":
            self.write()
            return process()
        if kind.startswith("another writer"):
            self.race("metastore/" + call.path.partition("/metastore/")[2])
            return process()
        if kind.startswith("connection"):
            raise ConnectionClosedError(endpoint_url=request.url)
        if "carried out" in kind:
            process()
        if kind.startswith("answer"):
            raise ReadTimeoutError(endpoint_url=request.url)
        wanted = THROTTLE if kind == "throttled" else CONFLICT if kind.startswith("409") else FAILURE
        return refusal(wanted, call)

    def _described(self, call: Call, answer: Any) -> Any:
        """Answer DescribeExecution for the executions of a conductor, of which moto knows nothing."""
        if call.service != "states" or answer is None or answer[0] != 400:
            return answer
        if not call.headers.get("x-amz-target", "").endswith(".DescribeExecution"):
            return answer
        found = (
            self.describe(json.loads(call.body)["executionArn"])
            if b"DoesNotExist" in _bytes(answer[2])
            else None
        )
        return (200, {"content-type": "application/x-amz-json-1.0"}, json.dumps(found)) if found else answer


def is_conditional(call: Call) -> bool:
    """Whether S3 writes only if something else is, or is not, there."""
    return (
        call.service == "s3"
        and bool({"if-match", "if-none-match"} & set(call.headers))
        and call.method != "GET"
    )


def short(name: str) -> str:
    """Return the logical name of a deployed function, `seeder-<name>-<12 characters>`."""
    return name.split("-")[1]


def _caller(request: Any) -> str:
    """Return the name of the function that signed a request; empty for anyone else."""
    signed = str(request.headers.get("Authorization", ""))
    key = signed.partition("Credential=")[2].partition("/")[0]
    role = sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(key) if key else None
    return str(role.session_name) if role else ""


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")

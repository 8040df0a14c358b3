"""Functions that die at any of their calls to AWS, and states whose input is delivered again."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.botocore_stubber import BotocoreStubber
from moto.sts.models import sts_backends

from localcloud.functions import Context
from localcloud.patching import Patches
from tests.e2e.deployed import ACCOUNT

WAYS = ("Runtime.ExitError", "Sandbox.Timedout")


class Killed(BaseException):
    """Ends a thread of a function whose process has died."""


@dataclass(frozen=True)
class Death:
    """A function dies in its nth invocation, at its nth call to AWS or, if it makes fewer, after the last.

    The call is carried out if `after`. `lasting`: so does every later invocation.
    """

    function: str
    invocation: int
    call: int
    after: bool
    way: str
    lasting: bool = False


@dataclass
class Mortality:
    """Kills functions as planned while installed; `struck` are the deaths that happened."""

    deaths: list[Death] = field(default_factory=list)
    hurried: bool = False
    struck: list[Death] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._invocations: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._doomed: dict[str, Death] = {}
        self._dead: set[str] = set()

    def plan(self, deaths: list[Death], hurried: bool = False) -> None:
        """Forget what was, and let these deaths happen. Functions that are `hurried` see no time left."""
        with self._lock:
            self.deaths, self.hurried, self.struck = deaths, hurried, []
            self._invocations.clear()

    @contextmanager
    def installed(self) -> Iterator[Mortality]:
        """Let the deaths happen within the block."""
        patches = Patches()
        invoke: Any = LambdaFunction._invoke_lambda
        process: Any = BotocoreStubber.process_request
        remaining = Context.get_remaining_time_in_millis

        def run(function: Any, event: Any = None) -> tuple[str, bool, str]:
            return self._run(invoke, function, event)

        def answer(stubber: Any, request: Any) -> Any:
            return self._answer(process, stubber, request)

        def left(context: Context) -> int:
            # What copies in parts must be left the time to complete an object.
            copies = short(context.function_name) == "CopyLargeObject"
            return remaining(context) if copies or not self.hurried else 0

        patches.replace(LambdaFunction, "_invoke_lambda", run)
        patches.replace(BotocoreStubber, "process_request", answer)
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
            self._doomed.pop(name, None)
            death = next((one for one in self.deaths if self._is_due(one, name)), None)
            if death:
                self._doomed[name] = death
        try:
            answer: tuple[str, bool, str] = invoke(function, event)
        except Killed:
            assert death
        if death:
            self.struck.append(death)
            told = {"errorType": death.way, "errorMessage": f"RequestId: drawn Error: {death.way}"}
            answer = json.dumps(told), True, death.way
        return answer

    def _is_due(self, death: Death, name: str) -> bool:
        times = self._invocations[name]
        return death.function == short(name) and (
            times >= death.invocation if death.lasting else times == death.invocation
        )

    def _answer(self, process: Any, stubber: Any, request: Any) -> Any:
        caller = _caller(request)
        with self._lock:
            if caller in self._dead:
                raise Killed
            self._calls[caller] += 1
            death = self._doomed.get(caller)
            mine = death is not None and self._calls[caller] == death.call
            if mine:
                self._dead.add(caller)
        if mine and death and not death.after:
            raise Killed
        answer = process(stubber, request)
        if mine:
            raise Killed
        return answer


def short(name: str) -> str:
    """Return the logical name of a deployed function, `seeder-<name>-<12 characters>`."""
    return name.split("-")[1]


def _caller(request: Any) -> str:
    """Return the name of the function that signed a request; empty for anyone else."""
    signed = str(request.headers.get("Authorization", ""))
    key = signed.partition("Credential=")[2].partition("/")[0]
    role = sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(key) if key else None
    return str(role.session_name) if role else ""


def drawn(luck: random.Random, functions: list[str], most_calls: int) -> Death:
    """Draw a death."""
    return Death(
        function=luck.choice(functions),
        invocation=luck.choice([1, 1, 1, 2, 2, 3]),
        call=luck.randint(1, most_calls),
        after=luck.random() < 0.5,
        way=luck.choice(WAYS),
    )

"""Faults as ordinary inputs: what should fail, how, and how often."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CALL_EFFECTS = ("error", "timeout", "exit")
JOB_EFFECTS = ("fail", "cancel", "pause", "late_report", "no_report", "wrong_md5")
EFFECTS = (*CALL_EFFECTS, *JOB_EFFECTS)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    `operation` names an S3, S3 Control or Lambda API operation (`CopyObject`, `CreateJob`, `Invoke`); without
    one the fault strikes the tasks of S3 Batch Operations jobs, whose row then has this status and code.
    `key_prefix` is compared with the decoded key, `job` with a job's id or description, `function` with a
    Lambda function's name. `times` is how often it strikes; None is always.

    `effect` is `error` (the caller gets `status` and `code`), `timeout` (the caller gets no answer; a Lambda
    function runs out of time) or `exit` (a Lambda function's process dies). With `committed` the call is
    carried out first and only its answer is lost.

    Other effects strike whole jobs of S3 Batch Operations: `fail` (once active, the job fails with `code` as its
    failure code), `cancel` (somebody cancels it), `pause` (it is Paused for `seconds` of the clock),
    `late_report` (the report comes `seconds` after the job is Complete), `no_report` (it never comes) and
    `wrong_md5` (the report's manifest names wrong MD5s).
    """

    status: int = 0
    code: str = ""
    key_prefix: str = ""
    times: int | None = None
    operation: str | None = None
    job: str | None = None
    function: str | None = None
    effect: str = "error"
    committed: bool = False
    seconds: float = 0.0

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Fault:
        """Return the fault a JSON object describes.

        Raises ValueError naming the field, its value and what to write instead.
        """
        known = {field.name for field in fields(cls)}
        for name in description:
            if name not in known:
                raise ValueError(f"fault field {name!r} is not known; use one of {', '.join(sorted(known))}")
        for name, value in description.items():
            _check_type(name, value)
        fault = cls(**description)
        fault._check_values()
        return fault

    def _check_values(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(f"fault effect is {self.effect!r}; use one of {', '.join(EFFECTS)}")
        if self.effect == "error" and not 100 <= self.status <= 599:
            raise ValueError(f"fault status is {self.status!r}; give an HTTP status from 100 to 599")
        if self.effect in ("error", "fail") and not self.code:
            raise ValueError(f"fault code is {self.code!r}; give the AWS error code, such as 'SlowDown'")
        if self.times is not None and self.times < 1:
            raise ValueError(f"fault times is {self.times!r}; give a whole number from 1, or null for always")
        if self.effect == "exit" and self.function is None:
            raise ValueError(f"fault effect is 'exit' but function is {self.function!r}; name a function")
        if not self.seconds >= 0:
            raise ValueError(f"fault seconds is {self.seconds!r}; give a number from 0")
        if self.effect in JOB_EFFECTS:
            self._check_job_fault()

    def _check_job_fault(self) -> None:
        for name in ("operation", "function", "key_prefix"):
            if getattr(self, name):
                raise ValueError(
                    f"fault {name} is {getattr(self, name)!r} but effect {self.effect!r} strikes whole jobs; "
                    f"leave {name} out, or name a job with 'job'"
                )


def _check_type(name: str, value: object) -> None:
    wanted: dict[str, tuple[type, str]] = {
        "status": (int, "an HTTP status such as 503"),
        "times": (int, "a whole number from 1, or null for always"),
        "committed": (bool, "true or false"),
        "seconds": (float, "a number from 0"),
    }
    if name == "seconds" and type(value) in (int, float):
        return
    kind, hint = wanted.get(name, (str, "a string"))
    optional = name in ("times", "operation", "job", "function")
    if (value is None and optional) or type(value) is kind:
        return
    raise ValueError(f"fault {name} is {value!r}; give {hint}")


class Faults:
    """The faults in force, with how often each may still strike; `struck` is how often each did.

    Safe to use from several threads.
    """

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._faults = list(faults)
        self._left = [fault.times for fault in faults]
        self.struck: Counter[Fault] = Counter()

    def __bool__(self) -> bool:
        return bool(self._faults)

    def strike(
        self,
        *,
        operation: str | None = None,
        key: str = "",
        job: Sequence[str] = (),
        function: str | None = None,
    ) -> Fault | None:
        """Return the first fault that strikes and count it, or None.

        `operation` is the API operation called, None for a batch task; `key` is decoded; `job` holds every
        name the job goes by.
        """
        return self._first(lambda fault: _matches(fault, operation, key, job, function))

    def strike_job(self, effect: str, job: Sequence[str]) -> Fault | None:
        """Return the first fault with this effect on a job that goes by these names, and count it, or None."""
        return self._first(lambda fault: fault.effect == effect and (fault.job is None or fault.job in job))

    def _first(self, strikes: Callable[[Fault], bool]) -> Fault | None:
        if not self._faults:
            return None
        with self._lock:
            for place, fault in enumerate(self._faults):
                left = self._left[place]
                if left == 0 or not strikes(fault):
                    continue
                if left is not None:
                    self._left[place] = left - 1
                self.struck[fault] += 1
                return fault
        return None


def _matches(fault: Fault, operation: str | None, key: str, job: Sequence[str], function: str | None) -> bool:
    named = fault.operation or ("Invoke" if fault.function else None)
    return (
        fault.effect in CALL_EFFECTS
        and named == operation
        and key.startswith(fault.key_prefix)
        and (fault.job is None or fault.job in job)
        and (fault.function is None or _is_named(fault.function, function or ""))
    )


def _is_named(given: str, function: str) -> bool:
    """Tell whether a function has the name given; a stack ends the names it makes with 12 characters of its own."""
    return given in (function, function[:-13])

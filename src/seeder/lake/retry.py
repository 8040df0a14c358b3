"""When to try again: full jitter until a deadline, with sleep, clock and randomness given.

Full jitter is the AWS Architecture Blog's, "Exponential Backoff And Jitter".
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from seeder.errors import SeederError, ServiceUnavailable, Throttled, Undecided
from seeder.lake.conditional import Answer

Value = TypeVar("Value")

FIRST_BOUND_SECONDS = 0.02
LONGEST_BOUND_SECONDS = 2.0


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Retry:
    """How a call is repeated: for how long (seconds of `clock`, 0: it is not), and by what it waits and draws.

    `new_id` names one write: by it a writer knows its own when the answer was lost.
    """

    deadline_seconds: float = 60
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    uniform: Callable[[float, float], float] = random.uniform
    new_id: Callable[[], str] = _new_id


USUAL = Retry()


class Attempts:
    """The attempts at one call on one object; `where` names that in errors, as `s3://bucket/key`.

    `is_unsure` is set while what this call asked for may have been done, or may still be, though no answer told so.
    """

    def __init__(self, retry: Retry, where: str) -> None:
        self.where = where
        self.is_unsure = False
        self._retry = retry
        self._deadline = retry.clock() + retry.deadline_seconds
        self._bound = FIRST_BOUND_SECONDS
        self._had_last = False

    def pause(self, error: SeederError) -> None:
        """Wait before the next attempt. Raises what `end` makes of the error when the deadline has come.

        A call that is unsure then has one more attempt, for a lost answer alone may have outlasted the deadline.
        """
        left = self._deadline - self._retry.clock()
        if left <= 0:
            if self._had_last or not self.is_unsure:
                self.end(error)
            self._had_last = True
            return
        self._retry.sleep(min(self._retry.uniform(0, self._bound), left))
        self._bound = min(2 * self._bound, LONGEST_BOUND_SECONDS)

    def end(self, error: SeederError) -> NoReturn:
        """Raise the error, or Undecided, caused by it, where what was asked for may be done all the same."""
        if not self.is_unsure:
            raise error
        text = f"{self.where}: no answer told whether it was done, then: {error}; read it to know"
        raise Undecided(text) from error

    def ask(self, call: Callable[[], Answer]) -> Answer:
        """Return the answer to a conditional call, made once. Raises what `end` makes of its error."""
        try:
            answer = call()
        except SeederError as error:
            self.end(error)
        self.is_unsure |= answer.may_have_landed
        return answer

    def read(self, call: Callable[[], Value]) -> Value:
        """Return what a reading call returns, made again while AWS fails or asks to slow down.

        Raises what `end` makes of its last error.
        """
        while True:
            try:
                return call()
            except (Throttled, ServiceUnavailable) as error:
                self.pause(error)
            except SeederError as error:
                self.end(error)

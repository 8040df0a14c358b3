"""What a check says, and how checks are run: at the same time, none hiding another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from seeder.errors import code_of
from seeder_cli.checks.permissions import permission_for

Outcome = Literal["ok", "miss", "warning", "unknown"]
T = TypeVar("T")

AT_ONCE = 16
_DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "Forbidden",
        "UnauthorizedOperation",
    }
)
# How S3-compatible servers, and this project's local cloud, refuse a call that they do not have.
_NOT_THERE = frozenset(
    {"404", "405", "501", "MethodNotAllowed", "NotImplemented", "UnknownOperationException"}
)


@dataclass(frozen=True)
class Verdict:
    """An outcome, one sentence of what was found, and what to do about it ("" where nothing is to be done)."""

    outcome: Outcome
    found: str
    todo: str = ""


@dataclass(frozen=True)
class Finding:
    """A check's verdict, by the name of the check and the group it is shown in."""

    group: str
    name: str
    outcome: Outcome
    found: str
    todo: str = ""


@dataclass(frozen=True)
class Check:
    """One question, by name; `look` answers it, None where it does not arise, and may raise whatever boto3 raises."""

    group: str
    name: str
    look: Callable[[], Verdict | None]


class Fact(Generic[T]):
    """Something several checks need: asked once, by whoever comes first. An error is told to all of them."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._told: list[T] = []
        self._error: Exception | None = None

    def __call__(self) -> T:
        """Return what was found. Raises what asking for it raised."""
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._told:
                try:
                    self._told.append(self._ask())
                except Exception as error:
                    self._error = error
                    raise
            return self._told[0]


def ok(found: str) -> Verdict:
    """Return that all is well."""
    return Verdict("ok", found)


def miss(found: str, todo: str) -> Verdict:
    """Return that something stands in the way, and what to do."""
    return Verdict("miss", found, todo)


def warning(found: str, todo: str) -> Verdict:
    """Return that something may stand in the way later, or for some objects."""
    return Verdict("warning", found, todo)


def unknown(found: str, todo: str = "") -> Verdict:
    """Return that it could not be seen."""
    return Verdict("unknown", found, todo)


def run(checks: Sequence[Check]) -> list[Finding]:
    """Run all checks at the same time; return their findings in the same order. Raises nothing of theirs."""
    if not checks:
        return []
    with ThreadPoolExecutor(min(AT_ONCE, len(checks))) as pool:
        return [finding for finding in pool.map(find, checks) if finding]


def find(check: Check) -> Finding | None:
    """Run one check; what it raises becomes its finding."""
    try:
        said = check.look()
    except ClientError as error:
        said = unseen(error)
    except BotoCoreError as error:
        said = unknown(f"no answer: {error}")
    except Exception as error:
        # A defect of one check, or a server's answer that none foresaw, is not to take the others along.
        said = unknown(f"the check failed: {type(error).__name__}: {error}")
    return Finding(check.group, check.name, said.outcome, said.found, said.todo) if said else None


def unseen(error: ClientError) -> Verdict:
    """Return what an answer of AWS means that a check does not understand by itself."""
    code, operation = code_of(error), error.operation_name
    if code in _DENIED:
        permission = permission_for(error)
        return unknown(
            f"may not look: {permission} is missing", f"allow {permission} to who runs this command"
        )
    if code in _NOT_THERE:
        return unknown(f"this endpoint does not answer {operation}")
    return unknown(f"{operation} was refused: {error}")


def present(ask: Callable[[], Any], *absent: str) -> Any:
    """Return an answer; None where AWS says by one of these codes that there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        if code_of(error) in absent:
            return None
        raise

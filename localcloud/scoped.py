"""Process-wide things made private to one Lambda invocation: the environment, standard output, boto3's session.

Several functions run at once in one process, each with its own variables and credentials, so what
`os.environ` and `sys.stdout` mean, and whose credentials `boto3.client` takes, is a matter of the calling context.
Threads that a function starts share its context; the cloud, which answers its calls in the same thread, does not.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

import boto3
from moto.core.botocore_stubber import BotocoreStubber

from localcloud.patching import Patches

_environment: ContextVar[dict[str, str] | None] = ContextVar("environment", default=None)
_sessions: ContextVar[list[boto3.Session] | None] = ContextVar("sessions", default=None)
_output: ContextVar[io.StringIO | None] = ContextVar("output", default=None)


class ScopedEnviron(os._Environ):  # type: ignore[type-arg]
    """`os.environ` for whoever is outside an invocation; the function's own variables inside."""

    def __init__(self, outer: Any) -> None:
        super().__init__(outer._data, outer.encodekey, outer.decodekey, outer.encodevalue, outer.decodevalue)

    def __getitem__(self, key: str) -> str:
        inner = _environment.get()
        return str(super().__getitem__(key)) if inner is None else inner[key]

    def __setitem__(self, key: str, value: str) -> None:
        inner = _environment.get()
        if inner is None:
            super().__setitem__(key, value)
        else:
            inner[key] = value

    def __delitem__(self, key: str) -> None:
        inner = _environment.get()
        if inner is None:
            super().__delitem__(key)
        else:
            del inner[key]

    def __iter__(self) -> Iterator[str]:
        inner = _environment.get()
        return super().__iter__() if inner is None else iter(list(inner))

    def __len__(self) -> int:
        inner = _environment.get()
        return super().__len__() if inner is None else len(inner)


class ScopedOutput:
    """`sys.stdout` for whoever is outside an invocation; the function's log inside."""

    def __init__(self, outer: Any) -> None:
        self._outer = outer

    def __getattr__(self, name: str) -> Any:
        return getattr(_output.get() or self._outer, name)


def install(patches: Patches) -> None:
    """Make the environment and boto3's default session scoped until the patches are undone."""

    def default_session() -> boto3.Session:
        held = _sessions.get()
        if held is None:
            return outer()
        if not held:
            held.append(boto3.Session())
        return held[0]

    patches.replace(os, "environ", ScopedEnviron(os.environ))
    outer: Callable[[], boto3.Session] = patches.replace(boto3, "_get_default_session", default_session)
    _share_with_threads(patches)
    _keep_from_the_cloud(patches)


def _share_with_threads(patches: Patches) -> None:
    """Run what a function hands to a thread or to a pool in the function's scope."""

    def start(thread: Any) -> None:
        if _environment.get() is not None:
            thread.run = partial(copy_context().run, thread.run)
        started(thread)

    def submit(pool: Any, task: Any, /, *args: Any, **given: Any) -> Any:
        if _environment.get() is not None:
            # The pool's thread may have been started by an invocation before this one.
            task = partial(copy_context().run, task)
        return submitted(pool, task, *args, **given)

    started = patches.replace(threading.Thread, "start", start)
    submitted = patches.replace(ThreadPoolExecutor, "submit", submit)


def _keep_from_the_cloud(patches: Patches) -> None:
    """Answer a function's calls outside its scope, as other processes would: so do threads that the cloud starts."""

    def process(stubber: Any, request: Any) -> Any:
        if _environment.get() is None:
            return answer(stubber, request)
        return copy_context().run(_outside, answer, stubber, request)

    answer = patches.replace(BotocoreStubber, "process_request", process)


def _outside(answer: Callable[[Any, Any], Any], stubber: Any, request: Any) -> Any:
    _environment.set(None)
    _sessions.set(None)
    _output.set(None)
    return answer(stubber, request)


@contextmanager
def scope(variables: Mapping[str, str], sessions: list[boto3.Session]) -> Iterator[io.StringIO]:
    """Run the block with these variables alone; yield what it prints.

    `sessions` keeps boto3's default session from one block to the next; it is empty before the first.
    """
    printed = io.StringIO()
    if not isinstance(sys.stdout, ScopedOutput):  # not once for all: test runners exchange it
        sys.stdout = ScopedOutput(sys.stdout)
    environment_token = _environment.set(dict(variables))
    sessions_token = _sessions.set(sessions)
    output_token = _output.set(printed)
    try:
        yield printed
    finally:
        _environment.reset(environment_token)
        _sessions.reset(sessions_token)
        _output.reset(output_token)

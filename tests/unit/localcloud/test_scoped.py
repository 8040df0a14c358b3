"""Threads that a function starts are inside its invocation; the cloud that answers its calls is outside."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from moto.core.botocore_stubber import BotocoreStubber

from localcloud import scoped
from localcloud.patching import Patches


def name() -> str | None:
    return os.environ.get("NAME")


def in_a_thread(task: Any) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(task()))
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture
def patches() -> Iterator[Patches]:
    made = Patches()
    yield made
    made.undo()


@pytest.fixture
def installed(patches: Patches) -> None:
    scoped.install(patches)


@pytest.mark.usefixtures("installed")
def test_a_thread_has_the_environment_the_session_and_the_output_of_who_started_it() -> None:
    credentials = {"NAME": "a", "AWS_ACCESS_KEY_ID": "key-a", "AWS_SECRET_ACCESS_KEY": "secret"}
    sessions: list[boto3.Session] = []
    with scoped.scope(credentials, sessions) as printed:
        assert in_a_thread(name) == "a"
        assert in_a_thread(boto3._get_default_session) is sessions[0]
        in_a_thread(lambda: print("said in a thread"))  # noqa: T201  # what a function prints
    assert printed.getvalue() == "said in a thread\n"


@pytest.mark.usefixtures("installed")
def test_a_pools_thread_works_for_the_invocation_that_gave_it_the_task() -> None:
    with ThreadPoolExecutor(1) as pool:
        for each in ("a", "b"):
            with scoped.scope({"NAME": each}, []):
                assert pool.submit(name).result() == each


@pytest.mark.usefixtures("installed")
def test_what_a_function_sets_its_threads_see_and_nobody_else() -> None:
    with scoped.scope({}, []):
        os.environ["NAME"] = "set"
        assert in_a_thread(name) == "set"
    assert name() is None
    assert in_a_thread(name) is None


def test_the_cloud_and_its_threads_are_outside_the_invocation_that_calls(patches: Patches) -> None:
    seen: list[str | None] = []

    def answer(*_: Any) -> None:
        seen.extend((name(), in_a_thread(name)))

    patches.replace(BotocoreStubber, "process_request", answer)
    scoped.install(patches)
    with scoped.scope({"NAME": "a"}, []):
        BotocoreStubber().process_request(None)
        assert name() == "a"
    assert seen == [None, None]

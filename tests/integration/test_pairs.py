"""The registry of pairs: every run enters its own."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from seeder.fleet import pairs
from seeder.fleet.pairs import Choice
from seeder.record import Record
from seeder.request import Request
from tests.servers import Server

_names = itertools.count()


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.s3


@pytest.fixture
def state(server: Server) -> str:
    name = f"state-{next(_names)}"
    server.buckets(name)
    return name


def ended(run_id: str, at: str = "2026-01-31T00:00:00Z", state: str = "Complete") -> Record:
    return Record(run_id=run_id, state=state, event="", subject="", ended_at=at)  # type: ignore[arg-type]  # any state


def test_a_pair_is_entered_once_with_its_newest_run(s3: Any, state: str) -> None:
    request = Request(source="aaa", destination="bbb")
    pairs.enter(s3, state, request, ended("new", "2026-02-01T00:00:00Z"))
    pairs.enter(s3, state, request, ended("old", "2026-01-01T00:00:00Z"))
    (known,) = pairs.read_pairs(s3, state)
    assert (known.source, known.last_run.run_id) == ("aaa", "new")


def test_another_prefix_or_tag_is_another_pair(s3: Any, state: str) -> None:
    for more in ({}, {"prefix": "logs/"}, {"tags": {"k": "v"}}):
        pairs.enter(s3, state, Request(source="aaa", destination="bbb", **more), ended("run"))
    assert [known.request.get("prefix", "") for known in pairs.read_pairs(s3, state)].count("logs/") == 1
    assert len(pairs.read_pairs(s3, state)) == 3


def test_what_is_of_one_run_alone_is_not_asked_again(s3: Any, state: str) -> None:
    asked = Request(
        source="aaa",
        destination="bbb",
        suffix=".csv",
        created_after="2026-01-01T00:00:00Z",
        enable_replication=True,
        confirm=True,
        trigger="rule-added",
        rule_id="r",
        overlap="wait",
    )
    assert pairs.lasting(asked) == {"source": "aaa", "destination": "bbb", "suffix": ".csv"}


def test_pairs_are_forgotten_by_choice(s3: Any, state: str) -> None:
    for source in ("aaa", "bbb"):
        pairs.enter(s3, state, Request(source=source, destination="ccc"), ended("run"))
    gone = pairs.forget(s3, state, lambda known: known.source == "aaa")
    assert [known.source for known in gone] == ["aaa"]
    assert [known.source for known in pairs.read_pairs(s3, state)] == ["bbb"]


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        ({}, ["app-a", "app-b", "web"]),
        ({"names": "app-*"}, ["app-a", "app-b"]),
        ({"tags": {"team": "x"}}, ["app-a", "web"]),
        ({"names": "app-?", "tags": {"team": "x"}}, ["app-a"]),
        ({"tags": {"team": "x", "more": "y"}}, []),
    ],
)
def test_pairs_are_chosen_by_name_and_by_tags(choice: dict[str, Any], taken: list[str]) -> None:
    tags = {"app-a": {"team": "x"}, "web": {"team": "x"}}
    chosen = Choice(**choice)
    names = ("app-a", "app-b", "web")
    assert [name for name in names if chosen.takes(name, lambda bucket: tags.get(bucket, {}))] == taken

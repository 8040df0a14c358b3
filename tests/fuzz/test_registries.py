"""Registries and the lake's documents: torn, of another shape, of a newer release. Understood whole, or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.errors import InvalidRequest, SeederError, UnexpectedAnswer
from seeder.fleet import claims, pairs
from seeder.fleet.claims import Claim
from seeder.fleet.overview import SORTS, ordered, overview, totals
from seeder.fleet.request import parse_fleet, requests
from seeder.fleet.seen import Seen
from seeder.lake import upkeep
from seeder.lake.document import Document, decode, encode
from seeder.lake.entry import key_of, names_of
from seeder.lake.lake import Lake
from seeder.lake.registries import REGISTRY_KEY
from seeder.lake.retry import Retry
from seeder.replication import Rule
from tests.fuzz.memory import MemoryS3
from tests.fuzz.refusals import refusals, require_sentence
from tests.fuzz.strategies import altered, any_json, fuzzed, nested, texts, torn, written
from tests.runs import run_of

WELL: dict[str, Any] = {"format": 1, "revision": 3, "transactions": ["t1", "t2"], "body": {}}
LAST = {
    "run_id": "r",
    "state": "Failed",
    "ended_at": "2026-01-01T00:00:00Z",
    "cause": "c",
    "failed": 1,
    "total": 2,
}
PAIRS = {
    "pairs": {
        "a/b": {"request": {"source": "abc", "destination": "xyz", "tags": {"k": "v"}}, "last_run": LAST},
        "c/d": {"request": {"source": "def", "destination": "uvw"}, "last_run": LAST | {"state": "Complete"}},
    }
}
HOLDERS = {"holders": [{"run_id": "other", "execution": "arn:aws:states:x", "prefix": "logs/"}]}
RULE = {
    "id": "r",
    "destination": "xyz",
    "prefix": "",
    "enabled": True,
    "tags": [["k", "v"]],
    "priority": 1,
    "kms": False,
}
SEEN = {
    "rules": [RULE],
    "expected": [{"rule_id": "e", "run_id": "r", "at": "2026-01-01T00:00:00+00:00"}],
    "decisions": [
        {"event_id": "e1", "at": "2026-01-01T00:00:00+00:00", "runs": [{"run_id": "r", "request": {}}]}
    ],
}
FILE = {"key": "datasets/d/f", "size": 1, "etag": '"e"', "records": 1, "schema_version": 1, "partition": {}}
DATASET = {
    "partition_names": [],
    "files": 1,
    "records": 1,
    "bytes": 1,
    "schema_version": 1,
    "updated_at": "2026-01-01T00:00:00Z",
    "lists": [{"list": "0" * 32, "level": 0, "first": 1, "last": 1}],
    "recent": [{"revision": 2, "at": "2026-01-01T00:00:00Z", "added": FILE}],
}
LAKE = {"revision": 2, "updated_at": "2026-01-01T00:00:00Z", "schema_version": 1, "datasets": {"d": DATASET}}
LIST = [{"revision": 1, "at": "2026-01-01T00:00:00Z", "removed": FILE}]


def standing(body: Any) -> st.SearchStrategy[bytes]:
    """Registries with a body like this one, changed, and of all else."""
    whole = altered(st.just(body)).map(lambda changed: written({**WELL, "body": changed}))
    outer = altered(st.just({**WELL, "body": body}), most=2).map(written)
    any_body = st.dictionaries(st.one_of(texts, st.sampled_from(list(body))), any_json, max_size=3)
    strange = any_body.map(lambda drawn: written({**WELL, "body": drawn}))
    return st.one_of(whole, outer, strange, torn(st.just(written({**WELL, "body": body})), most=2))


@fuzzed(100)
@given(st.one_of(altered(st.just(WELL)).map(written), torn(st.just(written(WELL))), any_json.map(written)))
def test_any_bytes_are_a_registry_that_is_written_back_the_same_or_refused(data: bytes) -> None:
    with refusals():
        held = decode("s3://b/k", data)
        assert isinstance(held.body, dict)
        assert type(held.revision) is int
        told = json.loads(data)
        assert (held.revision, list(held.transactions), told["format"]) == (
            told["revision"],
            told["transactions"],
            1,
        )
        # What was read can be written: the next revision holds the same.
        after = decode("s3://b/k", encode(held.next(held.body, "t")))
        assert (after.revision, after.body) == (held.revision + 1, held.body)


@fuzzed(60)
@given(standing(PAIRS))
def test_pairs_are_listed_and_kept_as_they_stand_or_refused(data: bytes) -> None:
    held = _memory("metastore/pairs.json", data)
    with refusals():
        known = pairs.read_pairs(held.s3, "state")
        body = json.loads(data)["body"]
        assert len(known) == len(body.get("pairs", {}))
        rows = overview(known)
        assert all(ordered(rows, by) for by in SORTS if rows)
        assert totals(rows).pairs == len(rows)
        assert not pairs.forget(held.s3, "state", lambda _: False)
        kept = pairs.forget(held.s3, "state", lambda one: one == known[0]) if known else []
        left = json.loads(held.objects["state", "metastore/pairs.json"])["body"]
        assert len(left.get("pairs", {})) == len(known) - len(kept)
        for name, item in left.get("pairs", {}).items():
            assert item["request"] == body["pairs"][name]["request"]
            assert item["last_run"].items() >= body["pairs"][name]["last_run"].items()
    with refusals():
        requests(parse_fleet({"registry": {}}), held.clients, "state")


@fuzzed(50)
@given(standing(HOLDERS))
def test_a_claim_counts_every_holder_or_is_refused(data: bytes) -> None:
    run = run_of(overlap="skip", prefix="logs/2026/")
    key = claims.key_of("source", "destination")
    held = _memory(key, data)
    with refusals():
        claim = claims.take(held.s3, run, "arn:aws:states:mine", Claim(), lambda _: True)
        body = json.loads(data)["body"]
        others = [item for item in body.get("holders", []) if item["run_id"] != "run"]
        blocked = any(
            "logs/2026/".startswith(item["prefix"]) or item["prefix"].startswith("logs/2026/")
            for item in others
        )
        assert (claim.next == "skip") == blocked
        claims.give_back(held.s3, run)
        assert json.loads(held.objects["state", key])["body"].get("holders", []) == others


@fuzzed(50)
@given(standing(SEEN))
def test_rules_that_were_seen_are_seeded_again_by_none_or_refused(data: bytes) -> None:
    held = _memory("metastore/replication/abc.json", data)
    seen = Seen(held.s3, "state", "abc", now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    with refusals():
        rules = seen.rules()
        body = json.loads(data)["body"]
        assert len(rules or []) == len(body.get("rules", []))
        made = seen.decide("e1", lambda: rules or [], lambda changes: [{"run_id": "new"} for _ in changes])
        if any(item["event_id"] == "e1" for item in body.get("decisions", [])):
            assert made == next(item["runs"] for item in body["decisions"] if item["event_id"] == "e1")
        elif body:
            assert not made
        fresh = Rule("fresh", "uvw", "", enabled=True)
        seen.take_in([fresh])
        assert fresh in (seen.rules() or [])
        seen.expect("f", "run", rules or [])
        seen.expect_no_more("f")


@fuzzed(60)
@given(standing(LAKE), torn(altered(st.just(LIST), most=2).map(written), most=1))
def test_a_lake_is_shown_verified_and_added_to_or_refused(data: bytes, some: bytes) -> None:
    held = _memory(REGISTRY_KEY, data)
    held.put("state", f"metastore/datasets/d/{'0' * 32}.json", some)
    with refusals():
        lake = _lake(held)
        body = json.loads(data)["body"]
        assert set(lake.datasets()) == set(body.get("datasets", {})) or lake.registries.names() != [""]
    for look in (
        lambda: _lake(held).changes(),
        lambda: _lake(held).read(),
        lambda: upkeep.verify(_lake(held)),
    ):
        with refusals():
            look()
    with refusals():
        entry = _lake(held).add_file("d", {}, "new", b"x", 1)
        assert _lake(held).read("d").entries[entry.key] == entry


@fuzzed(50)
@given(st.one_of(texts, torn(st.just(b"datasets/d/k=v/f")).map(lambda body: body.decode("utf-8", "replace"))))
def test_any_key_tells_names_that_make_it_again_or_is_refused(key: str) -> None:
    with refusals():
        assert key_of(*names_of(key)) == key


@pytest.mark.parametrize("kind", ["[", "{"])
def test_a_registry_nested_without_end_is_refused(kind: str) -> None:
    with pytest.raises(
        InvalidRequest, match=r"^registry: s3://b/k is not one; restore its last good version"
    ):
        decode("s3://b/k", b'{"format":1,"revision":1,"transactions":[],"body":{"a":' + nested(kind) + b"}}")


@pytest.mark.parametrize(
    "changed",
    [
        {"format": True},
        {"format": 1.0},
        {"revision": True},
        {"revision": 0},
        {"revision": -1},
        {"transactions": [1]},
    ],
)
def test_a_number_that_is_none_makes_no_registry(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"is not one; restore"):
        decode("s3://b/k", written(WELL | changed))


@pytest.mark.parametrize(
    ("key", "body", "look"),
    [
        ("metastore/pairs.json", PAIRS, lambda held: pairs.read_pairs(held.s3, "state")),
        (claims.key_of("source", "destination"), HOLDERS, lambda held: claims.give_back(held.s3, run_of())),
        ("metastore/replication/abc.json", SEEN, lambda held: Seen(held.s3, "state", "abc").rules()),
        (REGISTRY_KEY, LAKE, lambda held: _lake(held).datasets()),
    ],
)
def test_a_member_of_a_newer_release_is_not_lost_but_refused(key: str, body: Any, look: Any) -> None:
    look(_memory(key, written({**WELL, "body": body})))
    with pytest.raises(InvalidRequest, match=r"newer.*upgrade s3-seeder") as refused:
        look(_memory(key, written({**WELL, "body": {**body, "newer": 1}})))
    require_sentence(refused.value)
    with pytest.raises(InvalidRequest, match=r"format 2, and this version reads up to 1; upgrade"):
        look(_memory(key, written({**WELL, "format": 2, "body": body})))


@pytest.mark.parametrize("level", [1, 2])
def test_a_list_that_leads_to_itself_is_refused(level: int) -> None:
    pointer = {"list": "0" * 32, "level": level, "first": 1, "last": 1}
    held = _memory(
        REGISTRY_KEY, written({**WELL, "body": {**LAKE, "datasets": {"d": {**DATASET, "lists": [pointer]}}}})
    )
    held.put("state", f"metastore/datasets/d/{'0' * 32}.json", written([pointer]))
    with pytest.raises(UnexpectedAnswer, match=r"not of the level"):
        _lake(held).changes()


def test_a_document_that_json_can_not_hold_is_refused() -> None:
    for body in ({"a": float("nan")}, {"a": "\ud800"}, {"a": {1}}):
        with pytest.raises(SeederError) as refused:
            encode(Document(1, (), body))
        require_sentence(refused.value)


def _memory(key: str, data: bytes) -> MemoryS3:
    held = MemoryS3()
    held.put("state", key, data)
    return held


def _lake(held: MemoryS3) -> Lake:
    return Lake.open(held.s3, "state", retry=Retry(deadline_seconds=0))

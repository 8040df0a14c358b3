"""One run at a time has the keys of a pair."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seeder.errors import PairBusy
from seeder.fleet import claims
from seeder.fleet.claims import Claim
from seeder.run import Run
from tests.runs import run_of
from tests.servers import Server


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.buckets("state")


def named(run_id: str, pair: str, overlap: str = "skip", prefix: str = "") -> Run:
    run = run_of(run_id=run_id, overlap=overlap, prefix=prefix)
    return run.model_copy(update={"source": run.source.model_copy(update={"name": pair})})


def take(s3: Any, run: Run, running: bool = True, before: Claim | None = None) -> Claim:
    return claims.take(s3, run, f"execution:{run.run_id}", before or Claim(), lambda _: running)


def test_the_first_run_goes_on_and_may_ask_again(s3: Any) -> None:
    run = named("first", "again")
    assert take(s3, run).next == take(s3, run).next == "go"


@pytest.mark.parametrize(("mine", "other"), [("", ""), ("logs/", ""), ("", "logs/"), ("logs/", "logs/a/")])
def test_a_run_of_overlapping_keys_is_skipped_while_another_runs(s3: Any, mine: str, other: str) -> None:
    pair = f"pair-{len(mine)}-{len(other)}"
    take(s3, named("first", pair, prefix=other))
    claim = take(s3, named("second", pair, prefix=mine))
    assert (claim.next, claim.held_by) == ("skip", "first")
    assert "'first' is seeding 'destination'" in claim.cause


def test_keys_that_do_not_overlap_are_seeded_at_the_same_time(s3: Any) -> None:
    take(s3, named("first", "apart", prefix="a/"))
    assert take(s3, named("second", "apart", prefix="b/")).next == "go"


def test_a_run_that_asks_for_it_fails_and_names_the_other(s3: Any) -> None:
    take(s3, named("first", "fails"))
    with pytest.raises(PairBusy, match=r"the run 'first' is seeding .* overlap set to 'wait' or 'skip'"):
        take(s3, named("second", "fails", overlap="fail"))


def test_a_run_that_waits_looks_less_and_less_often(s3: Any) -> None:
    take(s3, named("first", "waits"))
    claim, waits = Claim(), []
    for _ in range(25):
        claim = take(s3, named("second", "waits", overlap="wait"), before=claim)
        waits.append(claim.wait_seconds)
    assert claim.next == "wait"
    assert (waits[0], waits[-1]) == (claims.FIRST_WAIT_SECONDS, claims.LONGEST_WAIT_SECONDS)
    assert waits == sorted(waits)
    claims.give_back(s3, named("first", "waits"))
    assert take(s3, named("second", "waits", overlap="wait"), before=claim).next == "go"


def test_a_run_that_ended_without_a_word_has_no_claim(s3: Any) -> None:
    take(s3, named("dead", "taken-over"))
    assert take(s3, named("second", "taken-over"), running=False).next == "go"
    assert take(s3, named("third", "taken-over")).held_by == "second"


def test_giving_back_what_one_does_not_have_changes_nothing(s3: Any) -> None:
    take(s3, named("first", "kept"))
    for _ in range(2):
        claims.give_back(s3, named("other", "kept"))
    assert take(s3, named("second", "kept")).held_by == "first"


def test_of_many_that_want_a_pair_at_once_one_gets_it(s3: Any) -> None:
    runs = [named(f"run-{number}", "race") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda run: take(s3, run), runs))
    assert sorted(claim.next for claim in taken) == ["go"] + ["skip"] * 7

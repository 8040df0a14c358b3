"""`seeder run --here` against a real S3 server without S3 Batch Operations; buckets are compared from outside."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from seeder.fleet import claims
from seeder.request import Request
from seeder_cli.errors import CommandError
from tests.integration.here.server import STATE, Command, Pair
from tests.keys import TRAPS
from tests.servers import Server, is_path

KEYS = list(filter(is_path, TRAPS))
# More than are copied before a signal arrives.
MANY = 300


@pytest.fixture(scope="module")
def client(real: Server) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", real.s3.meta.endpoint_url)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.delenv("AWS_PROFILE", raising=False)
        yield real.s3


@pytest.fixture
def pair(client: Any) -> Pair:
    return Pair(client)


def test_keys_with_every_trap_and_what_goes_with_them_are_copied_and_proven(pair: Pair) -> None:
    bodies = {key: f"body {number}".encode() for number, key in enumerate(KEYS)}
    bodies |= {"folder.x": b"1", "folder/a": b"2", "folder-b": b"3", "folder/b c/+d": b""}
    pair.fill(bodies, ContentType="text/plain", Metadata={"owner": "me"}, Tagging="team=a%20b&x=%2B")
    ran = pair.run()
    assert (ran.record["state"], ran.record["replica"]) == ("Complete", "equal"), ran.outcome
    assert ran.record["total"] == ran.record["succeeded"] == len(bodies)
    assert ran.record["stages"]["PaginateKeys"] > 0
    source = pair.held(pair.source)
    assert {key: held.body for key, held in source.items()} == bodies
    assert pair.held(pair.destination) == source
    assert pair.claims() == pair.uploads() == []


def test_what_a_run_shows_is_what_any_run_shows(pair: Pair) -> None:
    pair.fill({"a": b"1"})
    lines = pair.run().lines.splitlines()
    started = [line for line in lines if line.startswith("Started run: ")]
    assert len(started) == 1
    assert f"s3://{STATE}/runs/" in started[0]
    assert f"Creating manifest for bucket: {pair.source}" in lines
    assert any(line.startswith("Created s3 batch job: ") for line in lines)


def test_an_empty_bucket_is_proven_equal_to_an_empty_one(pair: Pair) -> None:
    ran = pair.run()
    assert (ran.record["state"], ran.record["replica"], ran.record["total"]) == ("Complete", "equal", 0)


def test_a_resync_copies_what_is_lacking_or_differs_alone(pair: Pair) -> None:
    bodies = {f"logs/{number}": b"%d" % number for number in range(20)} | {"logs.txt": b"beside the folder"}
    pair.fill(bodies)
    assert pair.run().record["total"] == 21
    again = pair.run(resync=True).record
    assert (again["state"], again["total"], again["replica"]) == ("Complete", 0, "equal")
    pair.s3.delete_object(Bucket=pair.destination, Key="logs/7")
    pair.s3.put_object(Bucket=pair.source, Key="logs.txt", Body=b"another size than before")
    mended = pair.run(resync=True).record
    assert (mended["state"], mended["total"], mended["replica"]) == ("Complete", 2, "equal")
    assert pair.held(pair.source) == pair.held(pair.destination)


def test_an_object_removed_meanwhile_is_told_with_its_key(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    from localcloud.batch_operations.outside import OutsideSession

    pair.fill({"kept": b"1", "gone": b"2"})
    s3_of = OutsideSession.s3

    def remove_first(session: OutsideSession, bucket: str) -> Any:
        if bucket == pair.destination:  # the job's manifest is made and read by then
            pair.s3.delete_object(Bucket=pair.source, Key="gone")
        return s3_of(session, bucket)

    monkeypatch.setattr(OutsideSession, "s3", remove_first)
    ran = pair.run()
    assert (ran.record["succeeded"], ran.record["failed"], ran.record["replica"]) == (1, 1, "equal")
    assert [(each["code"], each["example_key"]) for each in ran.record["failures"]] == [("NoSuchKey", "gone")]
    assert set(pair.held(pair.destination)) == {"kept"}


def test_objects_beyond_the_limit_are_copied_in_parts(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    selection = Request.selection
    monkeypatch.setattr(Request, "selection", lambda asked: replace(selection(asked), largest=10, suffix="e"))
    bodies = {"a b/+large": b"x" * 12_000_000, "tiny one": b"1"}
    pair.fill(bodies, ContentType="text/plain", Metadata={"owner": "me"})
    ran = pair.run()
    assert (ran.record["state"], ran.record["large"]) == ("Complete", 1), ran.outcome
    assert [job["operation"] for job in ran.record["jobs"]] == ["copy", "large"]
    assert pair.held(pair.destination) == pair.held(pair.source)
    assert pair.uploads() == []


def test_two_runs_of_a_pair_do_not_meet(pair: Pair) -> None:
    pair.fill({f"{number:04}": b"x" for number in range(200)})
    first = Command(pair)
    first.wait_for("Creating manifest")
    # However fast it is, it has the pair for as long as the other takes to ask.
    first.process.send_signal(signal.SIGSTOP)
    try:
        ran = pair.run(overlap="skip")
    finally:
        first.process.send_signal(signal.SIGCONT)
    assert "record" not in ran.outcome.stages
    assert "is seeding" in ran.outcome.stages["claim"]["cause"]
    status, printed = first.end()
    assert status == 0, printed


def test_a_claim_of_another_host_is_respected_and_how_to_give_it_back_is_told(pair: Pair) -> None:
    pair.fill({"a": b"1"})
    pair.run()
    key = claims.key_of(pair.source, pair.destination)
    stands = json.loads(pair.s3.get_object(Bucket=STATE, Key=key)["Body"].read())
    stands["body"]["holders"] = [{"run_id": "other", "execution": "here:elsewhere:1:2:other", "prefix": ""}]
    pair.s3.put_object(Bucket=STATE, Key=key, Body=json.dumps(stands).encode())
    ran = pair.run(overlap="skip")
    assert "the run 'other' is seeding" in ran.outcome.stages["claim"]["cause"]
    assert f"give its claim back: aws s3 rm s3://{STATE}/{key}" in ran.lines
    pair.s3.delete_object(Bucket=STATE, Key=key)
    assert pair.run().record["replica"] == "equal"


def test_replication_is_refused_where_nobody_can_replicate(pair: Pair) -> None:
    for fields in ({"operation": "replicate"}, {"enable_replication": True}):
        with pytest.raises(CommandError, match="replication needs S3 Batch Operations of AWS") as refused:
            pair.run(**fields)
        assert refused.value.status == 2


def test_a_bucket_that_is_not_there_is_a_failure_with_a_record(pair: Pair) -> None:
    ran = pair.run(source="nowhere")
    assert (ran.record["error"], ran.outcome.status) == ("InvalidRequest", "FAILED")
    assert "bucket 'nowhere' does not exist" in ran.record["cause"]


@pytest.mark.parametrize("moment", ["Creating manifest", "Created s3 batch job"])
def test_ctrl_c_gives_up_what_was_begun_and_says_how_to_go_on(pair: Pair, moment: str) -> None:
    pair.fill({f"{number:05}": b"x" for number in range(MANY)})
    command = Command(pair)
    command.wait_for(moment)
    command.interrupt()
    status, printed = command.end()
    assert status == 130, printed
    assert "run again with --resync to copy only what is lacking" in printed
    assert pair.claims() == pair.uploads() == []
    run_id = printed.partition("Started run: ")[2].partition(",")[0]
    record = json.loads(pair.s3.get_object(Bucket=STATE, Key=f"runs/{run_id}/run.json")["Body"].read())
    assert (record["state"], record["error"]) == ("Failed", "Interrupted")
    copied = pair.held(pair.destination)
    assert len(copied) < MANY
    assert pair.run(resync=True).record["total"] == MANY - len(copied)
    assert pair.held(pair.source) == pair.held(pair.destination)


def test_a_run_that_was_killed_leaves_no_claim_that_holds(pair: Pair) -> None:
    pair.fill({f"{number:04}": b"x" for number in range(200)})
    command = Command(pair)
    command.wait_for("Created s3 batch job")
    command.process.kill()
    command.end()
    assert [holder["execution"].split(":")[2] for holder in pair.claims()] == [str(command.process.pid)]
    assert pair.run(resync=True).record["replica"] == "equal"
    assert pair.claims() == []

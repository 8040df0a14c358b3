"""The commands about one run that goes on or has ended: run, attach, cancel, retry."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

from localcloud.faults import Fault
from seeder import sink, telling, walks
from seeder.manifest import Progress
from seeder_cli import cancelling
from seeder_cli.errors import CommandError
from seeder_cli.main import cli
from tests.e2e.deployed import HOME, WAIT_SECONDS, Deployed
from tests.keys import TRAPS

LARGE_BYTES = 6 * 1024**3


@pytest.fixture(autouse=True)
def _quick(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seeder_cli.attached.POLL_SECONDS", 0.05)
    monkeypatch.setattr("seeder_cli.cancelling.POLL_SECONDS", 0.05)
    monkeypatch.setattr("seeder_cli.job_ending.POLL_SECONDS", 0.05)


def seeder(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


def done(*arguments: str, status: int = 0) -> Result:
    result = seeder(*arguments)
    assert (result.exception, result.return_value) == (None, status), result.output
    return result


def until(holds: Callable[[], Any]) -> Any:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {WAIT_SECONDS} s")


class Scene:
    """A pair, and a run of it that was started and left."""

    def __init__(self, deployed: Deployed, keys: list[str], **asked: str) -> None:
        self.deployed = deployed
        self.source, self.destination = deployed.bucket(keys=keys), deployed.bucket()
        self.asked = [item for name, value in asked.items() for item in (f"--{name}", value) if item]

    @property
    def pair(self) -> str:
        return f"{self.source}/{self.destination}"

    def start(self) -> Scene:
        self.run_id = done("run", self.source, self.destination, "--detach", *self.asked).output.strip()
        self.arn = f"{self.deployed.stack.outputs['SeedArn']}:{self.run_id}".replace(
            "stateMachine", "execution"
        )
        return self

    def reached(self, state: str) -> Scene:
        """Wait until the run is in a state."""

        def is_in() -> bool:
            events = self.deployed.states.get_execution_history(executionArn=self.arn)["events"]
            states = [
                item["stateEnteredEventDetails"] for item in events if "stateEnteredEventDetails" in item
            ]
            return bool(states) and states[-1]["name"] == state

        until(is_in)
        return self

    def cancelled(self) -> dict[str, Any]:
        """Cancel the run; return its record, when nothing of the run is left."""
        told = done("cancel", self.run_id, "--yes").output
        assert f"Cancelled run: {self.run_id}" in told, self.deployed.record(self.run_id)
        # What moto stops between two steps of a task ends as FAILED.
        assert self.deployed.wait(self.arn)["status"] in {"ABORTED", "FAILED"}
        record = self.deployed.record(self.run_id)
        assert (record["state"], record["error"]) == ("Failed", "Cancelled")
        assert record["cause"].startswith("stopped by arn:")
        assert self.claims() == []
        assert self.uploads() == []
        for job in self.jobs():
            assert job["Status"] in {"Cancelled", "Complete"}
        self.nothing_is_claimed(record)
        return record

    def nothing_is_claimed(self, record: dict[str, Any]) -> None:
        """Check, key by key, that the record counts nothing that is not in the destination as it is in the source."""
        ours, theirs = (self.deployed.contents(bucket) for bucket in (self.source, self.destination))
        there = sum(theirs.get(key) == body for key, body in ours.items())
        assert record["succeeded"] <= there
        assert sum(job["succeeded"] or 0 for job in record["jobs"]) <= there
        assert record["replica"] == ""

    def seeded_again(self) -> None:
        """Retry, and compare the two buckets key by key."""
        told = done("retry", self.run_id).stdout
        assert f"Replica: equal ({len(self.deployed.contents(self.source))} objects compared)" in told
        assert self.deployed.contents(self.source) == self.deployed.contents(self.destination)

    def claims(self) -> list[dict[str, Any]]:
        s3, bucket = self.deployed.cloud.client("s3"), self.deployed.state_bucket
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="metastore/claims/").get("Contents", [])
        bodies = [
            json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())["body"]
            for item in listed
        ]
        holders = [holder for body in bodies for holder in body.get("holders", [])]
        return [holder for holder in holders if holder["run_id"] == self.run_id]

    def uploads(self) -> list[str]:
        uploads = self.deployed.uploads(self.deployed.state_bucket)
        return [key for key in uploads if self.run_id in key]

    def jobs(self) -> list[dict[str, Any]]:
        return self.deployed.jobs_of(self.run_id, HOME)


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch, name: str, begin: Callable[..., None]) -> Iterator[threading.Event]:
    """Hold calls of a walk, after `begin` was called with its arguments, until the event is set."""
    real, released = getattr(walks, name), threading.Event()

    def walk(*given: Any) -> Any:
        begin(*given)
        assert released.wait(WAIT_SECONDS)
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(walks, name, walk)
        try:
            yield released
        finally:
            released.set()


def when_stopped(monkeypatch: pytest.MonkeyPatch, released: threading.Event) -> None:
    """Set an event once the execution was asked to stop: moto's ends only when the call under way does."""
    real = cancelling._stopped

    def stopped(*given: Any) -> Any:
        released.set()
        return real(*given)

    monkeypatch.setattr(cancelling, "_stopped", stopped)


def begin_upload(run: Any, before: Any, clients: Any, home: str, out_of_time: Any) -> None:
    """Begin the upload of a manifest, as a listing does that has rows for a part."""
    fresh = Progress.fresh(run.state_bucket, run.manifest_folder, run.operation)
    file = sink.Sink(clients.s3(home), fresh.copy_files[0])
    file._rows += b"x" * sink.SMALLEST_PART_BYTES
    file._store()
    file.pause()
    file.close()


def test_a_run_that_is_detached_is_picked_up_again_to_its_end(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a", "b"]).start()
    told = done("attach", scene.run_id).output.splitlines()
    assert told[0] == f"Attached to run: {scene.run_id}"
    assert told[-3:-1] == [
        "State: Complete, Total: 2, Success: 2, Failed: 0",
        "Replica: equal (2 objects compared)",
    ]
    assert told[-1].startswith("Cost: 0.")


def test_a_run_that_has_ended_tells_its_end_with_the_same_status(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a", "b"])
    with deployed.faults(Fault(key_prefix="b", status=403, code="AccessDenied")):
        scene.start()
        ended = done("attach", scene.run_id, status=1)
    again = done("attach", scene.pair, status=1)
    assert again.stdout.splitlines()[0] == "State: Failed, Total: 2, Success: 1, Failed: 1"
    assert f"what failed: seeder failures {scene.run_id}" in again.stderr
    assert ended.stderr == again.stderr
    record = json.loads(done("attach", scene.run_id, "--json", status=1).stdout)
    assert record == deployed.record(scene.run_id)


def test_how_far_a_listing_is_can_be_read_from_outside(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "EVERY_SECONDS", 0.0)
    scene = Scene(deployed, ["a", "b"]).start()
    done("attach", scene.run_id)
    s3 = deployed.cloud.client("s3")
    for state in ("PaginateKeys", "VerifyReplica"):
        note = telling.read(s3, deployed.state_bucket, scene.run_id, state)
        assert note is not None, state
        assert note.keys >= 2
        key = telling.address(scene.run_id, state)
        tags = s3.get_object_tagging(Bucket=deployed.state_bucket, Key=key)["TagSet"]
        assert tags == [{"Key": "seeder", "Value": "temporary"}]


def test_a_run_names_its_pair(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a"]).start()
    assert f"-{scene.source}-to-{scene.destination}-" in scene.run_id
    done("attach", scene.run_id)


def test_ctrl_c_leaves_the_run_and_says_how_to_come_back(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(deployed, ["a"])

    def interrupted(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("seeder_cli.attached.follow", interrupted)
        left = done("run", scene.source, scene.destination, status=130)
    (started,) = left.stdout.splitlines()
    run_id = started.removeprefix("Started run: ")
    assert f"come back to it: seeder attach {run_id}\n" in left.stderr
    assert f"stop it: seeder cancel {run_id}\n" in left.stderr
    done("attach", run_id)
    assert deployed.record(run_id)["state"] == "Complete"


def test_a_run_is_cancelled_in_the_middle_of_its_listing(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(deployed, TRAPS)
    with held(monkeypatch, "make_manifests", begin_upload) as released:
        scene.start().reached("PaginateKeys")
        until(scene.uploads)
        when_stopped(monkeypatch, released)
        record = scene.cancelled()
    assert record["jobs"] == []
    assert deployed.contents(scene.destination) == {}
    scene.seeded_again()


def test_a_run_is_cancelled_while_its_job_copies(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"k{number:03}" for number in range(60)]
    with monkeypatch.context() as patch:
        patch.setattr(deployed.cloud.settings, "tasks_per_second", 0.002)
        scene = Scene(deployed, keys).start().reached("AwaitJob")
        until(lambda: len(deployed.contents(scene.destination)) > 2)
        record = scene.cancelled()
    (job,) = record["jobs"]
    copied = len(deployed.contents(scene.destination))
    assert (job["status"], job["succeeded"], record["succeeded"]) == ("Cancelled", copied, 0)
    assert 2 < copied < len(keys)
    scene.seeded_again()


def test_a_run_is_cancelled_while_its_job_waits_for_a_person(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a"], confirm="").start().reached("AwaitJob")
    record = scene.cancelled()
    assert [job["status"] for job in record["jobs"]] == ["Cancelled"]
    assert deployed.contents(scene.destination) == {}
    scene.seeded_again()


def test_a_run_is_cancelled_between_two_jobs(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seeder.work.FIRST_ROUND_SECONDS", 10**6)
    monkeypatch.setattr("seeder.work.LONGEST_ROUND_SECONDS", 10**6)
    scene = Scene(deployed, ["a", "b"])
    with deployed.faults(Fault(key_prefix="b", status=503, code="SlowDown")):
        scene.start().reached("PauseBeforeJob")
    record = scene.cancelled()
    assert [(job["status"], job["succeeded"]) for job in record["jobs"]] == [("Complete", 1)]
    assert record["succeeded"] == 1
    scene.seeded_again()


def test_a_run_is_cancelled_while_it_waits_for_its_pair_and_the_other_goes_on(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seeder.fleet.claims.FIRST_WAIT_SECONDS", 10**6)
    monkeypatch.setattr("seeder.fleet.claims.LONGEST_WAIT_SECONDS", 10**6)
    first = Scene(deployed, ["a"], confirm="").start().reached("AwaitJob")
    second = Scene(deployed, [], overlap="wait")
    second.source, second.destination = first.source, first.destination
    second.start().reached("AwaitPair").cancelled()
    assert [job["Status"] for job in first.jobs()] == ["Suspended"]
    assert len(first.claims()) == 1
    first.cancelled()
    first.seeded_again()


def test_a_run_is_cancelled_while_both_buckets_are_compared(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(deployed, ["a", "b"])
    with held(monkeypatch, "prove", lambda *given: None) as released:
        scene.start().reached("VerifyReplica")
        when_stopped(monkeypatch, released)
        record = scene.cancelled()
    # The report was read, so that they are counted; the replica was not compared, so that it is not proven.
    assert (record["succeeded"], record["replica"]) == (2, "")
    scene.seeded_again()


def test_a_job_that_a_call_makes_after_the_stop_is_cancelled_too(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seeder import jobs

    scene, real, released = Scene(deployed, ["a"], confirm=""), jobs.create, threading.Event()

    def create(*given: Any) -> Any:
        assert released.wait(WAIT_SECONDS)
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "create", create)
        scene.start().reached("CreateJob")
        when_stopped(monkeypatch, released)
        record = scene.cancelled()
    assert [job["status"] for job in record["jobs"]] == ["Cancelled"]
    assert [job["Status"] for job in scene.jobs()] == ["Cancelled"]


def test_an_object_that_is_being_copied_in_parts_leaves_no_upload(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, released = Scene(deployed, []), threading.Event()
    deployed.cloud.declare_object(scene.source, "film", LARGE_BYTES)

    def dies(*given: Any) -> None:
        assert released.wait(WAIT_SECONDS)
        raise RuntimeError("out of time")

    with monkeypatch.context() as patch:
        patch.setattr("seeder.large.copier.copy_parts", dies)
        scene.start().reached("AwaitJob")
        until(lambda: deployed.uploads(scene.destination))
        when_stopped(monkeypatch, released)
        done("cancel", scene.run_id, "--yes")
    record = deployed.record(scene.run_id)
    assert (record["error"], record["succeeded"], record["large"]) == ("Cancelled", 0, 0)
    assert deployed.uploads(scene.destination) == []
    assert deployed.contents(scene.destination) == {}
    assert scene.claims() == []


def test_a_cancellation_that_died_is_finished_by_another(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(deployed, ["a"], confirm="").start().reached("AwaitJob")
    with monkeypatch.context() as patch:

        def dies(*given: Any) -> None:
            raise SystemExit

        patch.setattr("seeder_cli.cancelling.end_jobs", dies)
        seeder("cancel", scene.run_id, "--yes")
    assert len(scene.claims()) == 1
    told = done("attach", scene.run_id, status=3)
    assert f"to tidy up after it: seeder cancel {scene.run_id}" in told.stderr
    scene.cancelled()
    again = done("cancel", scene.run_id, "--yes").output
    assert again.startswith(f"{scene.run_id} has ended already: State: Failed")


def test_a_run_that_has_ended_is_not_cancelled(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a"]).start()
    done("attach", scene.run_id)
    before = deployed.record(scene.run_id)
    assert "has ended already: State: Complete" in done("cancel", scene.pair).output
    assert deployed.record(scene.run_id) == before


def test_nothing_is_cancelled_unasked(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a"], confirm="").start().reached("AwaitJob")
    refused = seeder("cancel", scene.run_id)
    assert isinstance(refused.exception, CommandError)
    assert str(refused.exception).endswith("give --yes")
    assert deployed.states.describe_execution(executionArn=scene.arn)["status"] == "RUNNING"
    scene.cancelled()


def test_the_end_of_a_cancelled_run_is_that_nothing_was_proven(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a"], confirm="").start().reached("AwaitJob")
    scene.cancelled()
    ended = done("attach", scene.run_id, status=3)
    assert "Replica: not compared" in ended.stdout
    assert f"to seed what is lacking: seeder retry {scene.run_id}" in ended.stderr


def test_retry_seeds_what_failed_and_nothing_else(deployed: Deployed) -> None:
    scene = Scene(deployed, ["logs/a", "logs/b", "other"], prefix="logs/")
    with deployed.faults(Fault(key_prefix="logs/b", status=403, code="AccessDenied")):
        scene.start()
        done("attach", scene.run_id, status=1)
    told = done("retry", scene.pair + "/logs/").output
    assert f"Seeding what the replica lacks: {scene.source} → {scene.destination}" in told
    assert 'prefix "logs/"' in told
    assert "State: Complete, Total: 1, Success: 1, Failed: 0" in told
    assert sorted(deployed.contents(scene.destination)) == ["logs/a", "logs/b"]


def test_retry_can_be_detached(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a"]).start()
    done("attach", scene.run_id)
    run_id = done("retry", scene.run_id, "--detach").output.strip()
    assert run_id.startswith("retry-")
    assert "lacks nothing" in done("attach", run_id).output


def test_retry_of_a_run_that_goes_on_is_refused(deployed: Deployed) -> None:
    scene = Scene(deployed, ["a"], confirm="").start().reached("AwaitJob")
    refused = seeder("retry", scene.run_id)
    assert isinstance(refused.exception, CommandError)
    assert f"seeder attach {scene.run_id}" in str(refused.exception)
    scene.cancelled()

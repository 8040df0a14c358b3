"""Everything that must hold after a scene, however its runs ended: seen from outside, not by their own word."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

from tests.chaos.job_proof import Jobs
from tests.chaos.kinds import LASTING
from tests.chaos.machine import Execution
from tests.chaos.sentences import check_cause
from tests.chaos.sight import Sight, Version, manifest_rows, report_rows
from tests.chaos.stage import Stage
from tests.chaos.strikes import CALLS, DEATHS, INVOCATIONS
from tests.e2e.deployed import EUROPE, HOME

_MAY_LEAVE_UPLOADS = {
    *CALLS,
    *DEATHS,
    *INVOCATIONS,
    "inputs delivered again at once",
    "inputs delivered again later",
}


class Proof:
    """Checks a stage after a scene."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.scene = stage, stage.scene
        self.sight = Sight(stage.deployed)
        self.runs = {one.name: one for one in stage.runs()}
        every = stage.conductor.executions.values()
        self.fleets = [one for one in every if one.name not in self.runs]
        self.records: dict[str, dict[str, Any]] = {
            name: self.sight.document(f"runs/{name}/run.json") for name in self.runs
        }
        self.jobs = self.sight.jobs()
        self._listed: dict[str, list[Version]] = {}

    def check(self) -> None:
        """Raise AssertionError for what does not hold."""
        for name, run in self.runs.items():
            self.check_end(run, self.records[name])
        Jobs(self.scene, self.runs, self.records, self.jobs).check()
        for name, record in self.records.items():
            self.check_rows(name, record)
            if record["state"] == "Complete":
                self.check_equal(self.runs[name], record)
        self.check_uploads()
        self.check_claims()
        self.check_fleets()
        if self.scene.must_succeed:
            self.check_success()

    def check_end(self, run: Execution, record: dict[str, Any] | None) -> None:
        """A record is there and agrees with the execution's end; a failure has a cause to act on."""
        assert record, f"{run.name} ended {run.status} ({run.error}: {run.cause}) and left no record"
        ended = {"Skipped": "SUCCEEDED", "Complete": "SUCCEEDED", "Failed": "FAILED"}[record["state"]]
        assert run.status == ended, (run.status, run.error, run.cause, record["state"], record["cause"])
        last = run.visited[-1]
        assert last == record["state"], (last, record["state"])
        if run.status == "FAILED":
            assert (record["error"], record["cause"]) == (run.error, run.cause)
            check_cause(run.error, run.cause)

    def check_rows(self, name: str, record: dict[str, Any]) -> None:
        """Each object stands once in the manifests; once it has succeeded, it is not tried again."""
        listed = self._manifests(name, record)
        again = {row: count for row, count in Counter(listed["all"]).items() if count > 1}
        assert not again, f"more than once in the manifests: {again}"
        tried = len(listed["tried"])
        if record["total"] or record["job_ids"]:
            assert record["total"] == tried, (record["total"], listed)
        succeeded = self._check_reports(name, record)
        if not record["replica"]:
            return
        if not (self.scene.source_changes or record["request"].get("resync")):
            # Manifests that other runs have left in the source are objects like any others.
            rows = [row for row in listed["all"] if not row[0].startswith("seeder/runs/")]
            assert sorted(rows) == sorted(self._wanted(record)), listed
        # Restorations that fail are counted beside what is seeded.
        assert record["succeeded"] + record["failed"] <= record["total"] + record["archived"]
        if record["state"] == "Complete":
            assert record["succeeded"] + record["failed"] == record["total"], record
            assert succeeded == record["succeeded"], (succeeded, record["succeeded"])

    def _manifests(self, name: str, record: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
        bucket, region, own = self._home(record, record["request"].get("manifest_location", "state"))
        files = self.sight.files(bucket, region, f"{own}runs/{name}/manifests/", ".csv")
        found: dict[str, list[tuple[str, str]]] = {"all": [], "tried": []}
        for key, body in files.items():
            rows = manifest_rows(body)
            found["all"] += rows
            found["tried"] += [] if "archived" in key.rpartition("/")[2] else rows
        return found

    def _wanted(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the key of each object that was to be seeded, or key and id of each version."""
        by_version, prefix = record["operation"] == "replicate", record["request"].get("prefix", "")
        return [
            (one.key, one.version_id if by_version else "")
            for one in self.versions(record["source"], HOME)
            if (by_version or one.is_latest)
            and one.key.startswith(prefix)
            and not one.key.startswith("seeder/runs/")
        ]

    def _home(self, record: dict[str, Any], location: str) -> tuple[str, str, str]:
        """Return the bucket of a location, its region, and what the run's keys begin with there."""
        places = {
            "state": (self.stage.deployed.state_bucket, HOME, ""),
            "source": (record["source"], HOME, "seeder/"),
            "destination": (record["destination"], EUROPE, "seeder/"),
        }
        return places[location]

    def _check_reports(self, name: str, record: dict[str, Any]) -> int:
        """Return how many objects the reports of a run show to have been seeded."""
        bucket, region, own = self._home(record, record["request"].get("report_location", "state"))
        files = self.sight.files(bucket, region, f"{own}runs/{name}/reports/", ".csv")
        succeeded: Counter[tuple[str, str, str]] = Counter()
        for job in (one for one in self.jobs if one.run_id == name):
            rows = [
                row
                for key, body in files.items()
                if f"job-{job.id}/results/" in key
                for row in report_rows(body)
            ]
            assert len(rows) in (0, job.done), (job, rows)
            each = Counter((row.key, row.version_id) for row in rows)
            assert all(count == 1 for count in each.values()), each
            succeeded.update((job.operation, row.key, row.version_id) for row in rows if row.succeeded)
        assert all(count == 1 for count in succeeded.values()), f"seeded twice: {succeeded}"
        return sum(operation != "restore" for operation, _, _ in succeeded)

    def check_equal(self, run: Execution, record: dict[str, Any]) -> None:
        """What was in the source before the run is in the destination, unless somebody has changed it since."""
        by_version = record["operation"] == "replicate"
        source, destination = record["source"], record["destination"]
        theirs = self.versions(destination, EUROPE)
        held = {_look(one, by_version) for one in theirs if by_version or one.is_latest}
        began, prefix = datetime.fromisoformat(record["started_at"]), record["request"].get("prefix", "")
        ours = [
            one
            for one in self.versions(source, HOME)
            if (by_version or one.is_latest)
            and one.modified < began
            and one.key.startswith(prefix)
            and not one.key.startswith("seeder/runs/")
            and not self._touched_after_look(run, one.key, source, destination)
        ]
        lacking = [one for one in ours if _look(one, by_version) not in held]
        assert not lacking, f"Complete, but the replica lacks {lacking} and has {sorted(held)}"

    def _touched_after_look(self, run: Execution, key: str, *buckets: str) -> bool:
        look = self.stage.looks[run.name]
        return any(self.stage.writers.touched.get((bucket, key), 0) > look for bucket in buckets)

    def versions(self, bucket: str, region: str) -> list[Version]:
        """Return the versions of a bucket, listed once."""
        if bucket not in self._listed:
            self._listed[bucket] = self.sight.versions(bucket, region)
        return self._listed[bucket]

    def check_uploads(self) -> None:
        """No upload is left in the pairs; in the state bucket those alone that a call has left which died or failed.

        The state bucket has a lifecycle rule for these.
        """
        for source, destination in self.stage.pairs:
            assert not self.sight.uploads(source, HOME), "an upload is left in the source"
            assert not self.sight.uploads(destination, EUROPE), "an upload is left in the destination"
        left = self.sight.uploads(self.stage.deployed.state_bucket, HOME)
        excused = _MAY_LEAVE_UPLOADS & {*self.scene.kinds} or LASTING in self.scene.kinds
        assert not left or excused, f"uploads are left in the state bucket: {left}"

    def check_claims(self) -> None:
        """Every pair is given back. A call that outlives its run may take it again, which then is no claim."""
        held = self.sight.files(self.stage.deployed.state_bucket, HOME, "metastore/claims/")
        for key, body in held.items():
            holders = {one["run_id"] for one in json.loads(body)["body"].get("holders", [])}
            assert holders <= self.stage.reclaimed, f"{key} is still held: {body.decode()}"

    def check_fleets(self) -> None:
        """Every fleet has a summary that agrees with the records, and starts no run twice."""
        for fleet in self.fleets:
            if fleet.status == "FAILED":
                check_cause(fleet.error, fleet.cause)
                assert LASTING in self.scene.kinds, (fleet.error, fleet.cause)
                continue
            if fleet.visited[-1] == "NothingToSeed":
                continue
            summary = self.sight.document(f"fleets/{fleet.name}/summary.json")
            assert summary, f"{fleet.name} left no summary"
            for row in summary["runs"]:
                state = self.records[row["run_id"]]["state"]
                assert row["state"] in (state, "Repeated", "Started"), (row, state)
        if self.scene.trigger == "a rule is added" and not self.scene.has(LASTING):
            started = [(one["source"], one["destination"]) for one in self.records.values()]
            wanted = {pair for pair in self.stage.pairs if pair in self.stage.ruled}
            assert Counter(started) == Counter(wanted), (started, wanted)

    def check_success(self) -> None:
        """All runs but those that were to be skipped have proven their replica."""
        failed = {name: one["cause"] for name, one in self.records.items() if one["state"] == "Failed"}
        assert not failed, f"failed without a reason to: {failed}"
        complete = [one for one in self.records.values() if one["state"] == "Complete"]
        assert complete, "nothing was seeded"


def _look(one: Version, by_version: bool) -> tuple[str, str, int, str]:
    return one.key, one.version_id if by_version else "", one.size, one.etag

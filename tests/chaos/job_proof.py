"""What must hold of the jobs of a scene."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.scene import Scene
from tests.chaos.sight import JobSeen
from tests.chaos.strikes import DEATHS

MOST_SETTLINGS = 5
ENDED = ("Complete", "Failed", "Cancelled")
_OF_JOBS = ("CreateJob", "DescribeJob", "ParseReport")
_WAYS = {way for way, _ in DEATHS.values()}


@dataclass(frozen=True)
class Jobs:
    """The jobs that AWS shows, beside the runs and their records."""

    scene: Scene
    runs: dict[str, Any]
    records: dict[str, dict[str, Any]]
    jobs: Sequence[JobSeen]

    def check(self) -> None:
        """Raise AssertionError for what does not hold."""
        self._check_rounds()
        self._check_turns()

    def _check_rounds(self) -> None:
        """Each job is of one run, has ended with it, and is the only one of its round; a run has few."""
        rounds: Counter[tuple[str, str, int]] = Counter()
        for job in self.jobs:
            assert job.run_id in self.runs, f"a job without a run: {job}"
            record = self.records[job.run_id]
            if not self._blinded(record):
                assert job.id in record["job_ids"], f"{job} is not in the record {record}"
                assert job.status in ENDED, (
                    f"{job} goes on after its run: {record['error']}: {record['cause']}"
                )
            if not self._unsettled(job):
                rounds[job.run_id, job.operation, job.round] += 1
        assert all(count == 1 for count in rounds.values()), rounds
        asked = {name: record["request"].get("rounds", 3) for name, record in self.records.items()}
        each = Counter((job.run_id, job.operation) for job in self.jobs if not self._unsettled(job))
        assert all(count <= asked[name] + 1 for (name, _), count in each.items()), each
        early = Counter(job.run_id for job in self.jobs if self._unsettled(job))
        assert all(count <= MOST_SETTLINGS + 1 for count in early.values()), early

    def _check_turns(self) -> None:
        """Jobs of two runs do not work on one pair at once."""
        pairs = {name: (record["source"], record["destination"]) for name, record in self.records.items()}
        known = [job for job in self.jobs if not self._blinded(self.records[job.run_id])]
        for first, second in itertools.combinations(known, 2):
            if first.run_id == second.run_id or pairs[first.run_id] != pairs[second.run_id]:
                continue
            one, other = sorted((first, second), key=lambda job: job.began)
            assert one.ended, one
            assert one.ended <= other.began, f"two runs at one pair at once: {one}, {other}"

    def _blinded(self, record: dict[str, Any]) -> bool:
        """Whether a run ended because what creates and looks at jobs could not, at any try: it may leave one behind."""
        lost = [one for one in self.scene.strikes if one.lasting and one.function in _OF_JOBS]
        return self.scene.has("job vanished") or bool(lost and record["error"] in _WAYS)

    def _unsettled(self, job: JobSeen) -> bool:
        return self.scene.has("roles settle late") and job.status == "Failed" and not job.done

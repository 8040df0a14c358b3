from __future__ import annotations

import io
from typing import Any, cast

import pytest

from seeder_cli.display import Display
from seeder_cli.fleet_following import follow_fleet
from seeder_cli.follow import Outcome, follow
from tests.unit.seeder_cli.following import RUN, States, entered, job, left, manifest
from tests.unit.seeder_cli.test_pace import Clock

ARN = "arn:aws:states:us-east-1:123456789012:execution:seeder-seed:my-run"
WORK = {"jobs": [job()]}


class Followed:
    """A script followed to its end, on a clock that only sleeping moves."""

    def __init__(self, *looks: list[dict[str, Any]], errors: tuple[str, ...] = (), poll: float = 2.0) -> None:
        scripted = States(list(looks))
        scripted.errors = list(errors)
        self.states = cast(Any, scripted)
        self.slept: list[float] = []
        self.stream, self.clock = io.StringIO(), Clock()
        with Display(self.stream, self.clock) as display:
            self.outcome: Outcome = follow(
                self.states, ARN, display, lambda job: (412, 836), self.sleep, poll, clock=self.clock
            )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now += seconds

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


LISTED = [
    entered("PaginateKeys", run=RUN),
    left("PaginateKeys", run=RUN, manifest=manifest(836)),
    left("CreateJob", run=RUN, manifest=manifest(836), work=WORK),
    entered("AwaitJob", run=RUN, manifest=manifest(836), work=WORK),
]
END = [left("RecordRun", run=RUN, record={"state": "Complete"})]


def test_a_run_is_told_by_what_it_makes() -> None:
    followed = Followed(LISTED, END)
    assert followed.lines == [
        "Creating manifest for bucket: src",
        "Uploading manifest: s3://state/runs/my-run/manifests/copy.csv",
        "Created s3 batch job: job-1",
    ]
    assert followed.outcome.run_id == "my-run"
    assert followed.outcome.status == "SUCCEEDED"
    assert followed.outcome.stages["record"] == {"state": "Complete"}
    assert followed.outcome.history_events == 5


def test_a_wait_for_another_run_is_told_once_and_names_it() -> None:
    def claim(waited: int) -> dict[str, Any]:
        return left(
            "ClaimPair", run=RUN, claim={"next": "wait", "held_by": "other", "waited_seconds": waited}
        )

    followed = Followed([claim(0)], [claim(60)], [claim(120)], END)
    assert followed.lines == ["Waiting for another run of this pair: other"]


def test_a_long_run_is_looked_at_less_and_less_and_again_often_when_it_moves() -> None:
    quiet: list[list[dict[str, Any]]] = [[]] * 200
    followed = Followed(LISTED, *quiet, [entered("ParseReport")], [], END)
    assert followed.slept[0] == 2
    assert followed.slept[199] == 15
    assert sorted(followed.slept[:200]) == followed.slept[:200]
    assert followed.slept[201] == 2
    assert followed.states.calls == {"describe": 204, "history": 205}


def test_in_a_pipe_a_long_run_has_a_line_a_minute_at_most() -> None:
    quiet: list[list[dict[str, Any]]] = [[]] * 200
    followed = Followed(LISTED, *quiet, END)
    progress = followed.lines[3:]
    assert progress[0] == "Copying: 412 of 836 (49 %)"
    assert len(progress) <= sum(followed.slept) / 60


def test_throttling_does_not_end_it() -> None:
    throttled = ("ThrottlingException",) * 5
    assert Followed(LISTED, END, errors=throttled).outcome.status == "SUCCEEDED"


def fleet(*looks: list[dict[str, Any]]) -> list[str]:
    stream, clock = io.StringIO(), Clock()

    def sleep(seconds: float) -> None:
        clock.now += 60

    with Display(stream, clock) as display:
        states: Any = States(list(looks))
        ended = follow_fleet(states, ARN, display, "seeder status --watch", sleep, clock=clock)
    assert ended["status"] == "SUCCEEDED"
    return stream.getvalue().splitlines()


def test_a_fleet_is_told_by_its_pairs() -> None:
    lines = fleet(
        [entered("ResolvePairs")],
        [left("ResolvePairs", count=4, pairs=[])],
        [entered("Seed"), entered("Seed"), entered("Seed")],
        [entered("SeedComplete"), entered("SeedFailed")],
        [entered("SeedSkipped"), entered("Seed"), entered("SeedComplete")],
        [],
    )
    assert lines == [
        "Seeding pairs: 0 of 4 (0 %), 0 failed, 0 running",
        "Seeding pairs: 0 of 4 (0 %), 0 failed, 3 running",
        "Seeding pairs: 2 of 4 (50 %), 1.0/min, about 2 min left, 1 failed, 1 running",
        "Summing up",
        "Summing up",
    ]


@pytest.mark.parametrize("state", ["Repeated", "SeedComplete", "SeedFailed", "SeedSkipped", "Started"])
def test_each_way_a_pair_can_end_is_counted(state: str) -> None:
    begun = [left("ResolvePairs", count=2), entered("StartRun"), entered(state)]
    assert fleet([], begun, [], [])[0].startswith("Seeding pairs: 1 of 2 (50 %)")

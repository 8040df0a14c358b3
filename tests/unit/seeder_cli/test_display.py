from __future__ import annotations

import io

import pytest

from seeder_cli.display import Display
from tests.unit.seeder_cli.test_pace import Clock


def shown(
    steps: list[tuple[float, str, int | None]], total: int | None = 836, every: float = 60
) -> list[str]:
    """Return the lines that a pipe gets of progress at these seconds."""
    stream, clock = io.StringIO(), Clock()
    with Display(stream, clock, every) as display:
        for seconds, what, done in steps:
            clock.now = 1000 + seconds
            display.progress(what, done, total)
    return stream.getvalue().splitlines()


def test_a_pipe_gets_a_line_of_progress_a_minute() -> None:
    lines = shown([(second, "Copying", second) for second in range(0, 200, 2)])
    assert lines == [
        "Copying: 16 of 836 (1 %), 1.0/s, about 13 min left",
        "Copying: 76 of 836 (9 %), 1.0/s, about 12 min left",
        "Copying: 136 of 836 (16 %), 1.0/s, about 11 min left",
        "Copying: 196 of 836 (23 %), 1.0/s, about 10 min left",
    ]


def test_a_stage_that_passes_soon_has_no_line() -> None:
    assert shown([(0, "Checking", None), (2, "Listing", None), (5, "Planning", None)]) == []


def test_lines_that_stay_put_off_those_of_progress() -> None:
    stream, clock = io.StringIO(), Clock()
    with Display(stream, clock) as display:
        for second in range(0, 100, 10):
            clock.now = 1000 + second
            display.line(f"event {second}")
            display.progress("Copying", second, 100)
    assert stream.getvalue().splitlines() == [f"event {second}" for second in range(0, 100, 10)]


def test_where_no_progress_is_wanted_there_is_none() -> None:
    assert shown([(second, f"Stage {second}", second) for second in range(0, 600, 20)], every=0) == []


def test_an_aside_is_told_with_the_count() -> None:
    stream, clock = io.StringIO(), Clock()
    with Display(stream, clock) as display:
        clock.now += 60
        display.progress("Seeding pairs", 12, 200, aside="1 failed, 20 running")
    assert stream.getvalue() == "Seeding pairs: 12 of 200 (6 %), 1 failed, 20 running\n"


def test_a_pipe_gets_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Display(clock=clock) as display:
        display.line("Created s3 batch job: 1 [bold]")
        clock.now += 61
        display.progress("Copying", 1, 2)
    out = capsys.readouterr().out
    assert out == "Created s3 batch job: 1 [bold]\nCopying: 1 of 2 (50 %)\n"

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from rich.console import Console

from seeder.errors import AccessDenied, ServiceUnavailable, Throttled
from seeder_cli import watching
from seeder_cli.glimpse import Piece
from seeder_cli.watching import Lines, Screen, View, view_of, visible, watch
from tests.unit.seeder_cli.test_glimpse import NOW, row

ENDED, GOES_ON = (
    view_of([row("a", state)], lambda item: True, "state", 0) for state in ("Complete", "Running")
)


class Shown:
    def __init__(self) -> None:
        self.views: list[View] = []
        self.troubles: list[str] = []

    def show(self, view: View, now: datetime) -> None:
        self.views.append(view)

    def trouble(self, text: str) -> None:
        self.troubles.append(text)


def looks(*answers: View | Exception | type[BaseException]) -> Callable[[], View]:
    left = iter(answers)

    def look() -> View:
        answer = next(left)
        if isinstance(answer, View):
            return answer
        raise answer

    return look


def watched(look: Callable[[], View], until_done: bool = True) -> tuple[View | None, Shown, list[float]]:
    shown, pauses = Shown(), list[float]()
    view = watch(look, shown, 5, until_done, lambda: NOW, pauses.append)
    return view, shown, pauses


def test_until_done_ends_when_nothing_goes_on() -> None:
    view, shown, pauses = watched(looks(GOES_ON, GOES_ON, ENDED))
    assert (view, shown.views, pauses) == (ENDED, [GOES_ON, GOES_ON, ENDED], [5, 5])


def test_a_fleet_whose_pairs_are_not_known_yet_is_waited_for() -> None:
    resolving = ENDED._replace(fleets=1)
    assert watched(looks(resolving, ENDED))[1].views == [resolving, ENDED]


def test_without_until_done_only_ctrl_c_ends_it() -> None:
    view, shown, _ = watched(looks(ENDED, ENDED, KeyboardInterrupt), until_done=False)
    assert (view, len(shown.views)) == (ENDED, 2)


def test_ctrl_c_before_the_first_look_ends_it_with_nothing() -> None:
    assert watched(looks(KeyboardInterrupt))[0] is None


def test_what_passes_is_waited_out_by_longer_pauses_and_the_last_view_stays() -> None:
    passing = [Throttled("slow down"), ServiceUnavailable("gone"), *[Throttled("slow down")] * 3]
    _, shown, pauses = watched(looks(GOES_ON, *passing, GOES_ON, ENDED))
    assert pauses == [5, 10, 20, 40, 60, 60, 5]
    assert shown.troubles[:2] == ["slow down; the next look is in 10 s", "gone; the next look is in 20 s"]


def test_what_does_not_pass_ends_it() -> None:
    with pytest.raises(AccessDenied):
        watched(looks(GOES_ON, AccessDenied("no")))


def test_in_a_pipe_the_table_comes_once_and_then_what_changes(capsys: pytest.CaptureFixture[str]) -> None:
    shows = Lines()
    for view in (GOES_ON, GOES_ON, ENDED):
        shows.show(view, NOW)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["SOURCE", "a", "Not", "12:00:00"]
    assert lines[3].startswith("12:00:00 a → a-replica: Complete; 1,234 objects")


def test_more_rows_than_the_terminal_has_lines_are_counted() -> None:
    lines = [[Piece(str(number))] for number in range(10)]
    assert visible(lines, 10) == lines
    assert visible(lines, 4) == [*lines[:3], [Piece("… 7 more lines; `seeder status` prints all", "dim")]]


def test_the_screen_fits_its_terminal_and_ends_with_the_answer_and_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = io.StringIO()
    console = Console(
        file=file, width=70, height=20, force_terminal=True, no_color=True, legacy_windows=False
    )
    monkeypatch.setattr(watching, "Console", lambda **_: console)
    view = view_of([row(f"bucket-{number:02}") for number in range(40)], lambda item: True, "state", 0)
    with Screen(5) as screen:
        screen.show(view, datetime(2026, 1, 31, 12, tzinfo=UTC))
        screen.trouble("slow down")
        drawn = console.export_text() if console.record else file.getvalue()
    last = drawn.rsplit("SOURCE", 1)[1].splitlines()
    assert len(last) <= 20
    assert all(len(line.replace("\x1b[2m", "").replace("\x1b[0m", "")) <= 70 for line in last[1:])
    assert "slow down" in last[-1]
    assert "All there: 40 pairs" in drawn

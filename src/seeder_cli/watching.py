"""`seeder status --watch`: the table drawn again and again in its place on a terminal, changes as lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import click
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from seeder.errors import ServiceUnavailable, Throttled
from seeder.fleet.overview import PairRow, Totals, totals
from seeder_cli import glimpse
from seeder_cli.glimpse import Line

LONGEST_PAUSE_SECONDS = 60.0
# Beside the rows: the titles, how many are left out, the last line in two, and when this was.
_OTHER_LINES = 6


class View(NamedTuple):
    """What a look shows: `rows` in their order, and what all pairs come to; `fleets` go on."""

    rows: list[PairRow]
    totals: Totals
    fleets: int

    @property
    def is_done(self) -> bool:
        """Whether nothing goes on."""
        return not (self.totals.going or self.fleets)


class Shows(Protocol):
    """Shows views, and why there is none now."""

    def show(self, view: View, now: datetime) -> None:
        """Show a view."""

    def trouble(self, text: str) -> None:
        """Say why the last view is still shown."""


def watch(
    look: Callable[[], View],
    shows: Shows,
    seconds: float,
    until_done: bool,
    now: Callable[[], datetime],
    sleep: Callable[[float], None] = time.sleep,
) -> View | None:
    """Show a view every so many seconds, until nothing goes on if `until_done`, else until Ctrl-C.

    Where AWS asks to slow down or is not reached, the last view stays and the pauses double, up to a minute. Returns
    the last view, None where there was none. Raises SeederError for what does not pass.
    """
    view, pause = None, seconds
    with suppress(KeyboardInterrupt):
        while True:
            try:
                view = look()
                shows.show(view, now())
                if until_done and view.is_done:
                    break
                pause = seconds
            except (Throttled, ServiceUnavailable) as error:
                pause = min(2 * pause, max(LONGEST_PAUSE_SECONDS, seconds))
                shows.trouble(f"{error}; the next look is in {pause:.0f} s")
            sleep(pause)
    return view


class Lines:
    """Prints the table once, then a line for each change, for pipes and logs."""

    def __init__(self) -> None:
        self._before: list[PairRow] | None = None

    def show(self, view: View, now: datetime) -> None:
        """Print the first view, of each other what is new."""
        if self._before is None:
            for line in [*map(plain, glimpse.table(view.rows, now, None)), glimpse.answer(view.totals, now)]:
                click.echo(line)
        else:
            for line in glimpse.changes(self._before, view.rows, now):
                click.echo(line)
        self._before = view.rows

    def trouble(self, text: str) -> None:
        """Print it to standard error."""
        click.echo(f"seeder: {text}", err=True)


class Screen:
    """Draws in place; as a context manager, the terminal is as before when it ends."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._view: View | None = None
        self._at: datetime | None = None
        self._trouble = ""
        self._live = Live(self, console=Console(highlight=False), auto_refresh=False, transient=True)

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._live.stop()

    def show(self, view: View, now: datetime) -> None:
        """Draw a view."""
        self._view, self._at, self._trouble = view, now, ""
        self._live.refresh()

    def trouble(self, text: str) -> None:
        """Draw it below the last view."""
        self._trouble = text
        self._live.refresh()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._view is None or self._at is None:
            yield Text(self._trouble or "Looking …", no_wrap=True, overflow="ellipsis")
            return
        width, height = options.max_width, console.size.height
        for line in visible(glimpse.table(self._view.rows, self._at, width), height - _OTHER_LINES):
            yield rich_text(line)
        yield Text(glimpse.answer(self._view.totals, self._at))
        told = self._trouble or f"every {self._seconds:g} s; Ctrl-C ends this, and no run"
        yield Text(f"{self._at:%H:%M:%S} UTC, {told}", style="dim", no_wrap=True, overflow="ellipsis")


def visible(lines: list[Line], most: int) -> list[Line]:
    """Return as many lines as there is room for, and how many are left out."""
    most = max(most, 2)
    if len(lines) <= most:
        return lines
    left_out = f"… {len(lines) - most + 1:,} more lines; `seeder status` prints all"
    return [*lines[: most - 1], [glimpse.Piece(left_out, glimpse.DIM)]]


def view_of(rows: Iterable[PairRow], wanted: Callable[[PairRow], bool], by: str, fleets: int) -> View:
    """Return a view of rows: `wanted` are shown, in the order of `by`, all are counted."""
    from seeder.fleet.overview import ordered

    rows = list(rows)
    return View(ordered(filter(wanted, rows), by), totals(rows), fleets)


def plain(line: Line) -> str:
    """Return a line without colours."""
    return "".join(piece.text for piece in line)


def rich_text(line: Line) -> Text:
    """Return a line as rich draws it."""
    text = Text(no_wrap=True, overflow="crop")
    for piece in line:
        text.append(piece.text, style=piece.color)
    return text

"""Lines and progress: a live bar on a terminal; elsewhere plain lines, and of progress one a minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from seeder_cli.pace import Pace
from seeder_cli.terminal import is_plain

# Of a stage that lasts a line tells soon; of how it goes on, one a minute.
SOON_SECONDS, EVERY_SECONDS = 15.0, 60.0


class Display:
    """Prints what happens, to standard output if no other stream is given.

    Used as a context manager; the bar is gone when it ends. Without a bar a line of progress comes `every` so many
    seconds, and sooner when something else begins; with 0 none comes.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._stream = stream
        self._every = every
        self._clock = clock
        self._pace = Pace(clock)
        self._what = ""
        self._printed_at = clock()
        self._bar: Progress | None = None
        if not is_plain(stream or sys.stdout):
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[told]}", markup=False),
                TimeElapsedColumn(),
                console=Console(file=stream),
                transient=True,
            )
            self._task = self._bar.add_task("Starting", total=None, told="")

    def __enter__(self) -> Display:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def line(self, text: str) -> None:
        """Print a line that stays."""
        self._printed_at = self._clock()
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(text, file=self._stream)

    def progress(
        self,
        what: str,
        done: int | None = None,
        total: int | None = None,
        about: bool = False,
        aside: str = "",
    ) -> None:
        """Show what goes on, how far it is, and what more there is to say; `about` marks an estimate.

        `done` is None where nothing is counted.
        """
        if done is None:
            told = ""
        else:
            self._pace.take(what, done)
            told = self._pace.told(total, about)
        told = ", ".join(filter(None, (told, aside)))
        if self._bar:
            self._bar.update(self._task, description=what, completed=done or 0, total=total, told=told)
            return
        since = self._clock() - self._printed_at
        if self._every and since >= (self._every if what == self._what else SOON_SECONDS):
            self._what = what
            self.line(f"{what}: {told}" if told else what)

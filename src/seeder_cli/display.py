"""Lines and progress: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Display:
    """Prints what happens. Used as a context manager; the bar is gone when it ends."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        if sys.stdout.isatty():
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(),
                transient=True,
            )
            self._task = self._bar.add_task("", total=None)

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
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(text)

    def progress(self, what: str, done: int, total: int | None = None) -> None:
        """Show how far something is, where that can be shown."""
        if self._bar:
            self._bar.update(self._task, description=what, completed=done, total=total)

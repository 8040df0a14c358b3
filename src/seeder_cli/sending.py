"""A bar for a file that is sent: on a terminal's standard error, for files that take a while."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seeder_cli.terminal import is_plain

SHOWN_FROM_BYTES = 32 * 1024 * 1024


@contextmanager
def sending_progress(path: Path) -> Iterator[Callable[[int], None]]:
    """Yield a function that is given the bytes sent so far."""
    size = path.stat().st_size
    if size < SHOWN_FROM_BYTES or is_plain(sys.stderr):
        yield lambda sent: None
        return
    # Imported here: only a terminal has use for it.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(path.name, total=size)
        yield lambda sent: bar.update(task, completed=sent)

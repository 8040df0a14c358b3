"""A line of progress for a listing: on a terminal's standard error, nowhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seeder_cli.terminal import is_plain


@contextmanager
def listing_progress() -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows how far a listing is: keys so far, LIST calls so far."""
    if is_plain(sys.stderr):
        yield lambda keys, calls: None
        return
    # Imported here: only a terminal has use for it, and it takes as long as listing 50,000 keys.
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, began = bar.add_task("Listing"), time.monotonic()

        def show(keys: int, calls: int) -> None:
            rate = keys / max(time.monotonic() - began, 0.001)
            bar.update(task, description=f"{keys:,} keys, {rate:,.0f} keys/s, {calls:,} LIST calls")

        yield show

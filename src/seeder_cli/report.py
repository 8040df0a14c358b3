"""`seeder report`: a page of all pairs, or of one run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from seeder.errors import SeederError
from seeder.fleet.overview import PairRow, ordered, totals
from seeder.page import render_fleet, render_run
from seeder.page.words import number
from seeder.record import Record
from seeder_cli import glimpse
from seeder_cli.errors import CommandError
from seeder_cli.glance import Glance
from seeder_cli.place import Place, place_options
from seeder_cli.portrait import field, pair_of
from seeder_cli.runs import RunRef, find_run
from seeder_cli.table import shown
from seeder_cli.terminal import is_plain

STDOUT = "-"
MOST_NAMED = 10


@click.command()
@click.argument("run", required=False)
@click.option("--html", "file", metavar="FILE", help="Write the page to FILE; - is standard output.")
@click.option("--links", is_flag=True, help="Link each run to runs/<run id>/report.html beside FILE.")
@click.option("--state-bucket", metavar="NAME", default="", help="Of `seeder run --here`: no stack is asked.")
@place_options
def report(run: str | None, file: str | None, links: bool, state_bucket: str, place: Place) -> int:
    """Write a page of all pairs, or of RUN: one file that needs no network, for a browser, a phone or paper.

    RUN is as for `seeder show`; it must have ended. Every run leaves its page in the state bucket too, as
    runs/<run id>/report.html; with --links the page of all pairs leads there, from the bucket's top or a copy of it.
    Without --html, the same in a few lines. Exits 0.

    \b
    Example:
      seeder report --html pairs.html
    """
    if links and (run or not file):
        raise CommandError("--links is for the page of all pairs: give it with --html and without RUN")
    if run:
        ref = find_run(place, run, state_bucket)
        _give(_ended(ref), ref, file)
        return 0
    try:
        rows = Glance.of(place, state_bucket).look().rows
    except SeederError as error:
        raise CommandError(f"pairs: {error}", status=1) from error
    now = datetime.now(UTC)
    if file:
        name = state_bucket or place.stack
        _write(file, render_fleet(rows, now, name=name, links=links), f"{number(len(rows))} pairs")
    else:
        _print(_of_pairs(rows, now))
    return 0


def _ended(ref: RunRef) -> Record:
    """Return the record of a run that has ended. Raises CommandError."""
    if ref.record:
        return ref.record
    if ref.running:
        raise CommandError(f"the run '{ref.run_id}' goes on: seeder attach {ref.run_id}", status=1)
    raise CommandError(f"the run '{ref.run_id}' left no record: seeder show {ref.run_id}", status=1)


def _give(record: Record, ref: RunRef, file: str | None) -> None:
    if file:
        _write(file, render_run(record, ref.state_bucket), record.run_id)
    else:
        _print(_of_run(record, ref.state_bucket))


def _write(file: str, page: str, what: str) -> None:
    """Write a page, and say so unless it went to standard output itself. Raises CommandError."""
    body = page.encode()
    if file == STDOUT:
        sys.stdout.buffer.write(body)
        return
    try:
        Path(file).write_bytes(body)
    except OSError as error:
        raise CommandError(f"--html {file}: {error.strerror or error}") from error
    click.echo(f"{file}: {what}, {len(body):,} bytes")


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)


def _of_pairs(rows: Sequence[PairRow], now: datetime) -> Iterator[str]:
    bad = [row for row in ordered(rows, "state") if row.state in ("Failed", "Skipped")]
    for row in bad[:MOST_NAMED]:
        yield shown(f"{row.state}: {row.source} → {row.destination}: {row.cause} (seeder show {row.run_id})")
    if len(bad) > MOST_NAMED:
        yield f"and {number(len(bad) - MOST_NAMED)} more: seeder status --failed"
    yield glimpse.answer(totals(rows), now)
    yield "As a page: seeder report --html pairs.html"


def _of_run(record: Record, state_bucket: str) -> Iterator[str]:
    counts = f"Total: {record.total}, Success: {record.succeeded}, Failed: {record.failed}"
    width = None if is_plain() else shutil.get_terminal_size().columns
    where = f"s3://{state_bucket}/runs/{record.run_id}/report.html"
    for label, text in (
        ("Pair", pair_of(record.source, record.destination, record.request)),
        ("State", f"{record.state}, {counts}"),
        ("Cause", shown(record.cause)),
        ("Replica", record.replica or "not compared"),
        ("Cost", f"{record.actual_usd} USD, by list prices" if record.actual_usd else ""),
        ("All of it", f"seeder show {record.run_id}"),
        ("As a page", f"{shown(where)}, or: seeder report {record.run_id} --html FILE"),
    ):
        yield from field(label, [text] if text else [], width)

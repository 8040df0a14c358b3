"""`seeder status`: all pairs, a row each, and whether all is there."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import click

from seeder.errors import SeederError
from seeder.fleet.overview import SORTS, STATES, PairRow
from seeder_cli import glimpse
from seeder_cli.errors import CommandError
from seeder_cli.glance import Glance, in_words
from seeder_cli.place import Place, place_options
from seeder_cli.table import terminal_width
from seeder_cli.terminal import is_plain
from seeder_cli.watching import Lines, Screen, View, plain, view_of, watch

EVERY_SECONDS = 5.0


class Seconds(click.ParamType[float]):
    """Seconds between two looks, at least 1."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds, or fail with what to do."""
        try:
            seconds = float(value)
        except ValueError:
            self.fail(f"'{value}' is no number of seconds; a PATTERN stands before --watch", param, ctx)
        if not 1 <= seconds <= 86400:
            self.fail(f"{seconds:g} won't do; give 1 to 86400 seconds", param, ctx)
        return seconds


@click.command()
@click.argument("pattern", default="*")
@click.option(
    "--sort", type=click.Choice(SORTS), default="state", show_default=True, help="Order of the rows."
)
@click.option("--failed", "only_failed", is_flag=True, help="Show only the pairs that need a look.")
@click.option(
    "--watch",
    "every",
    is_flag=False,
    flag_value=str(EVERY_SECONDS),
    type=Seconds(),
    metavar="[SECONDS]",
    help=f"Look again every so many seconds, {EVERY_SECONDS:g} by default, until Ctrl-C.",
)
@click.option("--until-done", is_flag=True, help="Watch until no run goes on.")
@click.option(
    "--state-bucket", metavar="NAME", default="", help="Of runs made with --here; no stack is asked."
)
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def status(
    pattern: str,
    sort: str,
    only_failed: bool,
    every: float | None,
    until_done: bool,
    state_bucket: str,
    place: Place,
    as_json: bool,
) -> int:
    """Show all pairs, or those whose source or SOURCE/DESTINATION matches PATTERN (* and ? are wildcards).

    A row is a pair and its last run. OBJECTS are those that this run had to seed: 0 where nothing lacked. The last
    line says whether all is there. Exits 0 if all pairs are proven, 1 if one failed, 3 if none failed but not all are
    proven yet, 2 on bad input; --watch exits 0 on Ctrl-C.

    \b
    Example:
      seeder status 'app-*' --watch
    """
    watched = every is not None or until_done
    if as_json and watched:
        raise CommandError("--json shows one look; give it without --watch and --until-done")
    look = _looker(Glance.of(place, state_bucket), pattern, sort, only_failed)
    try:
        if watched:
            return _watch(look, every or EVERY_SECONDS, until_done)
        view = look()
    except SeederError as error:
        raise CommandError(f"pairs: {in_words(error)}", status=1) from error
    if not view.totals.pairs and pattern != "*":
        raise CommandError(f"PATTERN: '{pattern}' matches no pair; `seeder status` shows all")
    click.echo(json.dumps(_document(view), indent=2)) if as_json else _print(view)
    return glimpse.status_of(view.totals)


def _looker(glance: Glance, pattern: str, sort: str, only_failed: bool) -> Callable[[], View]:
    def is_asked(row: PairRow) -> bool:
        return any(fnmatchcase(name, pattern) for name in (row.source, f"{row.source}/{row.destination}"))

    def is_shown(row: PairRow) -> bool:
        return not only_failed or row.state in ("Failed", "Skipped")

    def look() -> View:
        seen = glance.look()
        return view_of(filter(is_asked, seen.rows), is_shown, sort, seen.fleets)

    return look


def _watch(look: Callable[[], View], seconds: float, until_done: bool) -> int:
    """Watch, and leave the last view printed; return the exit status."""
    with ExitStack() as stack:
        shows = Lines() if is_plain() else stack.enter_context(Screen(seconds))
        view = watch(look, shows, seconds, until_done, _now)
    if view is None:
        return 0
    if isinstance(shows, Screen):
        _print(view)
    elif view.is_done and until_done:
        click.echo(glimpse.answer(view.totals, _now()))
    return glimpse.status_of(view.totals) if until_done and view.is_done else 0


def _print(view: View) -> None:
    width, is_colored = terminal_width(), not is_plain()
    for line in glimpse.table(view.rows, _now(), width):
        click.echo("".join(map(_styled, line)) if is_colored else plain(line))
    answer = glimpse.answer(view.totals, _now())
    click.echo(textwrap.fill(answer, width) if width else answer)


def _styled(piece: glimpse.Piece) -> str:
    if piece.color == glimpse.DIM:
        return click.style(piece.text, dim=True)
    return click.style(piece.text, fg=piece.color) if piece.color else piece.text


def _document(view: View) -> dict[str, Any]:
    oldest = view.totals.oldest
    return {
        "pairs": [asdict(row) for row in view.rows],
        "totals": {
            "pairs": view.totals.pairs,
            **{state.lower(): view.totals.by_state.get(state, 0) for state in STATES},
            "objects": view.totals.objects,
            "oldest_proof": oldest.ended_at if oldest else None,
        },
        "all_there": glimpse.status_of(view.totals) == glimpse.PROVEN,
    }


def _now() -> datetime:
    return datetime.now(UTC)

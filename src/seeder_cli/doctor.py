"""`seeder doctor`: what stands in the way of seeding, and what to do about it."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import click

from seeder.errors import InvalidRequest
from seeder.request import parse_request
from seeder_cli.checks.aws import Aws
from seeder_cli.checks.finding import Finding, Outcome
from seeder_cli.checks.plan import Names, examine, examine_endpoint
from seeder_cli.errors import CommandError
from seeder_cli.place import Place, place_options
from seeder_cli.terminal import is_plain

_SIGNS: dict[Outcome, tuple[str, str, str]] = {
    "ok": ("✓", "+", "green"),
    "miss": ("✗", "x", "red"),
    "warning": ("!", "!", "yellow"),
    "unknown": ("?", "?", "cyan"),
}
_WORDS: dict[Outcome, str] = {"ok": "ok", "miss": "missed", "warning": "warned of", "unknown": "not seen"}


@click.command()
@click.argument("pair", nargs=-1, metavar="[SOURCE DESTINATION]")
@click.option("--prefix", default="", help="For the pair: only keys that begin with this.")
@click.option(
    "--bucket",
    default="",
    help="Look only at what the endpoint of this bucket can do; for S3-compatible servers.",
)
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(pair: tuple[str, ...], prefix: str, bucket: str, place: Place, as_json: bool) -> int:
    """Check the account and the deployment; with two buckets, all that seeding them needs.

    Changes nothing: the only writes are some bytes below doctor/ in the state bucket, to see that conditional writes
    are honoured, and they are removed again. Exits 0 when nothing is missed, 1 when something is.

    \b
    Example:
      seeder doctor my-bucket my-replica --prefix logs/
    """
    aws = Aws(place.session)
    if bucket:
        findings = examine_endpoint(aws, _alone(bucket, pair))
    else:
        findings = examine(aws, _names(pair, prefix, place.stack))
    if as_json:
        click.echo(json.dumps(document(findings)))
    else:
        click.echo("\n".join(lines(findings, is_plain())))
    return 1 if any(item.outcome == "miss" for item in findings) else 0


def _alone(bucket: str, pair: tuple[str, ...]) -> str:
    if pair:
        raise CommandError(
            f"--bucket '{bucket}' looks at one bucket's endpoint; leave out the pair, or --bucket"
        )
    return bucket


def _names(pair: tuple[str, ...], prefix: str, stack: str) -> Names:
    if not pair:
        if prefix:
            raise CommandError(f"--prefix '{prefix}' is of a pair; give SOURCE and DESTINATION too")
        return Names(stack)
    if len(pair) != 2:
        raise CommandError(f"'{' '.join(pair)}' is no pair of buckets; give SOURCE and DESTINATION, or none")
    try:
        request = parse_request({"source": pair[0], "destination": pair[1], "prefix": prefix})
    except InvalidRequest as error:
        raise CommandError(str(error)) from error
    return Names(stack, request.source, request.destination, request.prefix)


def document(findings: Iterable[Finding]) -> dict[str, object]:
    """Return all findings, and how many there are of each outcome, as JSON takes it."""
    found = list(findings)
    return {"checks": [asdict(item) for item in found], "summary": _counts(found)}


def _counts(findings: Iterable[Finding]) -> dict[Outcome, int]:
    counts = Counter(item.outcome for item in findings)
    return {outcome: counts[outcome] for outcome in _SIGNS}


def lines(findings: Iterable[Finding], plain: bool) -> Iterator[str]:
    """Yield the findings by group, what to do below each, and a summary."""
    found = list(findings)
    groups = dict.fromkeys(item.group for item in found)
    for group in groups:
        yield group
        yield from itertools.chain.from_iterable(_shown(item, plain) for item in found if item.group == group)
        yield ""
    yield ", ".join(f"{count} {_WORDS[outcome]}" for outcome, count in _counts(found).items())


def _shown(item: Finding, plain: bool) -> Iterator[str]:
    sign, ascii_sign, colour = _SIGNS[item.outcome]
    mark = ascii_sign if plain else click.style(sign, fg=colour)
    yield f"  {mark} {item.name}: {item.found}"
    if item.todo:
        yield f"    {'->' if plain else '→'} {item.todo}"

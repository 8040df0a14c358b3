"""`seeder failures`: what a run failed at, by code, and what to do about each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

import click

from seeder.errors import SeederError, aws_errors
from seeder.failed_rows import final_rows
from seeder.page.words import number
from seeder.record import Record
from seeder.report import Failure
from seeder.report_tally import NO_CODE, OTHER_CODES
from seeder_cli.errors import CommandError
from seeder_cli.glance import in_words
from seeder_cli.place import Place, place_options
from seeder_cli.portrait import again, field, pair_of
from seeder_cli.runs import RunRef, find_run
from seeder_cli.show import unrecorded
from seeder_cli.table import shown, terminal_width

PRINTED_AT_ONCE = 1000
_KINDS = {
    "retryable": "passes by itself",
    "permanent": "of the objects themselves",
    "person": "somebody must change something",
}


@click.command()
@click.argument("run")
@click.option("--keys", is_flag=True, help="Print each failed key, percent-encoded, one a line.")
@click.option("--code", metavar="CODE", default="", help="Only what failed with this code.")
@click.option(
    "--state-bucket", metavar="NAME", default="", help="Of runs made with --here; no stack is asked."
)
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --keys, a document a line.")
def failures(run: str, keys: bool, code: str, state_bucket: str, place: Place, as_json: bool) -> int:
    """Show what RUN failed at in the end: by error code, how often, an example, and what to do.

    RUN is as for `seeder show`. What failed and succeeded when it was tried again is not there. --keys prints keys as
    a manifest of S3 Batch Operations has them: spaces, line breaks and the like as %20, %0A; with --json, as they are.
    A key of which several versions failed comes once for each. Exits 0.

    \b
    Example:
      seeder failures my-bucket/my-replica --keys --code AccessDenied
    """
    ref = find_run(place, run, state_bucket)
    if keys:
        _print_keys(place, ref, code, as_json)
        return 0
    found = _found(place, ref)
    groups = [item for item in found["failures"] if code in ("", item.code)]
    _require_code(code, groups, found["failures"])
    if as_json:
        click.echo(
            json.dumps({**found, "failures": [item.model_dump() for item in groups]}, indent=2, default=str)
        )
        return 0
    for line in _told(found, groups, terminal_width(), *_next(ref)):
        click.echo(line)
    return 0


def _next(ref: RunRef) -> tuple[str, str]:
    """Return the commands that list all keys, and that seed again what failed."""
    has_stack = bool(ref.execution_arn)
    place = "" if has_stack else f" --state-bucket {ref.state_bucket}"
    retry = again(ref.record, ref.state_bucket, has_stack) if ref.record else f"seeder retry {ref.run_id}"
    return f"seeder failures {ref.run_id}{place} --keys", retry


def _found(place: Place, ref: RunRef) -> dict[str, Any]:
    """Return the failures of a run that has ended, or those that are final so far."""
    if record := ref.record:
        asked, counts, items = record.request, (record.succeeded, record.failed), record.failures
        pair, state = (record.source, record.destination), record.state
    else:
        document = unrecorded(place, ref)
        work, asked = document["stages"].get("work") or {}, document["request"]
        counts = int(work.get("succeeded", 0)), int(work.get("failed", 0))
        items = [Failure.model_validate(item) for item in work.get("failures", [])]
        pair, state = (asked.get("source", ""), asked.get("destination", "")), document["state"]
    return {
        "run_id": ref.run_id,
        "pair": pair_of(*pair, asked),
        "state": state,
        "cause": record.cause if record else "",
        "succeeded": counts[0],
        "failed": counts[1],
        "failures": items,
    }


def _told(
    found: dict[str, Any], groups: list[Failure], width: int | None, keys: str, retry: str
) -> Iterator[str]:
    so_far = "" if found["state"] in ("Complete", "Failed", "Skipped") else " so far"
    of = found["succeeded"] + found["failed"]
    yield f"{found['pair']}: {number(found['failed'])} of {number(of)} objects failed{so_far} ({found['run_id']})"
    for group in groups:
        yield ""
        yield f"{group.code}: {number(group.count)}, {_KINDS.get(group.kind, group.kind)}"
        # No round of this run is left to try it.
        advice = group.advice if so_far else group.advice.replace("the next round", "another run")
        for label, text in (
            ("  To do", advice),
            ("  Example", group.example_key),
            ("  Message", group.message),
        ):
            yield from field(label, [shown(text)] if text else [], width)
    yield ""
    if groups:
        yield f"All of them: {keys}"
        yield f"Once that is seen to: {retry}"
    elif found["state"] == "Failed":
        yield from field("Failed", [shown(found["cause"])], width)
    else:
        yield "Nothing failed."


def _print_keys(place: Place, ref: RunRef, code: str, as_json: bool) -> None:
    """Print the failed keys, and to standard error what is not certain of them."""
    record = ref.record or _refuse(ref)
    named = {item.code for item in record.failures}
    _require_code(code, [item for item in record.failures if item.code == code], record.failures)
    count = 0

    def lines() -> Iterator[str]:
        nonlocal count
        for row in final_rows(place.client("s3"), ref.state_bucket, record):
            count += 1
            if _is_of(code, row.code or NO_CODE, named):
                yield json.dumps(row.document) if as_json else row.encoded_key

    try:
        with aws_errors():
            found = lines()
            while some := list(islice(found, PRINTED_AT_ONCE)):
                click.echo("\n".join(some))
    except SeederError as error:
        raise CommandError(f"files of failures of '{ref.run_id}': {in_words(error)}", status=1) from error
    if doubt := _doubt(record, count):
        click.echo(f"seeder: {doubt}", err=True)


def _refuse(ref: RunRef) -> NoReturn:
    if ref.running:
        problem = "goes on: which keys fail in the end is known when it has ended; see: seeder attach"
    else:
        problem = "left no record of what it failed at; start it again with: seeder retry"
    raise CommandError(f"the run '{ref.run_id}' {problem} {ref.run_id}", status=1)


def _is_of(code: str, of: str, named: set[str]) -> bool:
    """Whether a code is the one asked for; the rarest are counted together, under no name of their own."""
    return of not in named if code == OTHER_CODES else code in ("", of)


def _require_code(code: str, found: list[Failure], groups: list[Failure]) -> None:
    """Raise CommandError for a code that is not there; it may be among those counted together."""
    names = list(dict.fromkeys(item.code for item in groups))
    if code and not found and OTHER_CODES not in names:
        told = f"there are: {', '.join(names)}" if names else "nothing failed"
        raise CommandError(f"--code {code}: nothing failed with this code; {told}")


def _doubt(record: Record, count: int) -> str:
    """Return in a sentence why the rows are not what the record counts; "" where they are."""
    if count == record.failed:
        return ""
    if not record.verification and count > record.failed:
        return (
            f"the run broke off ({record.error}): of these {number(count)} objects "
            f"{number(count - record.failed)} were to be tried again, and may have succeeded"
        )
    return f"the files hold {number(count)} failed objects, the run's record counts {number(record.failed)}"

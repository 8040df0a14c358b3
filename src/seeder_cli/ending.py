"""How a run ended, for its user: the lines that tell it, and the exit status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from seeder_cli.follow import Outcome

NextCommand = Callable[[str], str]
"""Given a command's name, such as "retry", gives how it is called for the run."""

PROVEN, FAILED, BAD_INPUT, NOT_PROVEN, DETACHED = 0, 1, 2, 3, 130
_PROOFS = frozenset({"equal", "extra"})
# Ended by a person, or never begun: what is there was not looked at.
_UNTRIED = frozenset({"Cancelled", "Interrupted", "PairBusy"})


def exit_status(record: Mapping[str, Any] | None) -> int:
    """Return what a run ended as, by its record, None where it left none.

    0: the replica is proven equal (or holds more). 1: objects failed, or the replica differs. 2: the request won't do.
    3: nothing was proven, for it was skipped, was cancelled, or ended before both buckets were compared.
    """
    if record is None or record["state"] == "Skipped":
        return NOT_PROVEN
    if record["state"] == "Complete":
        return PROVEN if record.get("replica") in _PROOFS else NOT_PROVEN
    if record.get("error") == "InvalidRequest":
        return BAD_INPUT
    if record.get("error") in _UNTRIED:
        return NOT_PROVEN
    return FAILED if record.get("failed") or record.get("failures") or record.get("replica") else NOT_PROVEN


def record_of(outcome: Outcome) -> dict[str, Any] | None:
    """Return the record of a run that was followed to its end; None where it left none."""
    record, claim = outcome.stages.get("record"), outcome.stages.get("claim") or {}
    if record:
        return dict(record)
    if outcome.status == "SUCCEEDED":
        return {"run_id": outcome.run_id, "state": "Skipped", "cause": claim.get("cause", "")}
    return None


def tell(record: Mapping[str, Any] | None, run_id: str, as_json: bool, next_command: NextCommand) -> int:
    """Print how a run ended; return the exit status. `record` is None where it left none."""
    if as_json:
        click.echo(json.dumps(record))
    elif record:
        click.echo("\n".join(lines(record)))
    for line in troubles(record, run_id, next_command):
        click.echo(f"seeder: {line}", err=True)
    return exit_status(record)


def lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a record tells of a run: its counts, the comparison, the cost."""
    if record["state"] == "Skipped":
        yield f"State: Skipped: {record.get('cause', '')}"
        return
    counts = f"Total: {record['total']}, Success: {record['succeeded']}, Failed: {record['failed']}"
    yield f"State: {record['state']}, {counts}"
    yield f"Replica: {_replica(record)}"
    if cost := _cost(record):
        yield f"Cost: {cost}, by list prices"


def troubles(record: Mapping[str, Any] | None, run_id: str, next_command: NextCommand) -> Iterator[str]:
    """Yield why a run did not end well, and the next command; nothing where it did."""
    if record is None:
        tidy_up, go_on = next_command("cancel"), next_command("retry")
        yield f"{run_id} was stopped and left no record; to tidy up after it: {tidy_up}, and to go on: {go_on}"
    elif record["state"] == "Failed":
        yield f"{record['error']}: {record['cause']}"
        if record.get("failures"):
            yield f"what failed: {next_command('failures')}"
        if exit_status(record) != BAD_INPUT:
            yield f"to seed what is lacking: {next_command('retry')}"


def _replica(record: Mapping[str, Any]) -> str:
    found, result = record.get("verification") or {}, record.get("replica")
    equal = found.get("equal", 0)
    if result == "equal":
        return f"equal ({equal} objects compared)"
    if result == "extra":
        return f"complete ({equal} objects equal), and it holds {found.get('extra', 0)} more"
    if result == "archived":
        return f"lacks {found.get('archived', 0)} archived objects ({equal} equal)"
    if result == "differs":
        told = ", ".join(f"{found.get(kind, 0)} {kind}" for kind in ("missing", "different", "extra"))
        return f"not equal: {told} ({equal} equal)"
    return "not compared"


def _cost(record: Mapping[str, Any]) -> str:
    actual, estimated = record.get("actual_usd"), record.get("estimated_usd")
    if actual:
        return f"{actual} USD" + (f" (estimated: {estimated} USD)" if estimated else "")
    return f"estimated {estimated} USD, actual not known" if estimated else ""

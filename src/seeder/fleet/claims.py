"""Which run has a pair of buckets: one run at a time seeds the same keys of a pair.

One registry for each pair, `metastore/claims/<digest>.json` in the state bucket. A run that ended without giving its
claim back, as one does that is stopped by hand, has no claim: whoever finds it asks whether that run still goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from seeder.endurance import wait_after
from seeder.errors import PairBusy
from seeder.fleet.registries import Shape, registry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.lake.registry import Registry
    from seeder.run import Run

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 60, 1800
WAIT_GROWTH = 4

Next = Literal["go", "wait", "skip"]


class Holder(NamedTuple):
    """A run that has keys of a pair: its execution, and the prefix of the keys."""

    run_id: str
    execution: str
    prefix: str


class _Holder(Shape):
    run_id: str
    execution: str
    prefix: str


class _Holders(Shape):
    holders: list[_Holder] = Field(default=[])


class Claim(BaseModel):
    """What a run that wants its pair does next. `held_by` is the run that has it, `waited_seconds` the waits so far."""

    model_config = ConfigDict(frozen=True)

    next: Next = "go"
    held_by: str = ""
    wait_seconds: int = 0
    waited_seconds: int = 0
    cause: str = ""


def take(s3: S3Client, run: Run, execution: str, before: Claim, is_running: Callable[[str], bool]) -> Claim:
    """Take the run's pair, or tell what to do instead, as the request's `overlap` says. Can be repeated.

    `is_running` tells of an execution's ARN whether it still runs. Raises PairBusy where another run has the pair and
    the request says "fail", and what `Registry.update` raises.
    """
    mine = Holder(run.run_id, execution, run.request.prefix)
    holder: Holder | None = None

    def swap(body: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal holder
        others = [item for item in _holders(body) if item.run_id != mine.run_id]
        running = [item for item in others if is_running(item.execution)]
        holder = next((item for item in running if _overlap(item.prefix, mine.prefix)), None)
        after = running if holder else [*running, mine]
        return None if after == _holders(body) else {"holders": [item._asdict() for item in after]}

    _claims(s3, run).update(swap)
    if holder is None:
        return Claim()
    if run.request.overlap == "wait":
        waited = before.waited_seconds + before.wait_seconds
        wait = wait_after(waited, WAIT_GROWTH, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)
        return Claim(next="wait", held_by=holder.run_id, wait_seconds=wait, waited_seconds=waited)
    told = f"the run '{holder.run_id}' is seeding '{run.destination.name}' from '{run.source.name}'"
    if run.request.overlap == "skip":
        return Claim(next="skip", held_by=holder.run_id, cause=f"{told}; nothing was done here")
    raise PairBusy(f"{told}; wait for its end, stop it, or start with overlap set to 'wait' or 'skip'")


def give_back(s3: S3Client, run: Run) -> None:
    """Give the run's pair back. Can be repeated. Raises what `Registry.update` raises."""

    def swap(body: dict[str, Any]) -> dict[str, Any] | None:
        before = _holders(body)
        after = [item for item in before if item.run_id != run.run_id]
        return None if after == before else {"holders": [item._asdict() for item in after]}

    _claims(s3, run).update(swap)


def key_of(source: str, destination: str) -> str:
    """Return where it stands, in the state bucket, who has a pair; without that object nobody has."""
    digest = hashlib.sha256(f"{source}\n{destination}".encode()).hexdigest()[:32]
    return f"metastore/claims/{digest}.json"


def _claims(s3: S3Client, run: Run) -> Registry:
    name = key_of(run.source.name, run.destination.name).removeprefix("metastore/").removesuffix(".json")
    return registry(s3, run.state_bucket, name, _Holders)


def _holders(body: dict[str, Any]) -> list[Holder]:
    return [Holder(**item) for item in body.get("holders", [])]


def _overlap(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)

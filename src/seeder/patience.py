"""How long to wait for a replica that is still being written: a plan of looks, by numbers alone.

A replication job's task has succeeded when the replication of its object has begun (S3 User Guide, "Replicating
existing objects with S3 Batch Replication"), so what is missing at the first look may still come.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 3600
LONGEST_IN_ALL_SECONDS = 24 * 3600
IDLE_LOOKS = 3
IDLE_SECONDS = 3600


class Patience(BaseModel):
    """What was waited so far: `looks` begun, and the seconds between them, without those that the looks took.

    `next_look_seconds` is the wait before the next look; 0: go on at once. `fewest_missing` was seen last by the look
    `progress_look`, after `progress_seconds`; None before the first look ended.
    """

    model_config = ConfigDict(frozen=True)

    looks: int = 0
    waited_seconds: int = 0
    next_look_seconds: int = 0
    fewest_missing: int | None = None
    progress_look: int = 0
    progress_seconds: int = 0


def begin_look(before: Patience) -> Patience:
    """Return what holds while the next look is taken, after the wait that was planned."""
    return Patience(
        looks=before.looks + 1,
        waited_seconds=before.waited_seconds + before.next_look_seconds,
        fewest_missing=before.fewest_missing,
        progress_look=before.progress_look,
        progress_seconds=before.progress_seconds,
    )


def end_look(during: Patience, missing: int) -> Patience:
    """Plan the next look by what this one found missing; a wait of 0 tells that it was the last.

    Waits double, from 30 s to an hour. The last look is the one that finds nothing missing, or that ends 3 looks and an
    hour in which nothing has come, or 24 h in all.
    """
    seen = during
    if during.fewest_missing is None or missing < during.fewest_missing:
        progress = {"progress_look": during.looks, "progress_seconds": during.waited_seconds}
        seen = during.model_copy(update={"fewest_missing": missing, **progress})
    left = LONGEST_IN_ALL_SECONDS - seen.waited_seconds
    is_last = not missing or left <= 0 or _is_idle(seen)
    wait = min(FIRST_WAIT_SECONDS << (seen.looks - 1), LONGEST_WAIT_SECONDS, left)
    return seen.model_copy(update={"next_look_seconds": 0 if is_last else wait})


def _is_idle(seen: Patience) -> bool:
    """Whether nothing has come for long enough."""
    looks, seconds = seen.looks - seen.progress_look, seen.waited_seconds - seen.progress_seconds
    return looks >= IDLE_LOOKS and seconds >= IDLE_SECONDS

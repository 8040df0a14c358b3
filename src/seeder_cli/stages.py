"""What a run is doing, in words, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from seeder_cli.history import Passage

LookAtJob = Callable[[dict[str, Any]], tuple[int, int]]
"""Given the run's job document, gives its tasks done and in all."""
ReadNote = Callable[[str, str], int | None]
"""Given a run's id and a state, gives about how many keys a walk has listed by now; None where nobody tells."""

_FILTERS = (
    "suffix",
    "created_after",
    "created_before",
    "size_at_least",
    "size_at_most",
    "storage_classes",
    "tags",
)
_WORDS = {
    "ResolveRequest": "Checking the request",
    "ClaimPair": "Taking the pair",
    "AwaitPair": "Waiting for another run of this pair",
    "EnsureRoles": "Making the roles",
    "LetRolesSettle": "Waiting for IAM to know the roles",
    "EnableReplication": "Checking the replication rule",
    "PaginateKeys": "Listing",
    "PlanJobs": "Planning the jobs",
    "PauseBeforeJob": "Waiting before the next job",
    "CreateJob": "Creating the job",
    "ParseReport": "Reading the report",
    "VerifyReplica": "Comparing both buckets",
    "AwaitReplica": "Waiting for S3 to replicate",
    "RecordRun": "Recording the run",
    "RecordFailure": "Recording the failure",
}
_OPERATIONS = {
    "copy": "Copying",
    "replicate": "Replicating",
    "large": "Copying in parts",
    "restore": "Restoring",
}
_LOOKED_AT = frozenset({"AwaitJob", "DescribeJob"})
# Between two states, or at the end, what was said last still holds.
_PASSING = frozenset(
    {
        "",
        "PairClaimed",
        "RolesReady",
        "AllKeysListed",
        "NextStep",
        "ReplicaVerified",
        "Notify",
        "Announce",
        "Outcome",
    }
)


class Doing(NamedTuple):
    """What goes on: `done` of `total`, each None where there is no such number; `about` marks an estimate."""

    what: str
    done: int | None = None
    total: int | None = None
    about: bool = False


def doing(passage: Passage, look: LookAtJob, read_note: ReadNote) -> Doing | None:
    """Return what a run does now; None where nothing is to be said."""
    if passage.state in _LOOKED_AT and passage.job:
        return _job(passage.job, look)
    if passage.state == "PaginateKeys":
        return _listing(passage, read_note)
    if passage.state == "VerifyReplica":
        return _comparing(passage, read_note)
    if passage.state in _PASSING:
        return None
    return Doing(_words(passage))


def _words(passage: Passage) -> str:
    """Return a state in words; one that is not known by its name."""
    work = passage.stages.get("work") or {}
    job = next((job for job in work.get("jobs", []) if not job["read"]), None)
    if passage.state == "PauseBeforeJob" and job:
        if job["settled"]:
            return "Waiting for S3 to know the job's role"
        return (
            f"Waiting before round {job['round']}"
            if job["round"]
            else "Waiting for other jobs of the account"
        )
    return _WORDS.get(passage.state, passage.state)


def _job(job: dict[str, Any], look: LookAtJob) -> Doing:
    what = _OPERATIONS[job["operation"]] + (f", round {job['round']}" if job["round"] else "")
    if job["status"] == "Suspended":
        return Doing(f"{what}: waits to be confirmed")
    done, total = look(job)
    return Doing(what, done, total or job["manifest"]["count"])


def _listing(passage: Passage, read_note: ReadNote) -> Doing:
    asked = passage.run.get("request") or {}
    what = "Reading the inventory" if asked.get("inventory") else "Listing"
    what = "Listing both buckets" if asked.get("resync") else what
    known = listed(passage.stages)
    note = read_note(passage.run["run_id"], "PaginateKeys") if passage.run else None
    if note is not None and note > known:
        return Doing(what, note, about=True)
    return Doing(what, known or None)


def _comparing(passage: Passage, read_note: ReadNote) -> Doing:
    found = passage.stages.get("verification") or {}
    known = 0 if found.get("ranges") is None else compared(found)
    note = read_note(passage.run["run_id"], "VerifyReplica") if passage.run else None
    total = expected(passage.stages)
    if note is not None and note > known:
        return Doing(_WORDS["VerifyReplica"], min(note, total) if total else note, total, about=True)
    return Doing(_WORDS["VerifyReplica"], known, total) if known else Doing(_WORDS["VerifyReplica"])


def listed(stages: dict[str, Any]) -> int:
    """Return how many keys the manifests account for so far: rows, and for a re-sync what was found equal too."""
    manifest = stages.get("manifest") or {}
    if manifest.get("compared"):
        return compared(manifest["compared"])
    files = [
        file for name in ("copy_files", "large_files", "archived_files") for file in manifest.get(name, [])
    ]
    return sum(file["count"] for file in files)


def compared(found: dict[str, Any]) -> int:
    """Return how many keys of the source a comparison has judged."""
    return sum(found.get(kind, 0) for kind in ("equal", "missing", "different", "archived"))


def expected(stages: dict[str, Any]) -> int | None:
    """Return how many keys the comparison will judge, where the listing tells; filters, and an inventory, do not."""
    asked = (stages.get("run") or {}).get("request") or {}
    if asked.get("inventory") or any(asked.get(name) for name in _FILTERS):
        return None
    return listed(stages) or None

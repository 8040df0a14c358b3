"""Whether a run is Complete: only if its jobs did all they had to and the replica is proven; else why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from seeder.manifest import Progress
    from seeder.run import Run
    from seeder.verify import Verification
    from seeder.work import Work

# What is gone from the source, or has other content there, can't be seeded any more; the comparison tells the rest.
GONE = frozenset(
    {"404", "NoSuchKey", "NoSuchVersion", "SrcKeyNotFound", "SrcObjectNotFound", "SrcVersionNotFound"}
)
MOST_KEY_CHARACTERS = 100
_RESTORE_HOURS = {"BULK": 48, "STANDARD": 12}


class Verdict(NamedTuple):
    """How a run is judged; `error` and `cause` are empty when it is Complete, `cause` a sentence else."""

    state: Literal["Complete", "Failed"]
    error: str = ""
    cause: str = ""


def judge(run: Run, manifest: Progress, work: Work, verification: Verification) -> Verdict:
    """Judge a run. It is Complete if the comparison found the replica equal, and no job left anything to explain.

    Objects that others removed from the source meanwhile are no failures if the comparison does not miss them.
    """
    archived = _archived(run, manifest, work, verification)
    failures, differences = _failures(work), _differences(verification)
    problems = [*failures, *work.problems, *archived, *differences]
    if not problems:
        return Verdict("Complete")
    if not (failures or archived or differences):
        # What is wrong with jobs alone leaves nobody anything to do.
        problems.append("the replica is equal all the same, and nothing is left to do")
    only_archived = problems == archived
    return Verdict("Failed", "ObjectsArchived" if only_archived else "SeedingFailed", "; ".join(problems))


def _failures(work: Work) -> list[str]:
    """Return what failed, by code, and the advice for the code that is most frequent."""
    if all(failure.code in GONE for failure in work.failures):
        return []
    groups = ", ".join(
        f"{failure.code} {failure.count} (for example {_shown(failure.example_key)})"
        for failure in work.failures
    )
    first = next(failure for failure in work.failures if failure.code not in GONE)
    # No round is left by now.
    advice = first.advice.replace("the next round", "another run")
    return [f"{work.failed} of {work.failed + work.succeeded} objects were not copied: {groups}. {advice}"]


def _shown(key: str) -> str:
    """Return a key for a sentence: without line breaks, and not so long that what follows is cut off."""
    return repr(key if len(key) <= MOST_KEY_CHARACTERS else f"{key[:MOST_KEY_CHARACTERS]} …")


def _archived(run: Run, manifest: Progress, work: Work, verification: Verification) -> list[str]:
    """Return what is to be said of archived objects that the replica lacks; it may have others from before."""
    count, file = verification.archived, manifest.archived_files[0]
    if not count:
        return []
    where = f" (s3://{file.bucket}/{file.key})" if file.count else ""
    told = f"{count} objects are archived and were not seeded{where}"
    if not run.request.restore:
        return [f"{told}; run again with restore: true to have them restored"]
    hours = _RESTORE_HOURS[run.request.restore_tier]
    return [f"{told}; the restoration of {work.restored} was started: run again in {hours} hours"]


def _differences(verification: Verification) -> list[str]:
    if verification.result in {"equal", "extra", "archived"}:
        return []
    if not verification.result:
        return ["the replica was not compared"]
    file = verification.differs
    where = f" (s3://{file.bucket}/{file.key})" if file.etag else ""
    return [
        f"the replica is not equal: {verification.missing} objects are missing there and {verification.different} "
        f"differ{where}; run again to seed them"
    ]

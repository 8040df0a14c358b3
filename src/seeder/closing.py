"""The end of a run, well or not: what is left of it given up, its record and page written, its pair given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seeder import bill, ledger, manifest, page_file, record, report, sink, verdict, verify
from seeder.errors import PairBusy
from seeder.fleet import claims, pairs
from seeder.large import ending
from seeder.manifest import Progress
from seeder.record import Record
from seeder.report import ReportProgress
from seeder.request import Request
from seeder.run import Run
from seeder.verify import Verification
from seeder.work import Work

if TYPE_CHECKING:
    from seeder.clients import Clients
    from seeder.settings import Settings


def complete(
    state: dict[str, Any], ended_at: str, stages: dict[str, float], clients: Clients, settings: Settings
) -> Record:
    """Judge a run that came to its end, and close it. Can be repeated; the first record stands.

    `state` is the execution's: the run, its manifest, work and verification. `stages` are seconds by state.
    Raises Conflict, NotYetVisible, ClientError, and what `Registry.update` raises.
    """
    run, made = Run.model_validate(state["run"]), Progress.model_validate(state["manifest"])
    work, proof = Work.model_validate(state["work"]), Verification.model_validate(state["verification"])
    s3 = clients.s3(clients.region)
    if made.large_count:
        ending.abandon(s3, run.state_bucket, clients, run.run_id, settings.copier)
    judged = record.of_run(
        run,
        made,
        work,
        proof,
        verdict.judge(run, made, work, proof),
        ended_at=ended_at,
        estimated=bill.foreseen(run, made, clients.region),
        actual=bill.actual(run, made, work, proof, clients.region),
        stages=stages,
    )
    judged = record.write(s3, run.state_bucket, judged)
    ledger.enter_run(s3, run.state_bucket, judged)
    return _close(run, run.state_bucket, judged, clients)


def fail(
    run_id: str,
    started_at: str,
    ended_at: str,
    state: dict[str, Any],
    clients: Clients,
    settings: Settings,
    stages: dict[str, float] | None = None,
) -> Record:
    """Close a run that ended in an error: `state` is the execution's, as far as it got, with the `error`.

    `stages` are seconds by state. Can be repeated; the first record stands. Raises as `complete`.
    """
    state = _trusted(run_id, state)
    s3 = clients.s3(clients.region)
    run = Run.model_validate(state["run"]) if state.get("run") else None
    listed = Progress.model_validate(state["manifest"]) if run and state.get("manifest") else None
    if run:
        _give_up(run, listed, state, clients, settings)
    failed = record.of_error(
        run_id,
        started_at,
        state["error"],
        state,
        ended_at,
        manifest=listed,
        estimated=bill.foreseen(run, listed, clients.region) if run and listed and listed.done else None,
        stages=stages,
    )
    failed = record.write(s3, settings.state_bucket, failed)
    ledger.enter_run(s3, settings.state_bucket, failed)
    return _close(run, settings.state_bucket, failed, clients)


def skip(run: Run, cause: str, clients: Clients) -> Record:
    """Close a run that did nothing, for another has its pair. Can be repeated; the first record stands.

    Raises as `record.write`.
    """
    skipped = record.write(clients.s3(clients.region), run.state_bucket, record.of_skip(run, cause))
    page_file.leave(clients.s3_once(clients.region), run.state_bucket, skipped)
    return skipped


def _close(run: Run | None, bucket: str, ended: Record, clients: Clients) -> Record:
    s3 = clients.s3(clients.region)
    # A run that never had the pair says nothing of it.
    if run and ended.error != PairBusy.__name__:
        pairs.enter(s3, bucket, run.request, ended)
    if run:
        _give_up_lost(run, clients)
        claims.give_back(s3, run)
    page_file.leave(clients.s3_once(clients.region), bucket, ended)
    return ended


def _give_up(
    run: Run, listed: Progress | None, state: dict[str, Any], clients: Clients, settings: Settings
) -> None:
    """Give up what a run has begun to write. Can be repeated."""
    s3 = clients.s3(clients.region)
    if listed:
        home = run.manifest_bucket
        manifest.abandon(clients.s3(home.region if home else clients.region), listed)
        if listed.large_count:
            ending.abandon(s3, run.state_bucket, clients, run.run_id, settings.copier)
    if told := (state.get("work") or {}).get("report"):
        report.abandon(s3, ReportProgress.model_validate(told))
    if state.get("verification"):
        verify.abandon(s3, Verification.model_validate(state["verification"]))


def _give_up_lost(run: Run, clients: Clients) -> None:
    """Give up what calls that died have begun in a bucket of the pair, where no lifecycle rule of the stack ends it."""
    home = run.manifest_bucket
    if home:
        sink.abandon_all(clients.s3(home.region), home.name, run.manifest_folder)


def _trusted(run_id: str, state: dict[str, Any]) -> dict[str, Any]:
    """What the states of this run have put there; of an input that was refused, no more than its request."""
    run = state.get("run")
    if isinstance(run, dict) and run.get("run_id") == run_id:
        return state
    return {name: value for name, value in state.items() if name in {*Request.model_fields, "error"}}

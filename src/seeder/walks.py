"""The two walks of a run, as its request asks for them: that which makes its manifests, and that which proves it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seeder import inventory, lacking, manifest
from seeder.clients import Clients
from seeder.endurance import next_turn
from seeder.listing.tagged import asking_for
from seeder.listing.wire import Wire
from seeder.manifest import Progress
from seeder.run import Run
from seeder.telling import KEYS_OF_A_CALL, address, telling
from seeder.verify import Verification, proven, verify

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def make_manifests(
    run: Run, before: Progress | None, clients: Clients, home: str, out_of_time: Callable[[], bool]
) -> Progress:
    """List the source, or both buckets, or read an inventory into the run's manifests, as far as the time goes.

    `before` is what the call before returned, None at first; `home` the region of the state bucket. A replication
    takes versions, of any size, and no archived ones, restored or not (S3 User Guide, "Replicating existing objects
    with Batch Replication").
    Raises InvalidRequest, Unordered, UnexpectedAnswer, Throttled, ServiceUnavailable, ClientError.
    """
    at, asked, source = run.manifest_bucket, run.request, run.source
    begun = before or Progress.fresh(at.name if at else run.state_bucket, run.manifest_folder, run.operation)
    begun = begun.model_copy(update={"turns": next_turn(begun.turns, source.name)})
    s3, reader = clients.s3(at.region if at else home), clients.s3(source.region)
    versions, chosen = run.operation == "replicate", asked.selection()
    chosen = replace(chosen, largest=None, restored=False) if versions else chosen
    with asking_for(reader, source.name, asked.tags, out_of_time) as tagged:
        given: dict[str, Any] = {"out_of_time": out_of_time, "tagged": tagged, "selection": chosen}
        given["prefix"] = asked.prefix
        if asked.inventory:
            return inventory.write(
                s3, begun, reader, asked.inventory, source.name, versions=versions, **given
            )
        with closing(_wire(run, reader, source.name)) as wire:
            given["out_of_time"] = telling(
                clients.s3(home),
                run.state_bucket,
                address(run.run_id, "PaginateKeys"),
                lambda: (begun.list_calls + wire.calls) * KEYS_OF_A_CALL,
                out_of_time,
            )
            if not asked.resync:
                return manifest.write(s3, begun, wire, source.name, **given)
            # What was written before a new rule was in force would else be neither replicated nor seeded.
            since = END_OF_TIME if asked.enable_replication else begun.up_to(run.started_at)
            with closing(_destination(run, clients)) as other:
                return lacking.write(s3, begun, wire, other, started_at=since, **_compared(run), **given)


def prove(
    run: Run,
    made: Progress,
    before: Verification | None,
    clients: Clients,
    home: str,
    out_of_time: Callable[[], bool],
) -> Verification:
    """Compare both buckets as far as the time goes, unless the walk of a re-sync that had nothing to seed did.

    `made` are the run's manifests; the others are as for `make_manifests`.
    Raises InvalidRequest, Unordered, UnexpectedAnswer, Throttled, ServiceUnavailable, ClientError.
    """
    begun = before or Verification.fresh(run.state_bucket, run.folder)
    if made.proof:
        return proven(begun, made.proof)
    begun = begun.model_copy(update={"turns": next_turn(begun.turns, run.source.name)})
    source, by_version = clients.s3(run.source.region), run.operation == "replicate"
    judged = 0 if begun.ranges is None else sum(begun.counts.values())
    with (
        closing(_wire(run, source, run.source.name)) as wire,
        closing(_destination(run, clients)) as other,
        asking_for(source, run.source.name, run.request.tags, out_of_time) as tagged,
    ):
        return verify(
            clients.s3(home),
            begun,
            wire,
            other,
            started_at=made.up_to(run.started_at),
            prefix=run.request.prefix,
            selection=replace(run.request.selection(), largest=None, restored=not by_version),
            waits=by_version,
            out_of_time=telling(
                clients.s3(home),
                run.state_bucket,
                address(run.run_id, "VerifyReplica"),
                lambda: judged + wire.calls * KEYS_OF_A_CALL,
                out_of_time,
            ),
            tagged=tagged,
            **_compared(run),
        )


def _wire(run: Run, s3: S3Client, bucket: str) -> Wire:
    return Wire(s3, bucket, "ListObjectVersions" if run.operation == "replicate" else "ListObjectsV2")


def _destination(run: Run, clients: Clients) -> Wire:
    return _wire(run, clients.s3(run.destination.region), run.destination.name)


def _compared(run: Run) -> dict[str, Any]:
    """Return how both buckets are compared, by either walk."""
    return {
        "source_name": run.source.name,
        "etags": not (run.source.key or run.destination.key),
        "own": f"seeder/{run.folder}",
    }

"""The manifests of a re-sync: both buckets are walked together, and only what the destination needs has rows.

A walk that finds nothing to seed is itself the proof that the replica is equal.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from seeder.judge import Compared, Judge, Judged, rows
from seeder.listing.any_order import Position
from seeder.listing.ranges import Range
from seeder.listing.selection import Selection
from seeder.listing.tagged import Tagged
from seeder.listing.two_sided import TwoSidedWalk
from seeder.listing.wire import Wire
from seeder.manifest import LIMITS, WORKERS, Limits, Progress, Rows, complete, finished, room_of, settled

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def write(
    s3: S3Client,
    progress: Progress,
    source: Wire,
    destination: Wire,
    *,
    source_name: str,
    started_at: datetime,
    prefix: str = "",
    selection: Selection | None = None,
    tagged: Tagged | None = None,
    etags: bool = True,
    own: str = "",
    workers: int = WORKERS,
    out_of_time: Callable[[], bool] = lambda: False,
    limits: Limits = LIMITS,
) -> Progress:
    """Compare two buckets into a run's manifests until all is compared, or time is out.

    `s3` writes the manifests: rows of what the destination lacks or holds differently, of the bucket `source_name`, as
    `manifest.write` would write them. What others wrote since `started_at` has none. `compared` and `census` of the
    progress tell what was found and what has rows; nothing is made where nothing is needed. The other arguments are as
    for `verify.verify`. A call that died, or is repeated, changes nothing: what is needed stands in the finished
    manifests exactly once.
    Raises Unordered where a server lists in another order than S3, UnexpectedAnswer, Throttled, ServiceUnavailable,
    ClientError.
    """
    made = finished(s3, progress)
    if made is not None:
        return made
    chosen, before = selection or Selection(), progress.compared or Compared()
    census = progress.census.model_copy(deep=True)
    with closing(Rows(s3, progress, limits)) as taken:

        def need(judged: list[Judged]) -> None:
            entries = [one.entry for one in judged]
            census.add_entries(entries)
            places = [
                chosen.place(entry.size, "" if chosen.restored and entry.restored else entry.storage_class)
                for entry in entries
            ]
            for number in set(places):
                here = (entry for entry, place in zip(entries, places, strict=True) if place == number)
                taken.write(number, *rows(source_name, here))

        judge = Judge(before, need, started_at, chosen, etags, own, tagged)
        begun = None if progress.ranges is None else [Range(start, end) for start, _, end in progress.ranges]
        room = room_of(progress)
        walk = TwoSidedWalk(
            source, destination, judge.take, begun, prefix, workers, out_of_time, room, judge.wanted
        )
        position = Position([item.position for item in walk.run()])
        after = taken.settle(position)
    after = after.model_copy(
        update={
            "compared": Compared.model_validate({**judge.counts, "examples": judge.examples}),
            "census": settled(census, position.is_end),
            "list_calls": progress.list_calls + source.calls,
            "destination_list_calls": progress.destination_list_calls + destination.calls,
            "tag_calls": progress.tag_calls + (tagged.calls if tagged else 0),
        }
    )
    return complete(s3, after) if position.is_end else after

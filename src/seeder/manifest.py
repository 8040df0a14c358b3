"""The manifests of a run: what a walk lists, written as rows, in as many calls as it takes.

Rows follow the S3 User Guide, "Create an S3 Batch Operations job" (keys URL-encoded, no header, no quotes). Objects
that a copy can't take, and archived ones, go to manifests of their own in the same pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder import sink
from seeder.errors import UnexpectedAnswer, code_of
from seeder.judge import Compared
from seeder.listing.any_order import Position, list_all
from seeder.listing.counting import IN_A_RECORD, WHILE_LISTED, Census
from seeder.listing.page import Page
from seeder.listing.selection import Selection
from seeder.listing.tagged import Tagged, having_tags
from seeder.listing.tokens import Chain
from seeder.listing.wire import Wire
from seeder.series import Series
from seeder.sink import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WORKERS = 16
# The whole state of a walk must fit the state of an execution beside all else (256 KiB).
MOST_STATE_BYTES = 56 * 1024
LEAST_POSITION_BYTES = 8 * 1024


class Limits(NamedTuple):
    """How many rows a job takes, by manifest: those of a copy, of a replication and of LambdaInvoke, and a restore's.

    S3 User Guide, "Performing object operations in bulk with Batch Operations".
    """

    copy: int = 20_000_000_000
    large: int = 20_000_000_000
    archived: int = 4_000_000_000


LIMITS = Limits()


class Progress(BaseModel):
    """How far the manifests are; all that the next call needs to go on.

    Each manifest is one file, or several where it exceeds what a job takes. `ranges` are those left (start, version,
    end), or the one position in an inventory; None before the first call. `chains` are left instead where the
    source's order is not S3's. `census` counts what was listed, or stands in an inventory, and is to be seeded, `count`
    is that of the operation's own rows, `inventory_created` the inventory's own creationTimestamp. `compared` is what a
    re-sync found, None otherwise; `tag_calls` how many objects were asked for their tags, `turns` how many
    calls it took.
    """

    model_config = ConfigDict(frozen=True)

    copy_files: tuple[Upload, ...]
    large_files: tuple[Upload, ...]
    archived_files: tuple[Upload, ...]
    ranges: list[tuple[str, str, str]] | None = None
    chains: list[Chain] | None = None
    count: int = 0
    list_calls: int = 0
    destination_list_calls: int = 0
    tag_calls: int = 0
    turns: int = 0
    census: Census = Census()
    inventory_created: str = ""
    compared: Compared | None = None
    done: bool = False

    @classmethod
    def fresh(cls, bucket: str, folder: str, operation: str) -> Progress:
        """Return the progress of manifests not begun, to stand at `<folder>manifests/<operation>.csv` and beside."""
        copy, large, archived = (
            (Upload(bucket=bucket, key=f"{folder}manifests/{name}.csv"),)
            for name in (operation, "large", "archived")
        )
        return cls(copy_files=copy, large_files=large, archived_files=archived)

    def up_to(self, started_at: str) -> datetime:
        """Return the time up to which what was written is in the manifests, or would be: the run's start, or before it
        where an inventory was read."""
        if self.inventory_created:
            return datetime.fromtimestamp(int(self.inventory_created) / 1000, UTC)
        return datetime.fromisoformat(started_at)

    @property
    def proof(self) -> Compared | None:
        """What a re-sync found that has nothing to seed, which proves the replica; None for any other run."""
        found = self.compared
        return found if self.done and found and not (found.missing or found.different) else None

    @property
    def manifests(self) -> tuple[tuple[Upload, ...], ...]:
        """The files of each manifest, in the order of `Selection.place`."""
        return self.copy_files, self.large_files, self.archived_files

    @property
    def files(self) -> list[Upload]:
        """All files."""
        return [file for files in self.manifests for file in files]

    @property
    def large_count(self) -> int:
        """The rows of objects too large for a copy."""
        return sum(file.count for file in self.large_files)

    @property
    def archived_count(self) -> int:
        """The rows of archived objects."""
        return sum(file.count for file in self.archived_files)

    def with_manifests(self, manifests: Sequence[tuple[Upload, ...]], **more: Any) -> Progress:
        """Return this progress with other files, in the order of `manifests`."""
        names = ("copy_files", "large_files", "archived_files")
        return self.model_copy(update={**dict(zip(names, manifests, strict=True)), **more})


class Rows:
    """Takes the rows of a run's manifests, from where its progress stands."""

    def __init__(self, s3: S3Client, progress: Progress, limits: Limits) -> None:
        self._s3 = s3
        self._progress = progress
        self._limits = limits
        self._series = self._begin(progress)

    def _begin(self, progress: Progress) -> list[Series]:
        pairs = zip(progress.manifests, self._limits, strict=True)
        return [Series(self._s3, files, limit) for files, limit in pairs]

    def write(self, place: int, rows: bytes, count: int) -> None:
        """Take rows of the manifest that `Selection.place` numbers so. Raises what an upload raised."""
        self._series[place].write(rows, count)

    def restart(self) -> None:
        """Begin all files afresh, as if nothing had been written.

        What was uploaded is left to a lifecycle rule: a call that is repeated may still go on with it.
        """
        self.close()
        afresh = [(Upload(bucket=files[0].bucket, key=files[0].key),) for files in self._progress.manifests]
        self._series = self._begin(self._progress.with_manifests(afresh))

    def settle(self, position: Position) -> Progress:
        """Pause where anything is left, else finish; return what the next call, or `complete`, needs.

        Raises what an upload raised.
        """
        made = [one.finish() if position.is_end else one.pause() for one in self._series]
        left = {"ranges": position.ranges, "chains": position.chains}
        return self._progress.with_manifests(made, **left, count=sum(file.count for file in made[0]))

    def close(self) -> None:
        """End the threads, whatever they were doing."""
        for one in self._series:
            one.close()


def write(
    s3: S3Client,
    progress: Progress,
    wire: Wire,
    source: str,
    prefix: str = "",
    selection: Selection | None = None,
    workers: int = WORKERS,
    out_of_time: Callable[[], bool] = lambda: False,
    limits: Limits = LIMITS,
    tagged: Tagged | None = None,
) -> Progress:
    """List a bucket into its manifests until all is listed, or time is out.

    `s3` writes the manifests, `wire` lists the bucket `source`: its objects, or all versions but delete markers
    (rows `bucket,key,version`). With `tagged` only those are taken that have the tags when they are listed. Nothing is
    created for an empty bucket. A call that died, or is repeated, changes nothing: every key, or version, stands in
    the finished manifests exactly once, whatever the server's order.
    Raises UnexpectedAnswer, Throttled, ServiceUnavailable, ClientError.
    """
    made = finished(s3, progress)
    if made is not None:
        return made
    chosen = selection or Selection()
    census = progress.census.model_copy(deep=True)
    with closing(Rows(s3, progress, limits)) as taken:

        def restart() -> None:
            nonlocal census
            census = Census()
            taken.restart()

        def accept(page: Page, stop: int) -> None:
            choice = chosen.choose(page, stop)
            if tagged:
                choice = having_tags(tagged, page, stop, choice)
            census.add(page, stop, choice)
            taken.write(0, *page.rows(source, stop, choice.copy))
            for place, indices in ((1, choice.large), (2, choice.archived)):
                if indices:
                    taken.write(place, *page.rows(source, stop, indices))

        begun = Position(progress.ranges, progress.chains)
        room = room_of(progress)
        position = list_all(wire, accept, restart, begun, prefix, workers, out_of_time, room)
        after = taken.settle(position)
    counts = {
        "list_calls": progress.list_calls + wire.calls,
        "tag_calls": progress.tag_calls + (tagged.calls if tagged else 0),
    }
    after = after.model_copy(update={**counts, "census": settled(census, position.is_end)})
    return complete(s3, after) if position.is_end else after


def abandon(s3: S3Client, progress: Progress) -> None:
    """Give up unfinished manifests. Can be repeated."""
    for file in progress.files:
        sink.abandon(s3, file)


def complete(s3: S3Client, progress: Progress) -> Progress:
    """Note what settled manifests will be, then make them: whoever dies in between is finished by `finished`.

    Raises UnexpectedAnswer, ClientError.
    """
    if not any(file.parts for file in progress.files):
        return progress.model_copy(update={"done": True})
    bucket, note = _note(progress)
    sink.note(s3, bucket, note, progress.model_dump_json().encode())
    made = finished(s3, progress)
    if made is None:
        raise UnexpectedAnswer(f"s3://{bucket}/{note} was written but is not there")
    return made


def finished(s3: S3Client, progress: Progress) -> Progress | None:
    """Return the finished manifests if their note exists, completing whichever is not made yet.

    Raises UnexpectedAnswer, ClientError.
    """
    bucket, note = _note(progress)
    try:
        body = s3.get_object(Bucket=bucket, Key=note)["Body"].read()
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise
    noted = Progress.model_validate(json.loads(body))
    made = [tuple(sink.complete(s3, file) for file in files) for files in noted.manifests]
    return noted.with_manifests(made, done=True)


def _note(progress: Progress) -> tuple[str, str]:
    first = progress.copy_files[0]
    return first.bucket, first.key.removesuffix(".csv") + ".json"


def settled(census: Census, is_end: bool) -> Census:
    """Return a census as small as the next call, or the record, needs it."""
    return census.kept(IN_A_RECORD if is_end else WHILE_LISTED)


def room_of(progress: Progress) -> int:
    """Return how many bytes the position of a walk may take beside all else that a progress may hold after it."""
    census = progress.census.model_copy(update={"prefixes": {}})
    bare = progress.model_copy(update={"ranges": None, "chains": None, "census": census})
    held = len(json.dumps(bare.model_dump())) + WHILE_LISTED.bytes
    return max(MOST_STATE_BYTES - held, LEAST_POSITION_BYTES)

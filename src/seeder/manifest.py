"""The manifests of a run: what a walk lists, written as rows, in as many calls as it takes.

Rows follow the S3 User Guide, "Create an S3 Batch Operations job" (keys URL-encoded, no header, no quotes). Objects
that a copy can't take, and archived ones, go to manifests of their own in the same pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder import sink
from seeder.errors import UnexpectedAnswer, code_of
from seeder.listing.page import Page
from seeder.listing.ranges import Range
from seeder.listing.selection import Selection
from seeder.listing.walk import Walk
from seeder.listing.wire import Wire
from seeder.sink import Sink, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WORKERS = 16
# The whole state of a walk must fit the state of an execution beside all else (256 KiB).
MOST_RANGE_BYTES = 48 * 1024


class Progress(BaseModel):
    """How far the manifests are; all that the next call needs to go on.

    `ranges` are those left (start, version, end), or the one position in an inventory; None before the first call.
    `count` is that of the rows to copy, `inventory_created` the inventory's own creationTimestamp.
    """

    model_config = ConfigDict(frozen=True)

    copy_file: Upload
    large_file: Upload
    archived_file: Upload
    ranges: list[tuple[str, str, str]] | None = None
    count: int = 0
    list_calls: int = 0
    inventory_created: str = ""
    done: bool = False

    @classmethod
    def fresh(cls, bucket: str, folder: str, operation: str) -> Progress:
        """Return the progress of manifests not begun, to stand at `<folder>manifests/<operation>.csv` and beside."""
        names = (operation, "large", "archived")
        files = [Upload(bucket=bucket, key=f"{folder}manifests/{name}.csv") for name in names]
        return cls(copy_file=files[0], large_file=files[1], archived_file=files[2])

    @property
    def files(self) -> list[Upload]:
        """The three files."""
        return [self.copy_file, self.large_file, self.archived_file]


def write(
    s3: S3Client,
    progress: Progress,
    wire: Wire,
    source: str,
    prefix: str = "",
    selection: Selection | None = None,
    workers: int = WORKERS,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Progress:
    """List a bucket into its manifests until all is listed, or time is out.

    `s3` writes the manifests, `wire` lists the bucket `source`. Nothing is created for an empty bucket. A call that
    died, or is repeated, changes nothing: every key stands in the finished manifests exactly once.
    Raises UnexpectedAnswer, Unordered, Throttled, ClientError.
    """
    made = finished(s3, progress)
    if made is not None:
        return made
    chosen = selection or Selection()
    with ExitStack() as stack:
        copy, large, archived = (stack.enter_context(closing(Sink(s3, file))) for file in progress.files)

        def accept(page: Page, stop: int) -> None:
            choice = chosen.choose(page, stop)
            copy.write(*page.rows(source, stop, choice.copy))
            for file, indices in ((large, choice.large), (archived, choice.archived)):
                if indices:
                    file.write(*page.rows(source, stop, indices))

        ranges = (
            None
            if progress.ranges is None
            else [Range(a, end, version) for a, version, end in progress.ranges]
        )
        walk = Walk(wire, accept, ranges, prefix, workers, out_of_time, MOST_RANGE_BYTES)
        left = walk.run()
        after = settle(progress, [copy, large, archived], [item.position for item in left])
    after = after.model_copy(update={"list_calls": progress.list_calls + wire.calls})
    return after if left else complete(s3, after)


def settle(progress: Progress, sinks: Sequence[Sink], left: list[tuple[str, str, str]]) -> Progress:
    """Pause the sinks where anything is left, else finish them; return what the next call, or `complete`, needs.

    Raises what an upload raised.
    """
    files = [sink.pause() if left else sink.finish() for sink in sinks]
    update = {"copy_file": files[0], "large_file": files[1], "archived_file": files[2]}
    return progress.model_copy(update={**update, "ranges": left, "count": files[0].count})


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
    try:
        s3.put_object(Bucket=bucket, Key=note, Body=progress.model_dump_json().encode(), IfNoneMatch="*")
    except ClientError as error:
        if code_of(error) not in sink.TAKEN:
            raise
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
    made = [sink.complete(s3, file) for file in noted.files]
    update = {"copy_file": made[0], "large_file": made[1], "archived_file": made[2], "done": True}
    return noted.model_copy(update=update)


def _note(progress: Progress) -> tuple[str, str]:
    return progress.copy_file.bucket, progress.copy_file.key.removesuffix(".csv") + ".json"

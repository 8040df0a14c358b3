"""The proof of a run: source and destination compared, in as many calls as it takes, and again while it may change.

What is missing or different becomes a manifest like any other; what others wrote while the run went on, and what is
archived, which no run attempts, are counted apart.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from seeder import sink
from seeder.errors import UnexpectedAnswer, code_of
from seeder.judge import Compared, Judge, Judged, rows
from seeder.listing.ranges import Range
from seeder.listing.selection import Selection
from seeder.listing.tagged import Tagged
from seeder.listing.two_sided import TwoSidedWalk
from seeder.listing.wire import Wire
from seeder.patience import Patience, begin_look, end_look
from seeder.sink import Sink, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WORKERS = 16
# The state of a verification must fit the state of an execution beside all else (256 KiB); examples take the rest.
MOST_RANGE_BYTES = 48 * 1024

Result = Literal["", "equal", "extra", "archived", "differs"]


class Verification(Patience, Compared):
    """How far a verification is, and what it has found; all that the next call needs to go on.

    `differs` is the manifest of what is missing or different. `ranges` (start, end) are left of the look under way;
    None between two looks. `result` is empty until `done`. `list_calls` and `tag_calls` are the requests of all looks,
    `turns` the calls that they took.
    """

    ranges: list[tuple[str, str]] | None = None
    differs: Upload
    list_calls: int = 0
    tag_calls: int = 0
    turns: int = 0
    done: bool = False
    result: Result = ""

    @classmethod
    def fresh(cls, bucket: str, folder: str) -> Verification:
        """Return a verification not begun, whose files are to stand in `<folder>verification/`."""
        return cls(differs=_file(bucket, f"{folder}verification", 1))

    @property
    def folder(self) -> str:
        """Where its files stand, without a slash at the end."""
        return self.differs.key.rpartition("/")[0]


def verify(
    s3_state: S3Client,
    before: Verification,
    source: Wire,
    destination: Wire,
    *,
    source_name: str,
    started_at: datetime,
    prefix: str = "",
    selection: Selection | None = None,
    waits: bool = False,
    etags: bool = True,
    own: str = "",
    out_of_time: Callable[[], bool] = lambda: False,
    workers: int = WORKERS,
    tagged: Tagged | None = None,
) -> Verification:
    """Compare two buckets until all is compared, or time is out; return what was found so far.

    `s3_state` writes the manifest of what differs, with rows of the bucket `source_name`. Wires of ListObjectVersions
    compare versions by id, delete markers left out. `selection` and `tagged` filter the source; where they do, nothing
    in the destination is extra. `started_at` is when the run began, with its zone. With `waits` a look that finds
    objects missing is followed by another, `next_look_seconds` later. Keys that begin with `own` are the run's own,
    written since it began. `etags` is as for `same`. A call that died, or is repeated, changes nothing; nothing is
    made where nothing differs.
    Raises Unordered, UnexpectedAnswer, Throttled, ServiceUnavailable, ClientError.
    """
    if before.done:
        return before
    made = finished(s3_state, before)
    if made is not None:
        return made
    chosen, look = selection or Selection(), _look(before)
    calls = source.calls + destination.calls
    with closing(Sink(s3_state, look.differs)) as file:

        def need(judged: list[Judged]) -> None:
            file.write(*rows(source_name, (entry for kind, entry in judged if kind != "archived")))

        judge = Judge(look, need, started_at, chosen, etags, own, tagged)
        ranges = None if look.ranges is None else [Range(*position) for position in look.ranges]
        walk = TwoSidedWalk(
            source,
            destination,
            judge.take,
            ranges,
            prefix,
            workers,
            out_of_time,
            MOST_RANGE_BYTES,
            judge.wanted,
        )
        left = walk.run()
        list_calls = look.list_calls + source.calls + destination.calls - calls
        tag_calls = look.tag_calls + (tagged.calls if tagged else 0)
        told = {"examples": judge.examples, "list_calls": list_calls, "tag_calls": tag_calls}
        counted = {**judge.counts, **told}
        found = look.model_copy(update=counted)
        if left:
            positions = [(item.start, item.end) for item in left]
            return found.model_copy(update={"ranges": positions, "differs": file.pause()})
        found = _planned(found) if waits else found
        if found.next_look_seconds:
            # The parts of a file that is not wanted any more are left to a lifecycle rule: a call may be repeated.
            return found.model_copy(update={"ranges": None})
        return complete(s3_state, found.model_copy(update={"ranges": [], "differs": file.finish()}))


def proven(before: Verification, proof: Compared) -> Verification:
    """Return the verification of a run that had nothing to seed: what the walk found that showed it, not made again."""
    return before.model_copy(
        update={**proof.counts, "examples": proof.examples, "done": True, "result": _result(proof)}
    )


def complete(s3_state: S3Client, found: Verification) -> Verification:
    """Note the result of a last look, then make its manifest: whoever dies in between is finished by `finished`.

    Raises UnexpectedAnswer, ClientError.
    """
    done = found.model_copy(update={"done": True, "result": _result(found)})
    if not done.differs.parts:
        return done
    bucket, note = done.differs.bucket, _note(done)
    sink.note(s3_state, bucket, note, done.model_dump_json().encode())
    made = finished(s3_state, done)
    if made is None:
        raise UnexpectedAnswer(f"s3://{bucket}/{note} was written but is not there")
    return made


def finished(s3_state: S3Client, verification: Verification) -> Verification | None:
    """Return the finished verification if its note exists, completing its manifest if that is not made yet.

    Raises UnexpectedAnswer, ClientError.
    """
    try:
        answer = s3_state.get_object(Bucket=verification.differs.bucket, Key=_note(verification))
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise
    noted = Verification.model_validate_json(answer["Body"].read())
    return noted.model_copy(update={"differs": sink.complete(s3_state, noted.differs)})


def abandon(s3_state: S3Client, verification: Verification) -> None:
    """Give up an unfinished manifest. Can be repeated."""
    sink.abandon(s3_state, verification.differs)


def _look(before: Verification) -> Verification:
    """Return the look that is under way, or one that begins: its counts at nothing, its file a new one."""
    if before.ranges is not None:
        return before
    patience = begin_look(before)
    file = _file(before.differs.bucket, before.folder, patience.looks)
    fresh = Verification(**patience.model_dump(), differs=file)
    return fresh.model_copy(
        update={name: getattr(before, name) for name in ("list_calls", "tag_calls", "turns")}
    )


def _planned(found: Verification) -> Verification:
    planned = end_look(found, found.missing)
    return found.model_copy(update={name: getattr(planned, name) for name in Patience.model_fields})


def _file(bucket: str, folder: str, look: int) -> Upload:
    return Upload(bucket=bucket, key=f"{folder}/differs-{look}.csv")


def _note(verification: Verification) -> str:
    return f"{verification.folder}/verification.json"


def _result(found: Compared) -> Result:
    """Name what was found; objects archived in the source, and not in the replica, are told before extra ones."""
    if found.missing or found.different:
        return "differs"
    if found.archived:
        return "archived"
    return "extra" if found.extra else "equal"

"""What a run will use of what costs money, from what there is to seed.

Each assumption is a constant here, on the dear side where it is not known; `ASSUMED` tells the user the main ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from seeder import prices
from seeder.listing.counting import Tally

Operation = Literal["copy", "replicate"]

KEYS_PER_LIST = 1000
# A parallel walk makes up to 5 pages in 100 more than it needs (docs/performance.md).
LIST_PERCENT = 105
# Unconfirmed: whether a copy or replicate task is also charged a GET of its source; on the dear side.
GETS_PER_OBJECT = 1
# A large object's parts keep the size they were uploaded with; 8 MiB is the AWS CLI's (multipart_chunksize).
PART_BYTES = 8 * 1024**2
MOST_PARTS = 10_000
# CreateMultipartUpload; GetObjectAttributes and GetObjectTagging. Its completion counts as its one write.
PUTS_PER_LARGE, GETS_PER_LARGE = 1, 2
LARGE_BYTES_PER_SECOND = 500_000_000
# Rows of a manifest and of its report, and the parts they are written in.
ROW_BYTES, SINK_PART_BYTES = 250, 5 * 1024**2
PUTS_PER_RUN = 20
# The application's functions: memory, and objects a second when listing, comparing, reading a report, asking for tags.
MEMORY_MB, SMALL_MEMORY_MB = 1769, 512
LISTED_PER_SECOND, COMPARED_PER_SECOND, REPORTED_PER_SECOND = 100_000, 50_000, 500_000
TAGGED_PER_SECOND = 1000
CALL_SECONDS = 840
SMALL_CALLS, SMALL_CALL_SECONDS = 12, 2
LOOKS = 30
TRANSITIONS_PER_RUN, TRANSITIONS_PER_LOOK, TRANSITIONS_PER_CALL = 20, 3, 2
RESTORE_TIER = "BULK"

ASSUMED = (
    "each copied or replicated object is also read with one GET",
    "objects over 5 GiB are copied in parts of 8 MiB, at most 10,000 of them",
    "the destination holds as many objects as the source when both are compared at the end",
    "the application runs in the source's region",
)


class Usage(BaseModel):
    """The counts that cost money. Usages can be added.

    `copy_requests` (PUT, COPY) by the destination's storage class; `get_requests` and `retrieved_bytes` by the
    source's; `restore_requests` and `restore_bytes` by "CLASS/TIER". `list_calls` are those of the source;
    `tag_requests` ask for one object's tags each. `part_copies` are the requests that multipart copies take beyond
    that, `put_requests` the application's own. `bytes_known` is False where `bytes_between_regions` lacks objects
    whose size is not known.
    """

    model_config = ConfigDict(frozen=True)

    list_calls: int = 0
    destination_list_calls: int = 0
    tag_requests: int = 0
    jobs: int = 0
    tasks: int = 0
    copy_requests: dict[str, int] = {}
    get_requests: dict[str, int] = {}
    retrieved_bytes: dict[str, int] = {}
    part_copies: int = 0
    put_requests: int = 0
    restore_requests: dict[str, int] = {}
    restore_bytes: dict[str, int] = {}
    bytes_between_regions: int = 0
    bytes_known: bool = True
    lambda_requests: int = 0
    lambda_gb_seconds: int = 0
    state_transitions: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage.model_validate(
            {name: _plus(getattr(self, name), getattr(other, name)) for name in Usage.model_fields}
        )


def _plus(one: object, other: object) -> object:
    if isinstance(one, bool):
        return one and other
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: one.get(key, 0) + other.get(key, 0) for key in sorted({*one, *other})}
    assert isinstance(one, int) and isinstance(other, int)  # noqa: S101, PT018
    return one + other


def expected(
    operation: Operation,
    objects: int,
    size: int | None,
    *,
    source_region: str,
    destination_region: str,
    large: int = 0,
    large_bytes: int = 0,
    classes: Mapping[str, Tally] | None = None,
    archived: Mapping[str, Tally] | None = None,
    restore_tier: str = "",
    list_calls: int | None = None,
    destination_list_calls: int = 0,
    tag_requests: int = 0,
    looked_at: int = 0,
    verify: bool = True,
    looks: int = LOOKS,
) -> Usage:
    """Return what a run will use to seed `objects` (or versions) of `size` bytes in all, None where that is not known.

    `large` objects over 5 GiB are among them, and `classes` divides them by storage class (default: all STANDARD).
    `archived` objects, by storage class, are restored if a tier is given, else left alone. `list_calls`,
    `destination_list_calls` (of a re-sync) and `tag_requests` are those made already, for `looked_at` objects where
    those are more than are seeded; `verify`: both buckets are compared at the end; `looks`: how often the job is
    looked at.
    """
    divided = classes if classes is not None else {"STANDARD": Tally(objects, size or 0)}
    asleep = archived if archived is not None and restore_tier else {}
    listed = max(objects, looked_at)
    asked = _asked_for_tags(objects, tag_requests, verify)
    usage = (
        _copied(operation, divided, large, large_bytes)
        + _restored(asleep, restore_tier)
        + _listed(listed, list_calls, destination_list_calls, verify)
        + asked
        + _own_work(objects, listed, asked.tag_requests, verify, looks)
        + _copied_in_parts(large, large_bytes if operation == "copy" else 0)
    )
    if source_region == destination_region:
        return usage
    return usage + Usage(bytes_between_regions=size or 0, bytes_known=size is not None)


def _copied(operation: Operation, classes: Mapping[str, Tally], large: int, large_bytes: int) -> Usage:
    """Return the jobs, their tasks and the requests behind them.

    A copy is written as STANDARD (API reference, CopyObject: x-amz-storage-class), a replica in the source's class (S3
    User Guide, "What does Amazon S3 replicate?"). A large object is copied by a job of its own; replication takes it as
    any other.
    """
    objects = sum(tally.objects for tally in classes.values())
    if not objects:
        return Usage()
    parts = min(-(-large_bytes // PART_BYTES) + large, MOST_PARTS * large)
    written = {name: tally.objects for name, tally in classes.items()}
    read = {name: tally.objects * GETS_PER_OBJECT for name, tally in classes.items()}
    read["STANDARD"] = read.get("STANDARD", 0) + GETS_PER_LARGE * large
    return Usage(
        jobs=2 if operation == "copy" and 0 < large < objects else 1,
        tasks=objects,
        copy_requests=written if operation == "replicate" else {"STANDARD": objects},
        get_requests=read,
        retrieved_bytes={
            name: tally.bytes
            for name, tally in classes.items()
            if prices.price_of("", f"retrieval {name}").usd
        },
        part_copies=parts + PUTS_PER_LARGE * large,
    )


def _restored(archived: Mapping[str, Tally], tier: str) -> Usage:
    """Return one job that asks for each archived object; it is seeded by a later run."""
    objects = sum(tally.objects for tally in archived.values())
    return Usage(
        jobs=1 if objects else 0,
        tasks=objects,
        restore_requests={f"{name}/{tier}": tally.objects for name, tally in archived.items()},
        restore_bytes={f"{name}/{tier}": tally.bytes for name, tally in archived.items()},
    )


def _listed(listed: int, list_calls: int | None, destination_list_calls: int, verify: bool) -> Usage:
    once = max(-(-listed * LIST_PERCENT // (100 * KEYS_PER_LIST)), 1)
    # What filters leave out is listed all the same.
    again = max(once, list_calls or 0) if verify else 0
    return Usage(
        list_calls=(once if list_calls is None else list_calls) + again,
        destination_list_calls=destination_list_calls + (max(again, destination_list_calls) if verify else 0),
    )


def _asked_for_tags(objects: int, tag_requests: int, verify: bool) -> Usage:
    """Return the requests for tags: those made, and those of a comparison, of what the destination lacks still.

    That is what was found to lack the tags, if the destination has none of it.
    """
    return Usage(tag_requests=tag_requests + (max(tag_requests - objects, 0) if verify else 0))


def _own_work(objects: int, listed: int, asked: int, verify: bool, looks: int) -> Usage:
    """Return what the application itself uses: functions, transitions, manifests and reports."""
    work = [(listed, LISTED_PER_SECOND), (objects, REPORTED_PER_SECOND)]
    work += [(listed, COMPARED_PER_SECOND)] if verify else []
    work += [(asked, TAGGED_PER_SECOND)] if asked else []
    seconds = [-(-count // pace) for count, pace in work]
    calls = sum(max(-(-taken // CALL_SECONDS), 1) for taken in seconds)
    small = SMALL_CALLS + looks
    megabytes = MEMORY_MB * sum(seconds) + SMALL_MEMORY_MB * SMALL_CALL_SECONDS * small
    return Usage(
        put_requests=PUTS_PER_RUN + 2 * (objects * ROW_BYTES // SINK_PART_BYTES),
        lambda_requests=calls + small,
        lambda_gb_seconds=-(-megabytes // 1024),
        state_transitions=TRANSITIONS_PER_RUN + TRANSITIONS_PER_LOOK * looks + TRANSITIONS_PER_CALL * calls,
    )


def _copied_in_parts(large: int, large_bytes: int) -> Usage:
    """Return what the function that copies large objects uses."""
    if not large_bytes:
        return Usage()
    seconds = -(-large_bytes // LARGE_BYTES_PER_SECOND) + large
    return Usage(lambda_requests=large, lambda_gb_seconds=-(-MEMORY_MB * seconds // 1024))

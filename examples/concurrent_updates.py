"""Many writers update one registry at once, with no lock: none is lost, and readers see whole revisions.

python examples/concurrent_updates.py BUCKET
"""
# ruff: noqa: T201 - what an example does it says

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3

from seeder.lake import Lake, verify

WRITERS, FILES = 8, 5


def main(s3: Any, bucket: str) -> int:
    """Add files from many threads, by one registry; return how many it has then."""
    # With group=True one thread writes what all the others have waiting.
    with Lake(s3, bucket, group=True) as lake:

        def write(writer: int) -> None:
            for number in range(FILES):
                body = f"id\n{writer}-{number}\n".encode()
                lake.add_file("clicks", {"writer": str(writer)}, f"{number}.csv", body, records=1)

        before = lake.read().revision
        with ThreadPoolExecutor(WRITERS) as writers:
            list(writers.map(write, range(WRITERS)))
        clicks = lake.datasets()["clicks"]
        print(f"{clicks.files} files, {clicks.records} records, updated {clicks.updated_at}")
        first = lake.changes(since=before)[0]
        print(f"first came {first.entry.key} in revision {first.revision}")
        print(f"in the revision after it: {len(lake.read(revision=first.revision + 1).entries)} files")
        print(f"what does not agree: {verify(lake)}")
        return clicks.files


if __name__ == "__main__":
    main(boto3.client("s3"), sys.argv[1])

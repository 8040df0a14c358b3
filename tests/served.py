"""The servers on which the rules of a listing are proven: one in memory, and those that boto3 can reach."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, cast

from botocore.exceptions import ClientError

from seeder.listing.wire import Wire
from tests.listed import ListedBucket
from tests.listing_rules import History

_HANDS = 8
_numbers = count(1)


def refuse(numbers: Collection[int]) -> Callable[[int], None]:
    """Return what raises for the nth requests that 503, as boto3 does when it has no retries left."""

    def fault(number: int) -> None:
        if number in numbers:
            answer: Any = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
            raise ClientError(answer, "ListObjects")

    return fault


class Memory:
    """Buckets in memory, in the order of S3 or by folders."""

    def __init__(self, is_ordered: bool = True, examples: int = 150) -> None:
        self.is_ordered = is_ordered
        self.examples = examples

    def holds(self, keys: Collection[str], flat: bool = False) -> set[str]:
        return set(keys)

    def objects(self, sizes: dict[str, int], page: int, faults: Collection[int]) -> Wire:
        return self._bucket(list(sizes), "ListObjectsV2", page, faults, sizes)

    def versions(
        self, history: History, page: int, faults: Collection[int]
    ) -> tuple[Wire, set[tuple[str, str]]]:
        entries = [
            (
                key,
                "null"
                if number == 0 and event == "before"
                else f"{'gone' if event == 'delete' else 'v'}{number}",
            )
            for key, events in history.items()
            for number, event in enumerate(events)
        ]
        return self._bucket(entries, "ListObjectVersions", page, faults, {}), set(entries)

    def _bucket(
        self, entries: Any, operation: str, page: int, faults: Collection[int], sizes: dict[str, int]
    ) -> Wire:
        order: dict[str, Any] = {} if self.is_ordered else {"order": by_folders, "is_aws": False}
        return cast(
            "Wire", ListedBucket(entries, operation, page, sizes=sizes, fault=refuse(faults), **order)
        )


def by_folders(key: str) -> list[bytes]:
    """The order of a file system: the keys of a folder stand together."""
    return [part.encode() for part in key.split("/")]


class SmallPages(Wire):
    """A wire that asks for small pages, through boto3 alone, and refuses its nth requests."""

    def __init__(self, s3: Any, bucket: str, operation: str, page: int, faults: Collection[int]) -> None:
        super().__init__(s3, bucket, operation)
        self._keys = page
        self._fault = refuse(faults)
        self._asked = count(1)

    def fetch(self, **parameters: Any) -> bytes:
        self._fault(next(self._asked))
        body = super().fetch(**{"MaxKeys": self._keys, **parameters})
        self.route = None
        return body


class Served:
    """Buckets of a server that boto3 reaches, a new one for each key set."""

    def __init__(
        self,
        s3: Any,
        examples: int,
        most_keys: int,
        is_ordered: bool = True,
        can_hold: Callable[[str], bool] = lambda key: True,
    ) -> None:
        self.is_ordered = is_ordered
        self.examples = examples
        self._s3 = s3
        self._most_keys = most_keys
        self._can_hold = can_hold

    def holds(self, keys: Collection[str], flat: bool = False) -> set[str]:
        held = sorted(
            key for key in keys if self._can_hold(key) and (self.is_ordered or not (flat and "/" in key))
        )
        if not self.is_ordered:
            # A folder's name is no key.
            held = [key for key in held if not any(other.startswith(f"{key}/") for other in held)]
        return set(held[:: -(-len(held) // self._most_keys) or 1])

    def objects(self, sizes: dict[str, int], page: int, faults: Collection[int]) -> Wire:
        bucket = self._bucket()
        self._put_all(bucket, sizes)
        return self._wire(bucket, "ListObjectsV2", page, faults)

    def versions(
        self, history: History, page: int, faults: Collection[int]
    ) -> tuple[Wire, set[tuple[str, str]]]:
        bucket = self._bucket()
        before = [key for key, events in history.items() if events[0] == "before"]
        self._put_all(bucket, dict.fromkeys(before, 0))
        self._s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        expected = {(key, "null") for key in before}

        def write(key: str) -> None:
            for event in history[key][history[key][0] == "before" :]:
                call = self._s3.delete_object if event == "delete" else self._s3.put_object
                expected.add((key, call(Bucket=bucket, Key=key)["VersionId"]))

        with ThreadPoolExecutor(_HANDS) as pool:
            list(pool.map(write, history))
        return self._wire(bucket, "ListObjectVersions", page, faults), expected

    def _bucket(self) -> str:
        name = f"rules-{next(_numbers)}"
        self._s3.create_bucket(Bucket=name)
        return name

    def _put_all(self, bucket: str, sizes: dict[str, int]) -> None:
        def put(key: str) -> None:
            self._s3.put_object(Bucket=bucket, Key=key, Body=b"x" * sizes[key])

        with ThreadPoolExecutor(_HANDS) as pool:
            list(pool.map(put, sizes))

    def _wire(self, bucket: str, operation: str, page: int, faults: Collection[int]) -> Wire:
        return SmallPages(self._s3, bucket, operation, page, faults)

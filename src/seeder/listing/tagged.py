"""Which objects have certain tags, which no listing shows: one request to S3 for each, many of them at once.

Contract: API reference, GetObjectTagging (s3:GetObjectTagging, with a version id s3:GetObjectVersionTagging).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from seeder.errors import code_of
from seeder.listing.exchange import Ask, Exchange
from seeder.listing.page import Page, parse_xml
from seeder.listing.patient import fetch_patiently
from seeder.listing.selection import Chosen
from seeder.listing.walk import Untaken
from seeder.listing.wire import Wire

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IN_FLIGHT = 64
# What was deleted, or is a delete marker by now.
_GONE = frozenset({"404", "MethodNotAllowed", "NoSuchKey", "NoSuchVersion"})

Name = tuple[str, str]


class Tagged:
    """Tells which objects of a bucket have all of some `tags` at the moment they are asked for.

    `is_out_of_time` is looked at while answers come, once a first lot was answered: no call goes without any.
    """

    def __init__(
        self,
        s3: S3Client,
        bucket: str,
        tags: Mapping[str, str],
        is_out_of_time: Callable[[], bool] = lambda: False,
        in_flight: int = IN_FLIGHT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wire = Wire(s3, bucket, "GetObjectTagging")
        self._exchange = Exchange(self._fetch)
        self._tags = tags.items()
        self._is_out_of_time = is_out_of_time
        self._in_flight = in_flight
        self._sleep = sleep
        self._is_stopped = self._knows_route = self._has_answered = False

    @property
    def calls(self) -> int:
        """How many requests were answered with tags."""
        return self._wire.calls

    def having(self, names: Sequence[Name]) -> list[int]:
        """Return the indices of those objects (key, version id or empty) that have the tags, in order.

        What is not there any more has none. Calls must be serialised.
        Raises Untaken where time is out, UnexpectedAnswer, Throttled, ServiceUnavailable, ClientError.
        """
        waiting, flying, found = deque(enumerate(names)), 0, []
        while waiting or flying:
            if self._has_answered and self._is_out_of_time():
                raise Untaken(f"time was out while {len(waiting) + flying} objects' tags were not known")
            # The first answer tells the route that all others take.
            while waiting and flying < (self._in_flight if self._knows_route else 1):
                index, (key, version) = waiting.popleft()
                asked = {"Key": key} | ({"VersionId": version} if version else {})
                self._exchange.ask(Ask(self._wire, asked, index))
                flying += 1
            for ask, answer in self._exchange.answers():
                flying, self._knows_route = flying - 1, True
                if self._has_all(answer):
                    found.append(ask.asker)
        self._has_answered = True
        return sorted(found)

    def close(self) -> None:
        """Close all connections, and leave the client as it was."""
        self._is_stopped = True
        self._exchange.close()
        self._wire.close()

    def _fetch(self, ask: Ask) -> bytes:
        return fetch_patiently(ask.wire, ask.parameters, lambda: self._is_stopped, self._sleep)

    def _has_all(self, answer: bytes | BaseException) -> bool:
        if isinstance(answer, bytes):
            return self._tags <= _tags(answer).items()
        if isinstance(answer, ClientError) and code_of(answer) in _GONE:
            return False
        raise answer


@contextmanager
def asking_for(
    s3: S3Client, bucket: str, tags: Mapping[str, str], is_out_of_time: Callable[[], bool] = lambda: False
) -> Iterator[Tagged | None]:
    """Give what tells which objects have these tags; None where none is asked for."""
    if not tags:
        yield None
        return
    with closing(Tagged(s3, bucket, tags, is_out_of_time)) as tagged:
        yield tagged


def having_tags(tagged: Tagged, page: Page, stop: int, choice: Chosen) -> Chosen:
    """Return what of a choice has the tags. Raises Untaken where time is out, and what asking raises."""
    copy = list(range(stop)) if choice.copy is None else choice.copy
    asked = [
        index
        for index in (*copy, *choice.large, *choice.archived)
        if not (page.markers and page.markers[index])
    ]
    versions = [version.decode() for version in page.versions] or [""] * stop
    having = {asked[at] for at in tagged.having([(page.decode(index), versions[index]) for index in asked])}
    return Chosen(*([index for index in indices if index in having] for indices in (copy, *choice[1:])))


def _tags(body: bytes) -> dict[str, str]:
    """Return the tags in the answer of GetObjectTagging."""
    found = {}
    for tag in parse_xml(body).iter():
        if tag.tag.rpartition("}")[2] == "Tag":
            parts = {part.tag.rpartition("}")[2]: part.text or "" for part in tag}
            found[parts.get("Key", "")] = parts.get("Value", "")
    return found

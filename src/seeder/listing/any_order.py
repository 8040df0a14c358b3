"""A bucket listed whatever the order of its server, in as many calls as it takes.

Ranges first; where the server's order is not that of UTF-8 bytes, all begins afresh by continuation tokens, split by
folders; where there are more folders than can be remembered, afresh in one chain.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import Page
from seeder.listing.ranges import Range
from seeder.listing.tokens import FOLDER, Chain, TokenWalk, TooManyFolders
from seeder.listing.walk import Unordered, Walk
from seeder.listing.wire import Wire

# What XML writers put in the place of a character that XML can't hold.
_REPLACED = "\ufffd".encode()


class Position(NamedTuple):
    """What a listing has left: ranges (start, version, end), or chains of pages; neither is known before it began."""

    ranges: list[tuple[str, str, str]] | None = None
    chains: list[Chain] | None = None

    @property
    def is_end(self) -> bool:
        """Whether nothing is left."""
        return self != START and not self.ranges and not self.chains


START = Position()


def list_all(
    wire: Wire,
    accept: Callable[[Page, int], None],
    restart: Callable[[], None],
    position: Position = START,
    prefix: str = "",
    workers: int = 16,
    out_of_time: Callable[[], bool] = lambda: False,
    most_bytes: int = 1024 * 1024,
    page_keys: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Position:
    """List the keys with a prefix until all are listed, or time is out; return the position reached.

    `accept` and `out_of_time` are as for `Walk`; `most_bytes` bounds the position in JSON; `page_keys` is how many keys
    to ask for at once, where not S3's 1,000. `restart` is called when
    all begins afresh: what was accepted, in this call and before, must be forgotten.
    Raises UnexpectedAnswer, Throttled, ServiceUnavailable, ClientError.
    """
    take = _only_whole_keys(accept)
    while True:
        try:
            if position.chains is not None:
                chains = position.chains
                by_tokens = TokenWalk(wire, take, chains, workers, out_of_time, most_bytes, page_keys, sleep)
                return Position([], by_tokens.run())
            ranges = position.ranges
            begun = None if ranges is None else [Range(start, end, version) for start, version, end in ranges]
            walk = Walk(wire, take, begun, prefix, workers, out_of_time, most_bytes, sleep)
            if page_keys:
                walk.parameters["MaxKeys"] = page_keys
            return Position([item.position for item in walk.run()])
        except Unordered:
            position = Position([], [Chain(prefix, FOLDER)])
        except TooManyFolders:
            position = Position([], [Chain(prefix)])
        restart()


def _only_whole_keys(accept: Callable[[Page, int], None]) -> Callable[[Page, int], None]:
    """Refuse pages of servers that do not encode keys as asked, where a character of a key may be replaced."""

    def take(page: Page, stop: int) -> None:
        if not page.encoded and _REPLACED in page.body:
            raise UnexpectedAnswer("a key that the server does not encode may hold what XML can't hold")
        accept(page, stop)

    return take

"""The walk over a server whose order is not that of UTF-8 bytes: by continuation tokens, split by folders.

Slower than ranges, but right whatever the order: directory buckets, and some servers that speak S3.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element

from seeder.errors import SeederError, ServiceUnavailable, Throttled, UnexpectedAnswer
from seeder.listing.page import Page, parse_xml, understood
from seeder.listing.patient import fetch_patiently
from seeder.listing.walk import Untaken
from seeder.listing.wire import Wire

FOLDER = "/"
# What is kept free for a chain that is being followed: its token may be as long as a key, and longer.
TOKEN_BYTES = 2048


class TooManyFolders(SeederError):
    """The folders found so far don't fit the state of a walk; list in one chain instead."""


class Chain(NamedTuple):
    """A chain of pages not listed to its end: of all keys with a prefix, or of those that no folder holds.

    `delimiter` is `/` for the latter, else empty; `token` and `version` are where to go on, as the server said last.
    """

    prefix: str = ""
    delimiter: str = ""
    token: str = ""
    version: str = ""

    @property
    def bytes(self) -> int:
        """How large the chain is in JSON."""
        return len(json.dumps(self)) + 2


@dataclass
class TokenWalk:
    """One walk over the keys of some chains, by many workers.

    `accept` is as for `Walk`. What a page lists is handed over and its chain moved under one lock, so that at any
    moment the chains left are just the keys not handed over yet, in at most about `most_bytes` of JSON.
    """

    wire: Wire
    accept: Callable[[Page, int], None]
    chains: Sequence[Chain]
    workers: int = 16
    out_of_time: Callable[[], bool] = lambda: False
    most_bytes: int = 1024 * 1024
    page_keys: int | None = None
    sleep: Callable[[float], None] = time.sleep
    _active: dict[int, Chain] = field(default_factory=dict, init=False)
    _changed: Condition = field(default_factory=Condition, init=False)
    _stopped: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._waiting = list(self.chains)
        self._workers = max(1, min(self.workers, self.most_bytes // 2 // TOKEN_BYTES))
        self._most_waiting = self.most_bytes - self._workers * TOKEN_BYTES

    def run(self) -> list[Chain]:
        """Walk until all is listed, or time is out; return the chains left.

        Raises TooManyFolders, UnexpectedAnswer, Throttled, ServiceUnavailable, ClientError.
        """
        with ThreadPoolExecutor(self._workers, "chain") as pool:
            try:
                for done in [pool.submit(self._work, number) for number in range(self._workers)]:
                    done.result()
            except BaseException:
                self._stop()
                raise
        return self._waiting + list(self._active.values())

    def _work(self, number: int) -> None:
        try:
            while self._take(number):
                while self._page(number):
                    pass
        except Untaken:
            self._stop()
        except BaseException as error:
            # Once the walk has stopped, a page that was refused is simply left.
            if self._stop() and isinstance(error, Throttled | ServiceUnavailable):
                return
            raise

    def _stop(self) -> bool:
        """End the walk; return whether it had ended already."""
        with self._changed:
            before, self._stopped = self._stopped, True
            self._changed.notify_all()
            return before

    def _take(self, number: int) -> bool:
        """Make a waiting chain this worker's, one that was begun before others; False when the walk ends."""
        with self._changed:
            while not self._stopped:
                if self.out_of_time():
                    self._stopped = True
                elif self._waiting:
                    chosen = max(
                        range(len(self._waiting)), key=lambda index: bool(self._waiting[index].token)
                    )
                    self._active[number] = self._waiting.pop(chosen)
                    return True
                elif self._active:
                    self._changed.wait()
                else:
                    break
            self._changed.notify_all()
            return False

    def _page(self, number: int) -> bool:
        """List one page of a worker's chain; return whether the chain goes on."""
        chain = self._active[number]
        page, folders = self._fetch(chain)
        following = chain._replace(
            token=page.next.get("ContinuationToken") or page.next.get("KeyMarker", ""),
            version=page.next.get("VersionIdMarker", ""),
        )
        if page.truncated and following in {chain, chain._replace(token="", version="")}:
            raise UnexpectedAnswer("the listing is said to go on, but gets no further")
        with self._changed:
            self.accept(page, len(page.keys))
            self._remember(folders)
            if page.truncated:
                self._active[number] = following
            else:
                del self._active[number]
            self._changed.notify_all()
            self._stopped = self._stopped or self.out_of_time()
            return page.truncated and not self._stopped

    def _remember(self, folders: list[str]) -> None:
        self._waiting += [Chain(folder) for folder in folders]
        if folders and sum(chain.bytes for chain in self._waiting) > self._most_waiting:
            raise TooManyFolders(f"{len(self._waiting)} folders are too many to remember")

    def _fetch(self, chain: Chain) -> tuple[Page, list[str]]:
        """Return a chain's next page, and the folders it names.

        Some servers encode a space as `+` in one part of a key and leave a plus in another; there raw keys tell.
        """
        asked = _parameters(chain, self.wire.operation) | (
            {"MaxKeys": self.page_keys} if self.page_keys else {}
        )
        page, names = self._names({"EncodingType": "url", **asked}, chain)
        if page.encoded and (any(b"+" in key for key in page.keys) or any("+" in name for name in names)):
            page, names = self._names(asked, chain)
        with understood():
            return page, [unquote_plus(name, errors="strict") if page.encoded else name for name in names]

    def _names(self, asked: dict[str, Any], chain: Chain) -> tuple[Page, list[str]]:
        body = self._body(asked)
        return Page(body, self.wire.operation), _common_prefixes(body) if chain.delimiter else []

    def _body(self, asked: dict[str, Any]) -> bytes:
        return fetch_patiently(self.wire, asked, lambda: self._stopped, self.sleep)


def _parameters(chain: Chain, operation: str) -> dict[str, Any]:
    token = "ContinuationToken" if operation == "ListObjectsV2" else "KeyMarker"
    asked = {
        "Prefix": chain.prefix,
        "Delimiter": chain.delimiter,
        token: chain.token,
        "VersionIdMarker": chain.version,
    }
    return {name: value for name, value in asked.items() if value}


def _common_prefixes(body: bytes) -> list[str]:
    """The common prefixes of a page as they stand in its XML, which is parsed: none may be missed."""
    groups = [group for group in parse_xml(body) if _local(group) == "CommonPrefixes"]
    return [child.text or "" for group in groups for child in group if _local(child) == "Prefix"]


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]

"""The walk over a server whose order is not that of UTF-8 bytes: by continuation tokens, split by folders.

Slower than ranges, but right whatever the order: directory buckets, and some servers that speak S3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import Page, decode_key
from seeder.listing.wire import Wire

_FOLDER = re.compile(rb"<CommonPrefixes>.*?<Prefix>([^<]*)</Prefix>.*?</CommonPrefixes>", re.DOTALL)


def walk_by_tokens(
    wire: Wire, accept: Callable[[Page, int], None], prefix: str = "", workers: int = 16
) -> None:
    """List all keys with a prefix; `accept` as for `Walk`. Raises UnexpectedAnswer, ClientError."""
    lock = Lock()

    def take(page: Page) -> None:
        with lock:
            accept(page, len(page.keys))

    folders: list[str] = []
    for page in _chain(wire, {"Prefix": prefix, "Delimiter": "/"}):
        take(page)
        folders += [decode_key(name, page.encoded) for name in _FOLDER.findall(page.body)]

    def walk_folder(folder: str) -> None:
        for page in _chain(wire, {"Prefix": folder}):
            take(page)

    with ThreadPoolExecutor(workers, "folder") as pool:
        for done in [pool.submit(walk_folder, folder) for folder in folders]:
            done.result()


def _chain(wire: Wire, parameters: dict[str, Any]) -> Any:
    """Yield one chain of pages. Keys are asked for as they are: servers of this kind encode unevenly."""
    following: dict[str, Any] = {}
    while True:
        page = Page(wire.fetch(**parameters, **following), wire.operation)
        yield page
        if not page.truncated:
            return
        if not page.next or page.next == following:
            raise UnexpectedAnswer("the listing is said to go on, but gets no further")
        following = page.next

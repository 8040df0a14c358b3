"""One writer at a time for each key: moto checks and writes in two steps, S3 in one.

Two threads that ask for the ETag of a new object also read one file in turns, and so compute a wrong one. And moto
closes an object's file when another takes its place, though a reader that found the object before may be about to read.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeKey

if TYPE_CHECKING:
    from localcloud.patching import Patches

_LOCKS = tuple(threading.RLock() for _ in range(256))


def writing(bucket: str, key: str) -> threading.RLock:
    """Return the lock to hold (`with`) while a key's versions are read and changed; keys may share one."""
    return _LOCKS[hash((bucket, key)) % len(_LOCKS)]


def install(patches: Patches) -> None:
    """Let one thread at a time compute an ETag, and every reader read on, until the patches are undone."""

    def etag(key: Any) -> Any:
        if key._etag is not None:
            return original.fget(key)
        with key.lock:
            return original.fget(key)

    def dispose(key: Any, garbage: bool = False) -> None:
        if garbage:
            close(key)
            return
        key.disposed = True
        if key.multipart:
            key.multipart.dispose()

    original = patches.replace(FakeKey, "etag", property(etag))
    close = patches.replace(FakeKey, "dispose", dispose)

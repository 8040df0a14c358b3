"""One writer at a time for each key: moto checks and writes in two steps, S3 in one."""

from __future__ import annotations

import threading

_LOCKS = tuple(threading.RLock() for _ in range(256))


def writing(bucket: str, key: str) -> threading.RLock:
    """Return the lock to hold (`with`) while a key's versions are read and changed; keys may share one."""
    return _LOCKS[hash((bucket, key)) % len(_LOCKS)]

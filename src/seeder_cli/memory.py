"""Keeps the process small."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8  # malloc.h of glibc


def share_heap() -> None:
    """Let all threads take memory from one heap.

    glibc gives threads heaps of their own, each of which keeps what its largest pages once took: with 64 workers that
    is more than all else. Elsewhere nothing is done.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)

"""The keys of a bucket in order, sorted once and again only after a key has come or gone.

moto sorts all keys for every page of a listing, and copies every version, content included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.utils import _VersionedKeyStore

if TYPE_CHECKING:
    from localcloud.patching import Patches


def install(patches: Patches) -> None:
    """Notice keys that come and go until the patches are undone."""
    for name in ("__setitem__", "setlist", "pop"):
        _notice(patches, name)


def _notice(patches: Patches, name: str) -> None:
    def noticed(store: Any, key: str, *args: Any) -> Any:
        known = key in store
        answer = original(store, key, *args)
        if (key in store) != known:
            store.generation = object()
        return answer

    original = patches.replace(_VersionedKeyStore, name, noticed)


def sorted_keys(store: Any) -> list[str]:
    """Return the keys of moto's key store in the order of S3, which is that of their UTF-8 bytes.

    Python compares strings by code point, which is the same order. Callers must not change the list.
    """
    generation = getattr(store, "generation", None)
    known, keys = getattr(store, "sorted_keys", (generation, None))
    if keys is None or known is not generation:
        keys = sorted(store)
        store.sorted_keys = (generation, keys)
    found: list[str] = keys
    return found

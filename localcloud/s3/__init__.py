"""S3 where moto differs from what AWS documents: each gap closed in a module of its own.

`docs/differences.md` lists what is closed, and what a real S3 server does differently still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.clock import ScaledClock
from localcloud.s3 import (
    conditions,
    copies,
    deletes,
    errors,
    index,
    listing,
    locks,
    multipart,
    parts,
    payment,
    restore,
    sparse,
    suspension,
)

if TYPE_CHECKING:
    from localcloud.clock import Clock
    from localcloud.patching import Patches

_GAPS = (
    errors,
    locks,
    index,
    listing,
    suspension,
    deletes,
    copies,
    multipart,
    sparse,
    parts,
    conditions,
    payment,
)


def install(patches: Patches, clock: Clock | None = None) -> None:
    """Close the gaps until the patches are undone. To be called before other services patch S3.

    `clock` is what restores of archived objects wait on; without one they take real time.
    """
    restore.install(patches, clock or ScaledClock())
    for gap in _GAPS:
        gap.install(patches)

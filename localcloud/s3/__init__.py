"""S3 where moto differs from what AWS documents: each gap closed in a module of its own.

`docs/differences.md` lists what is closed, and what a real S3 server does differently still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.s3 import conditions, copies, deletes, errors, index, listing, locks, multipart, suspension

if TYPE_CHECKING:
    from localcloud.patching import Patches

_GAPS = (errors, locks, index, listing, suspension, deletes, copies, multipart, conditions)


def install(patches: Patches) -> None:
    """Close the gaps until the patches are undone. To be called before other services patch S3."""
    for gap in _GAPS:
        gap.install(patches)

"""S3 where moto differs from what AWS documents: each gap closed in a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.patching import Patches


def install(patches: Patches) -> None:
    """Close the gaps until the patches are undone."""

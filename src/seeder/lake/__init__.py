"""A data lake in S3 that many write at once, with no lock server: objects written once, registries swapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder.lazily import lazily

if TYPE_CHECKING:
    from seeder.lake.changelog import Change
    from seeder.lake.entry import Entry
    from seeder.lake.lake import Dataset, Lake, View
    from seeder.lake.registry import Registry, Snapshot
    from seeder.lake.retry import Retry
    from seeder.lake.schema import Schema
    from seeder.lake.upkeep import Finding, repair, verify

__all__ = [
    "Change",
    "Dataset",
    "Entry",
    "Finding",
    "Lake",
    "Registry",
    "Retry",
    "Schema",
    "Snapshot",
    "View",
    "repair",
    "verify",
]

if not TYPE_CHECKING:  # to a type checker a name that is not there is an error
    __getattr__ = lazily(
        __name__,
        {
            "changelog": ["Change"],
            "entry": ["Entry"],
            "lake": ["Dataset", "Lake", "View"],
            "registry": ["Registry", "Snapshot"],
            "retry": ["Retry"],
            "schema": ["Schema"],
            "upkeep": ["Finding", "repair", "verify"],
        },
    )

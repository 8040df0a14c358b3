"""Listing: pages of a bucket, and the difference of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder.lazily import lazily

if TYPE_CHECKING:
    from seeder.listing.any_order import Position, list_all
    from seeder.listing.difference import Difference, compare
    from seeder.listing.page import Page
    from seeder.listing.ranges import Range
    from seeder.listing.stretch import Entry
    from seeder.listing.walk import Unordered
    from seeder.listing.wire import Wire

__all__ = [
    "Difference",
    "Entry",
    "Page",
    "Position",
    "Range",
    "Unordered",
    "Wire",
    "compare",
    "list_all",
]

if not TYPE_CHECKING:  # to a type checker a name that is not there is an error
    __getattr__ = lazily(
        __name__,
        {
            "any_order": ["Position", "list_all"],
            "difference": ["Difference", "compare"],
            "page": ["Page"],
            "ranges": ["Range"],
            "stretch": ["Entry"],
            "walk": ["Unordered"],
            "wire": ["Wire"],
        },
    )

"""Where a range of keys is split: between its start and end, wherever in the keys the difference lies."""

from __future__ import annotations

from itertools import product

import pytest

from seeder.listing.ranges import Alphabet, Range, pivot

_FOLDERS = (
    "{0}/{1:02}/{2:02}/",
    "year={0}/month={1:02}/day={2:02}/",
    "{0}/a-very-long-name-of-a-folder/{1:02}{2:02}/",
)


@pytest.mark.parametrize("folders", _FOLDERS)
def test_a_range_is_split_however_long_the_names_of_folders_are_between_what_varies(folders: str) -> None:
    """The end is what an earlier split has tried, beyond all keys of the year: there is nothing between the two."""
    keys = [folders.format(*each) for each in product((2020, 2021), range(1, 13), range(1, 29))]
    alphabet = Alphabet()
    for key in keys:
        alphabet.learn(key)
    start = folders.format(2021, 1, 7)
    end = start[: start.index("2021")] + "2022"
    left = [key for key in keys if start < key]
    for _ in range(5):
        middle = pivot(Range(start, end), alphabet)
        assert start < middle < end
        end, right = middle, [key for key in left if middle < key]
        if right:
            break
    assert len(left) / 5 < len(right) < len(left)

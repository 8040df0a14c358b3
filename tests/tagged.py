"""Tags in memory, for tests that do not ask S3 for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from seeder.listing.tagged import Name
from seeder.listing.walk import Untaken


class KnownTags:
    """Stands for `seeder.listing.tagged.Tagged`: objects that have the tags are known; time may be out meanwhile."""

    def __init__(self, names: Collection[Name], is_out_of_time: Callable[[], bool] = lambda: False) -> None:
        self._names = names
        self._is_out_of_time = is_out_of_time
        self.calls = 0
        self.asked: list[Name] = []

    def having(self, names: Sequence[Name]) -> list[int]:
        if self._is_out_of_time():
            raise Untaken
        self.calls += len(names)
        self.asked += names
        return [index for index, name in enumerate(names) if name in self._names]

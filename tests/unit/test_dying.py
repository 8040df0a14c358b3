from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.dying import Died, Dying


class Waiting:
    """A client whose uploads are done when two are under way."""

    def __init__(self) -> None:
        self._both = Barrier(2, timeout=5)

    def upload_part(self, **_: int) -> None:
        self._both.wait()


@pytest.mark.parametrize("at", [1, 2])
def test_of_two_uploads_at_once_one_dies_after_it(at: int) -> None:
    dying = Dying(Waiting(), at, after=True)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(dying.upload_part, PartNumber=number) for number in (1, 2)]

    assert [type(call.exception()) for call in calls].count(Died) == 1

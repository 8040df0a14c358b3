"""A source that is written while it is copied in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seeder.large.notes import Item
from tests.large_objects import (
    SIZES,
    Watched,
    assert_copied,
    copier,
    upload,
)


@pytest.mark.parametrize("part", range(1, 5))
def test_a_source_written_in_the_middle_is_copied_as_it_is_then(s3: Any, part: int) -> None:
    item = upload(s3, "key", SIZES)

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        if name == "upload_part_copy" and given["PartNumber"] == part and not written:
            written.append(upload(s3, "key", [150, 400, 30], salt=99))
        return original(**given)

    written: list[Item] = []
    assert copier(Watched(s3, call)).copy(item).code == "Succeeded"
    assert written
    assert_copied(s3, "key")


def test_a_source_written_between_two_calls_is_copied_anew(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    copier(s3, remaining=lambda: 0).copy(item)
    upload(s3, "key", [150, 400, 30], salt=99)
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


def test_a_source_that_is_always_written_is_left_for_later(s3: Any) -> None:
    item, salts = upload(s3, "key", SIZES), iter(range(1, 100))

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        if name == "upload_part_copy":
            upload(s3, "key", SIZES, salt=next(salts))
        return original(**given)

    outcome = copier(Watched(s3, call), streams=1).copy(item)
    assert (outcome.code, outcome.text[:14]) == ("TemporaryFailure", "SourceChanged:")
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")

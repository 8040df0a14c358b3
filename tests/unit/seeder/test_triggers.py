from __future__ import annotations

from typing import Any, cast

import pytest

from seeder.clients import Clients
from seeder.errors import InvalidRequest
from seeder.triggers import resolve

NO_CLIENTS = cast("Clients", None)
PAIR = {"source": "source", "destination": "destination"}


def test_an_input_by_hand_is_one_run_named_after_its_execution() -> None:
    (first,), (again,), (other,) = (resolve(PAIR, name, NO_CLIENTS) for name in ("one", "one", "two"))
    assert first.run_id == again.run_id != other.run_id
    assert first.run_id.startswith("manual-source-")


def test_a_list_is_one_run_for_each_pair_and_a_repeated_pair_is_one() -> None:
    pairs = resolve({"pairs": [PAIR, PAIR, PAIR | {"prefix": "p/"}]}, "x", NO_CLIENTS)
    assert [pair.request.prefix for pair in pairs] == ["", "p/"]
    assert len({pair.run_id for pair in pairs}) == 2


def test_run_ids_suit_step_functions() -> None:
    long = {"source": "a" * 63, "destination": "b" * 63}
    (pair,) = resolve({"pairs": [long], "trigger": "schedule"}, "x", NO_CLIENTS)
    assert len(pair.run_id) <= 80


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        (7, "input"),
        ({"pairs": {}}, "pairs"),
        ({"pairs": [], "parallel": 3}, "parallel"),
        ({"pairs": [PAIR, 7]}, "pairs[1].input"),
        ({"pairs": [{"source": "abc"}]}, "pairs[0].destination"),
        ({"detail": None}, "detail.eventName"),
        ({"detail": {"eventName": "PutBucketReplication", "errorCode": "X"}}, "detail.errorCode"),
        ({"detail": {"eventName": "PutBucketReplication"}}, "detail.eventID"),
    ],
)
def test_a_wrong_trigger_names_its_field(trigger: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        resolve(trigger, "x", NO_CLIENTS)
    assert caught.value.field == field

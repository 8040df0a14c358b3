from __future__ import annotations

from examples import idempotent_function


def test_each_order_is_paid_once() -> None:
    told = [(answer["order_id"], answer["receipt"]) for answer in idempotent_function.main()]
    assert told == [("A-1", 1), ("A-1", 1), ("A-2", 2)]
    assert idempotent_function.paid == ["A-1", "A-2"]

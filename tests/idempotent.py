"""A function called in every situation that idempotency is for; each situation returns what its callers are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent, idempotent_function

Stores = Callable[[], Any]
"""Makes persistence layers that share records, each for an environment of its own."""
Situation = Callable[[Stores], list[Any]]


class Context:
    """As much of a function's context as idempotency looks at."""

    def __init__(self, left: int) -> None:
        self._left = left

    def get_remaining_time_in_millis(self) -> int:
        return self._left


class Function:
    """A function that counts how often it ran, and does what a test says while it runs."""

    def __init__(self, stores: Stores, **config: Any) -> None:
        self.stores, self._config = stores, config
        self.runs = 0
        self.store: Any = None

    def __call__(
        self, event: Any, during: Callable[[], Any] = lambda: None, left: int = 60_000, **config: Any
    ) -> Any:
        """Invoke it in an environment of its own, or in that of `store`; return what it answers or raises."""

        def handler(event: Any, context: Any) -> Any:
            self.runs += 1
            run = self.runs
            return {"run": run, "during": during()}

        store = self.store or self.stores()
        decorate = idempotent(persistence_store=store, config=IdempotencyConfig(**{**self._config, **config}))
        try:
            return decorate(handler)(event, context(left))
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def context(left: int = 60_000) -> Any:
    """Return the context of a call that has so many milliseconds left."""
    return Context(left)


def fails() -> None:
    raise ValueError("the function fails")


# ── situations, each a list of answers ──


def first_repeated_and_another(stores: Stores) -> list[Any]:
    function = Function(stores)
    return [function({"a": 1}), function({"a": 1}), function({"a": 2}), function({"a": 1}), function.runs]


def at_the_same_time(stores: Stores) -> list[Any]:
    function = Function(stores)
    return [function({"a": 1}, during=lambda: function({"a": 1})), function({"a": 1}), function.runs]


def expired(stores: Stores) -> list[Any]:
    function = Function(stores)
    return [
        function({"a": 1}, expires_after_seconds=-60),
        function({"a": 1}, expires_after_seconds=-60),
        function({"a": 1}),
        function({"a": 1}),
        function.runs,
    ]


def failed(stores: Stores) -> list[Any]:
    function = Function(stores)
    return [function({"a": 1}, during=fails), function({"a": 1}), function({"a": 1}), function.runs]


def out_of_time(stores: Stores) -> list[Any]:
    """The second begins while the first, whose time is up, still runs; each ends in its turn."""
    function = Function(stores)
    answers = [function({"a": 1}, during=lambda: function({"a": 1}), left=-1000)]
    return [*answers, function({"a": 1}), function.runs]


def out_of_time_and_taken_over(stores: Stores) -> list[Any]:
    """Who takes over is in progress itself: a third one waits."""
    function = Function(stores)

    def taken_over() -> Any:
        return function({"a": 1}, during=lambda: function({"a": 1}))

    return [function({"a": 1}, during=taken_over, left=-1000), function.runs]


def taken_over_and_failed(stores: Stores) -> list[Any]:
    function = Function(stores)
    answers = [function({"a": 1}, during=lambda: function({"a": 1}, during=fails), left=-1000)]
    return [*answers, function({"a": 1}), function.runs]


def another_payload(stores: Stores) -> list[Any]:
    function = Function(stores, event_key_jmespath="id", payload_validation_jmespath="amount")
    during = function({"id": 1, "amount": 5}, during=lambda: function({"id": 1, "amount": 6}))
    return [during, *(function({"id": 1, "amount": amount}) for amount in (5, 6)), function.runs]


def a_local_cache(stores: Stores) -> list[Any]:
    function = Function(
        stores, use_local_cache=True, event_key_jmespath="id", payload_validation_jmespath="a"
    )
    function.store = stores()
    answers = [function({"id": 1, "a": a}) for a in (1, 1, 2)] + [function({"id": 2, "a": 1}, during=fails)]
    return [*answers, function({"id": 2, "a": 1}), function.runs]


def no_key(stores: Stores) -> list[Any]:
    function = Function(stores, event_key_jmespath="id", raise_on_no_idempotency_key=True)
    return [function({"other": 1}), function.runs]


def other_hashes_and_strange_inputs(stores: Stores) -> list[Any]:
    function = Function(stores, hash_function="sha256")
    events = [{"ключ": "😀\n"}, ["a", 1.5, None], "text +,%", {"nested": {"b": [1], "a": 2}}]
    return [answer for event in events for answer in (function(event), function(event))] + [function.runs]


def a_response_hook(stores: Stores) -> list[Any]:
    def hook(response: Any, record: Any) -> Any:
        return {**response, "status": record.status, "key": record.idempotency_key}

    function = Function(stores, response_hook=hook)
    return [function({"a": 1}), function({"a": 1})]


def plain_functions(stores: Stores) -> list[Any]:
    ran: list[str] = []

    @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools has no types there
        data_keyword_argument="order",
        persistence_store=stores(),
        config=IdempotencyConfig(lambda_context=context()),
        key_prefix="orders/2026",
    )
    def pay(order: dict[str, Any], note: str) -> Any:
        ran.append(note)
        return None if note == "nothing" else [note, order]

    answers = [pay(order={"id": 1}, note=note) for note in ("first", "second")]
    return [*answers, *(pay(order={"id": 2}, note="nothing") for _ in range(2)), *ran]


SITUATIONS: list[Situation] = [
    first_repeated_and_another,
    at_the_same_time,
    expired,
    failed,
    out_of_time,
    out_of_time_and_taken_over,
    taken_over_and_failed,
    another_payload,
    a_local_cache,
    no_key,
    other_hashes_and_strange_inputs,
    a_response_hook,
    plain_functions,
]

RUNS: dict[Situation, int] = {
    first_repeated_and_another: 2,
    at_the_same_time: 1,
    expired: 3,
    failed: 2,
    out_of_time: 2,
    out_of_time_and_taken_over: 2,
    taken_over_and_failed: 2,
    another_payload: 1,
}
"""How often the function runs in those that end with telling it."""

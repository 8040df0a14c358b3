"""Group commit: the updates of many callers in one process, written together by one thread.

S3 takes about 15 swaps a second of one object, however many updates a swap holds. A caller goes on once the write that
holds its update is answered; what its function raises is raised to it alone.
"""

from __future__ import annotations

import copy
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from seeder.errors import InvalidRequest
from seeder.lake.registry import Function, Registry, Snapshot

MOST_AT_ONCE = 256


class GroupCommit:
    """A registry whose updates are gathered while one is being written. Used as a context manager, or closed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._waiting: list[tuple[Function, Future[Snapshot]]] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._commit_all, name="group-commit", daemon=True)
        self._thread.start()

    def __enter__(self) -> GroupCommit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self) -> Snapshot:
        """Return what stands there, as `Registry.read` does."""
        return self._registry.read()

    def update(self, function: Function) -> Snapshot:
        """Apply a function as `Registry.update` does; return the revision that holds it, and others' updates too.

        The function is called in a thread of its own, and may be called again. Raises what `Registry.update` raises;
        InvalidRequest after `close`.
        """
        future: Future[Snapshot] = Future()
        with self._changed:
            if self._is_closed:
                raise InvalidRequest("update", "its group commit is closed; make another")
            self._waiting.append((function, future))
            self._changed.notify()
        return future.result()

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _commit_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                taken, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            if not taken:
                return
            self._commit(taken)

    def _commit(self, taken: list[tuple[Function, Future[Snapshot]]]) -> None:
        batch = _Batch([function for function, _ in taken])
        try:
            written = self._registry.update(batch)
        except InvalidRequest as error:
            if len(taken) == 1:
                taken[0][1].set_exception(error)
                return
            # One of them returned what can't be written: each alone then, so that the others are.
            for one in taken:
                self._commit([one])
        except BaseException as error:
            for _, future in taken:
                future.set_exception(error)
        else:
            for number, (_, future) in enumerate(taken):
                failure = batch.errors.get(number)
                future.set_exception(failure) if failure else future.set_result(written)


class _Batch:
    """Functions as one. Those that raise or do nothing are left out, and what they did to the body with them."""

    def __init__(self, functions: list[Function]) -> None:
        self._functions = functions
        self.errors: dict[int, BaseException] = {}

    def __call__(self, body: dict[str, Any]) -> dict[str, Any] | None:
        self.errors.clear()
        chosen = set(range(len(self._functions)))
        while True:
            idle, made = self._apply(copy.deepcopy(body), chosen)
            if idle is None:
                return made if chosen else None
            chosen.remove(idle)

    def _apply(self, body: dict[str, Any], chosen: set[int]) -> tuple[int | None, dict[str, Any] | None]:
        """Apply the chosen in turn; return the first that must be left out, or None and what all made."""
        for number in sorted(chosen):
            try:
                made = self._functions[number](body)
            except BaseException as error:
                self.errors[number] = error
                made = None
            if made is None:
                return number, None
            body = made
        return None, body

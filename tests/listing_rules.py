"""What a listing promises, drawn by hypothesis: one definition for every server that the tests know."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from seeder.errors import Throttled, UnexpectedAnswer
from seeder.listing.any_order import START, list_all
from seeder.listing.difference import Entry, compare
from seeder.listing.page import Page
from seeder.listing.walk import Unordered
from seeder.listing.wire import Wire
from tests.dying import Died
from tests.keys import any_key

SHARED = "s" * 1000
# Where examples are few they take long, and to shrink one takes minutes.
WORTH_SHRINKING = 100
SHARED_FOLDERS = ("s" * 199 + "/") * 5
# What XML 1.0 can't hold, and what stands for it then.
UNWRITABLE = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffd-\\uffff]")

Found = Counter[tuple[str, str]]
History = dict[str, list[str]]


class Server(Protocol):
    """Where key sets are put and listed. `is_ordered` tells whether its order is that of S3."""

    examples: int
    is_ordered: bool

    def holds(self, keys: Collection[str], flat: bool = False) -> set[str]:
        """Return those of some keys that the server can hold together; without folders where it lists none right."""

    def objects(self, sizes: dict[str, int], page: int, faults: Collection[int]) -> Wire:
        """Return a wire to a bucket of such objects, whose pages are small and whose nth requests are refused."""

    def versions(
        self, history: History, page: int, faults: Collection[int]
    ) -> tuple[Wire, set[tuple[str, str]]]:
        """Return a wire to a bucket in which each key was written and deleted so, and what it must list."""


keys = st.one_of(
    st.sets(any_key, max_size=60),
    st.sets(st.text("ab", max_size=6).map(lambda tail: SHARED + tail), max_size=60),
    st.sets(st.text("ab", min_size=1, max_size=6).map(lambda tail: SHARED_FOLDERS + tail), max_size=60),
    st.sets(st.text("abc", min_size=1, max_size=3), max_size=39),
    st.integers(0, 300).map(lambda count: {f"k{number:04}" for number in range(count)}),
    st.integers(0, 200).map(lambda count: {f"y={n % 3}/m={n % 12:02}/part-{n}" for n in range(count)}),
    st.sets(
        st.sampled_from(["a/", "a.", "a-", "é/", "b/c/"]).flatmap(
            lambda f: st.text("12", min_size=1, max_size=3).map(f.__add__)
        )
    ),
)
histories = st.dictionaries(
    any_key,
    st.lists(st.sampled_from(["before", "put", "put", "delete"]), min_size=1, max_size=9),
    max_size=15,
)
sizes = st.one_of(
    st.dictionaries(any_key, st.integers(0, 1), max_size=20),
    st.dictionaries(st.integers(0, 99).map(lambda number: f"k{number:02}"), st.integers(0, 1), max_size=90),
    st.dictionaries(st.text("ab/.", min_size=1, max_size=4), st.integers(0, 1), max_size=20),
)
pages, workers, budgets = st.integers(1, 7), st.integers(1, 6), st.integers(1, 5)
# The numbers of requests that are refused, and of pages at which the call dies.
faults = st.sampled_from([0, 7]).flatmap(lambda most: st.frozensets(st.integers(1, 30), max_size=most))
deaths = st.frozensets(st.integers(1, 20), max_size=4)


@dataclass
class Call:
    """One call of a listing: it dies at some pages, and its time is out after a few."""

    found: Found
    budget: int
    deaths: frozenset[int]
    accepted: Iterator[int]
    pages: int = 0

    def accept(self, page: Page, stop: int) -> None:
        if next(self.accepted) in self.deaths:
            raise Died
        self.pages += 1
        versions = [version.decode() for version in page.versions] or [""] * len(page.keys)
        self.found.update(zip(page.decoded[:stop], versions, strict=False))

    def is_over(self) -> bool:
        return self.pages >= self.budget


def in_calls(
    wire: Wire, prefix: str, page: int, workers: int, budget: int, deaths: frozenset[int], most_bytes: int
) -> Found:
    """List in many calls; one that dies, or is refused too often, is repeated as Step Functions does."""
    found, position, accepted = Counter[tuple[str, str]](), START, count(1)
    for _ in range(400):
        call = Call(Counter(found), budget, deaths, accepted)
        restart, sleep = call.found.clear, lambda seconds: None
        try:
            position = list_all(
                wire, call.accept, restart, position, prefix, workers, call.is_over, most_bytes, page, sleep
            )
        except (Died, Throttled):
            continue
        found = call.found
        if position.is_end:
            return found
    raise AssertionError("not listed after 400 calls")


@contextmanager
def maybe_refused(server: Server, keys: Collection[str]) -> Iterator[None]:
    """A server that shows keys as XML can't hold them must be refused; no other may."""
    try:
        yield
    except UnexpectedAnswer:
        assert not server.is_ordered
        assert any(map(UNWRITABLE.search, keys))


def each_key_is_listed_once(server: Server, data: Any) -> None:
    """In any key space, whatever stops, dies and is refused."""
    space, page, hands, budget, refused, dying, cut, most = data
    space = server.holds(space)
    prefix = min(space, default="")[:cut]
    wire = server.objects(dict.fromkeys(space, 0), page, refused)
    with closing(wire), maybe_refused(server, space):
        found = in_calls(wire, prefix, page, hands, budget, dying, most)
        assert found == Counter({(key, ""): 1 for key in space if key.startswith(prefix)})


def each_version_is_listed_once(server: Server, data: Any) -> None:
    """However many a key has, delete markers and null versions with them."""
    history, page, hands, budget, refused, dying = data
    held = server.holds(history, flat=True)
    wire, expected = server.versions({key: history[key] for key in held}, page, refused)
    with closing(wire), maybe_refused(server, held):
        found = in_calls(wire, "", page, hands, budget, dying, 1024 * 1024)
        assert found == Counter(dict.fromkeys(expected, 1))


def a_difference_is_that_of_the_two_sets(server: Server, data: Any) -> None:
    """Counts and keys; a server of another order is told, not believed."""
    source, destination, page, other_page, hands, refused = data
    drawn = source.keys() | destination.keys()
    held = server.holds({key for key in drawn if server.is_ordered or not UNWRITABLE.search(key)})
    ours, theirs = (
        {key: size for key, size in side.items() if key in held} for side in (source, destination)
    )
    needed: list[str] = []

    def take(wanting: list[Entry]) -> None:
        needed.extend(entry.key for entry in wanting)

    wires = server.objects(ours, page, refused), server.objects(theirs, other_page, ())
    try:
        with closing(wires[0]), closing(wires[1]):
            result = compare(*wires, take, workers=hands)
    except Unordered:
        assert not server.is_ordered
        return
    both, missing = ours.keys() & theirs.keys(), ours.keys() - theirs.keys()
    different = {key for key in both if ours[key] != theirs[key]}
    counts = (result.missing, result.extra, result.different, result.equal)
    assert counts == (
        len(missing),
        len(theirs.keys() - ours.keys()),
        len(different),
        len(both) - len(different),
    )
    assert sorted(needed) == sorted(missing | different)
    assert result.is_equal == (ours == theirs)


RULES: list[tuple[Callable[[Server, Any], None], st.SearchStrategy[Any]]] = [
    (
        each_key_is_listed_once,
        st.tuples(
            keys,
            pages,
            workers,
            budgets,
            faults,
            deaths,
            st.integers(0, 4),
            st.sampled_from([200, 10_000_000]),
        ),
    ),
    (each_version_is_listed_once, st.tuples(histories, pages, workers, budgets, faults, deaths)),
    (a_difference_is_that_of_the_two_sets, st.tuples(sizes, sizes, pages, pages, workers, faults)),
]
every_rule = pytest.mark.parametrize(("rule", "drawn"), RULES, ids=[rule.__name__ for rule, _ in RULES])


def prove(rule: Callable[[Server, Any], None], drawn: st.SearchStrategy[Any], server: Server) -> None:
    """Try a rule on a server, as often as suits it. Ranges are split however few keys are left."""

    @settings(
        max_examples=server.examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if server.examples >= WORTH_SHRINKING else [Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(drawn)
    def holds(data: Any) -> None:
        rule(server, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seeder.listing.walk.SPLIT_KEYS", 1)
        patch.setattr("seeder.listing.patient.BACKOFF_SECONDS", 0.0)
        holds()

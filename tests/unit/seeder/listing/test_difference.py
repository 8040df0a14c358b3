from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seeder.listing.difference import compare, same
from seeder.listing.pages import Listed
from tests.keys import any_key


def listing(objects: dict[str, str], page: int = 3) -> list[list[Listed]]:
    ordered = [
        Listed(key, 1, etag) for key, etag in sorted(objects.items(), key=lambda item: item[0].encode())
    ]
    return [ordered[start : start + page] for start in range(0, len(ordered), page)] or [[]]


sides = st.dictionaries(any_key, st.sampled_from(['"x"', '"y"']), max_size=12)


@given(sides, sides)
def test_counts_are_those_of_the_two_sets(source: dict[str, str], destination: dict[str, str]) -> None:
    result = compare(listing(source), listing(destination, page=2))
    both = source.keys() & destination.keys()
    assert result.missing == len(source.keys() - destination.keys())
    assert result.extra == len(destination.keys() - source.keys())
    assert result.different == sum(source[key] != destination[key] for key in both)
    assert result.equal == sum(source[key] == destination[key] for key in both)
    assert result.is_equal == (source == destination)


def test_sizes_decide_where_etags_can_not_be_compared() -> None:
    assert same(Listed("k", 5, '"abc-2"'), Listed("k", 5, '"def"'))
    assert not same(Listed("k", 5, '"abc-2"'), Listed("k", 6, '"abc-2"'))
    assert not same(Listed("k", 5, '"abc"'), Listed("k", 5, '"def"'))

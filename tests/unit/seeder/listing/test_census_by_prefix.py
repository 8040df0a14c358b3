"""A census divides what it counts by the first part of the keys, exactly, and in a bounded place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seeder.listing import counting
from seeder.listing.counting import IN_A_RECORD, WHILE_LISTED, Bound, Census, Tally
from seeder.listing.first_parts import MOST_CHARACTERS, first_part, strides
from seeder.listing.page import Page
from seeder.listing.selection import ARCHIVED, Selection
from tests.keys import TRAPS
from tests.listed import encode


class Fact(NamedTuple):
    key: str
    size: int = 1
    storage: str = "STANDARD"
    is_marker: bool = False


def page_of(facts: list[Fact], write: Callable[[str], str] = encode, of_versions: bool = False) -> Page:
    """Return a page as a server writes it: keys encoded by `write`, or as they are where it is `str`."""
    names = ("Version", "DeleteMarker") if of_versions else ("Contents", "Contents")
    entries = "".join(
        f"<{names[fact.is_marker]}><Key>{escape(write(fact.key))}</Key>"
        + ("<VersionId>v</VersionId><IsLatest>true</IsLatest>" if of_versions else "")
        + ("" if fact.is_marker else f"<Size>{fact.size}</Size><StorageClass>{fact.storage}</StorageClass>")
        + f"</{names[fact.is_marker]}>"
        for fact in facts
    )
    root = "ListVersionsResult" if of_versions else "ListBucketResult"
    told = "" if write is str else "<EncodingType>url</EncodingType>"
    body = f"<{root}>{told}<IsTruncated>false</IsTruncated>{entries}</{root}>"
    return Page(body.encode(), "ListObjectVersions" if of_versions else "ListObjectsV2")


def naive(facts: list[Fact]) -> dict[str, Tally]:
    """Count what is to be seeded, one by one."""
    found: dict[str, Tally] = {}
    for fact in facts:
        if not fact.is_marker and fact.storage not in ARCHIVED:
            name = fact.key.split("/", 1)[0] + "/" if "/" in fact.key else ""
            found[name[:128]] = found.get(name[:128], Tally()).plus(1, fact.size)
    return found


def everything(facts: list[Fact]) -> Tally:
    return Tally(
        sum(tally.objects for tally in naive(facts).values()), sum(t.bytes for t in naive(facts).values())
    )


def total(census: Census) -> Tally:
    tallies = [*census.prefixes.values(), census.other_prefixes]
    return Tally(sum(tally.objects for tally in tallies), sum(tally.bytes for tally in tallies))


def encode_slashes(key: str) -> str:
    return encode(key).replace("/", "%2F")


def encode_slashes_low(key: str) -> str:
    return encode(key).replace("/", "%2f")


def percent(key: str) -> str:
    return quote(key, safe="/")


parts = st.sampled_from(["", "a", "b", "a b", "a+b", "a%2Fb", "é", "\U0001f600", "&#47;", "=", "z" * 130])
keys = st.one_of(
    st.lists(parts, min_size=1, max_size=3).map("/".join).filter(bool),
    st.sampled_from([key for key in TRAPS if "\n" not in key and "\r" not in key and "\t" not in key]),
)
classes = st.sampled_from(["STANDARD", "STANDARD", "STANDARD_IA", "GLACIER"])
facts = st.lists(st.builds(Fact, keys, st.integers(0, 9), classes, st.booleans()), max_size=12)
writers = st.sampled_from([encode, encode_slashes, encode_slashes_low, percent])


@given(facts, facts, st.booleans(), writers, st.booleans(), st.booleans(), st.integers(0, 12))
def test_prefixes_are_those_of_a_naive_count_whatever_the_pages(
    first: list[Fact],
    second: list[Fact],
    is_sorted: bool,
    write: Callable[[str], str],
    of_versions: bool,
    is_chosen: bool,
    stop: int,
) -> None:
    census, counted = Census(), []
    for some in (first, second):
        listed = sorted(some) if is_sorted else some
        listed = listed if of_versions else [fact._replace(is_marker=False) for fact in listed]
        page, taken = page_of(listed, write, of_versions), listed[:stop]
        census.add(page, len(taken), Selection().choose(page, len(taken)) if is_chosen else None)
        counted += taken
    assert census.prefixes == naive(counted)
    assert (census.other_prefixes, total(census)) == (Tally(), everything(counted))
    assert (census.objects, census.bytes) == everything(counted)


@given(st.lists(keys.map(Fact), max_size=12))
def test_keys_that_are_not_encoded_are_read_as_they_are(listed: list[Fact]) -> None:
    census = Census()
    census.add(page_of(listed, str), len(listed))
    assert census.prefixes == naive(listed)


@given(facts)
def test_single_objects_are_divided_like_pages(listed: list[Fact]) -> None:
    census = Census()
    census.add_objects((fact.key, fact.size, fact.storage) for fact in listed)
    assert census.prefixes == naive([fact._replace(is_marker=False) for fact in listed])


@pytest.mark.parametrize(
    ("key", "part"),
    [("a", ""), ("a/b/c", "a/"), ("a/", "a/"), ("/a", "/"), ("//a", "/"), ("a//b", "a/"), ("é +/%", "é +/")],
)
def test_the_first_part_of_a_key_ends_with_its_first_slash(key: str, part: str) -> None:
    assert first_part(key) == part
    assert strides(page_of([Fact(key)]), 1) == [(part, 1)]


def test_a_long_part_is_cut_and_can_be_told_from_all_others() -> None:
    longest, longer = "x" * (MOST_CHARACTERS - 1) + "/", "x" * MOST_CHARACTERS + "/"
    census = Census()
    census.add(page_of([Fact(longest), Fact(longer), Fact(longer + "a"), Fact("x" * 200)]), 4)
    assert census.prefixes == {longest: Tally(1, 1), "x" * 128: Tally(2, 2), "": Tally(1, 1)}


@pytest.mark.parametrize("count", [1, 3, 10, 1000])
def test_a_page_in_order_has_as_many_strides_as_first_parts(count: int) -> None:
    page = page_of([Fact(f"{number * count // 1000:04}/{number:04}") for number in range(1000)])
    found = strides(page, 1000)
    assert [part for part, _ in found] == [f"{number:04}/" for number in range(count)]
    assert sum(keys for _, keys in found) == 1000


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=60),
    st.integers(1, 12),
    st.integers(1, 60),
    st.integers(1, 30),
)
@example([1, 1, 1, 2, 2, 2, 2, 2], 1, 4, 30)
def test_what_is_left_out_is_with_the_others_and_what_is_kept_is_whole(
    numbers: list[int], most: int, every: int, at_once: int
) -> None:
    """However a walk is split over calls, and whatever the order of its pages."""
    listed, census = [Fact(f"{number}/", number) for number in numbers], Census()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counting, "MOST_COUNTED", at_once)
        for start in range(0, len(listed), every):
            some = listed[start : start + every]
            census.add(page_of(some), len(some))
            census = Census.model_validate_json(census.kept(Bound(most, 10_000)).model_dump_json())
    assert len(census.prefixes) <= most
    assert total(census) == everything(listed) == (census.objects, census.bytes)
    assert census.prefixes.items() <= naive(listed).items()


def test_the_largest_are_kept_by_their_share_of_the_keys_or_of_the_bytes() -> None:
    few, many, rest = (
        Fact("large/", 10_000),
        Fact("many/", 1),
        [Fact(f"{number:02}/", 2) for number in range(50)],
    )
    census, listed = Census(), [*[many] * 50, *rest, few, *[many] * 50]
    census.add(page_of(listed), len(listed))
    assert census.kept(Bound(2, 10_000)).prefixes == {"large/": Tally(1, 10_000), "many/": Tally(100, 100)}
    assert len(census.prefixes) == 52


@pytest.mark.parametrize("name", ["x", "\U0001f600", "ü"])
@pytest.mark.parametrize("bound", [WHILE_LISTED, IN_A_RECORD])
def test_prefixes_are_never_larger_than_their_place(bound: Bound, name: str) -> None:
    listed = [Fact(f"{number:04}{name * 120}/", 10**13) for number in range(1000)]
    census = Census()
    census.add(page_of(listed), len(listed))
    kept = census.kept(bound)
    assert 0 < len(kept.prefixes) <= bound.prefixes
    assert len(json.dumps(kept.prefixes)) <= bound.bytes
    assert total(kept) == (1000, 1000 * 10**13)


def test_objects_without_sizes_are_counted_by_prefix_with_no_bytes() -> None:
    census = Census()
    told = [("a/1", 0, "STANDARD"), ("a/2", 0, "STANDARD_IA"), ("b", 0, "GLACIER")]
    census.add_objects(told, sized=False)
    assert (census.objects, census.size, census.unsized) == (2, None, 2)
    assert census.prefixes == {"a/": Tally(2, 0)}
    assert census.archived == {"GLACIER": Tally(1, 0)}

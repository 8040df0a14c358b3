from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.listing.counting import Census, Tally
from seeder.listing.page import Page
from seeder.listing.selection import ARCHIVED, LARGEST_COPY, Selection

CLASSES = ["STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]


class Entry(NamedTuple):
    size: int
    storage: str = "STANDARD"
    is_marker: bool = False


def objects(entries: list[Entry], class_told: bool = True) -> Page:
    shown = "".join(
        f"<Contents><Key>{number:06}</Key><ETag>e</ETag><Size>{entry.size}</Size>"
        f"{f'<StorageClass>{entry.storage}</StorageClass>' if class_told else ''}</Contents>"
        for number, entry in enumerate(entries)
    )
    return Page(
        f"<ListBucketResult><EncodingType>url</EncodingType><KeyCount>{len(entries)}</KeyCount>"
        f"<IsTruncated>false</IsTruncated>{shown}</ListBucketResult>".encode()
    )


def versions(entries: list[Entry]) -> Page:
    shown = "".join(
        f"<DeleteMarker><Key>k</Key><VersionId>{number}</VersionId><IsLatest>true</IsLatest></DeleteMarker>"
        if entry.is_marker
        else f"<Version><Key>k</Key><VersionId>{number}</VersionId><IsLatest>true</IsLatest><Size>{entry.size}</Size>"
        f"<StorageClass>{entry.storage}</StorageClass></Version>"
        for number, entry in enumerate(entries)
    )
    body = (
        "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
        f"{shown}</ListVersionsResult>"
    )
    return Page(body.encode(), "ListObjectVersions")


def counted(page: Page, stop: int, selection: Selection | None = None) -> Census:
    census = Census()
    census.add(page, stop, selection.choose(page, stop) if selection else None)
    return census


def tally(entries: list[Entry]) -> Tally:
    return Tally(len(entries), sum(entry.size for entry in entries))


def divided(entries: list[Entry]) -> dict[str, Tally]:
    names = {entry.storage for entry in entries}
    return {name: tally([entry for entry in entries if entry.storage == name]) for name in names}


sizes = st.one_of(
    st.integers(0, 100), st.integers(LARGEST_COPY - 1, LARGEST_COPY + 1), st.integers(0, 10**13)
)
entries = st.builds(Entry, sizes, st.sampled_from(CLASSES), st.booleans())


@given(st.lists(entries, max_size=8), st.integers(0, 8), st.booleans(), st.booleans())
def test_a_census_counts_each_entry_once(
    given_entries: list[Entry], stop: int, versioned: bool, is_chosen: bool
) -> None:
    stop = min(stop, len(given_entries))
    page = versions(given_entries) if versioned else objects(given_entries)
    census = counted(page, stop, Selection() if is_chosen else None)
    listed = [entry for entry in given_entries[:stop] if not (versioned and entry.is_marker)]
    awake = [entry for entry in listed if entry.storage not in ARCHIVED]
    large = [entry for entry in awake if entry.size > LARGEST_COPY]
    assert (census.objects, census.size) == tally(awake)
    assert (census.large, census.large_bytes) == tally(large)
    assert census.classes == divided(awake)
    assert census.archived == divided([entry for entry in listed if entry.storage in ARCHIVED])


def test_filters_of_a_request_are_respected() -> None:
    page = objects([Entry(10), Entry(20), Entry(30, "STANDARD_IA"), Entry(40, "GLACIER")])
    census = counted(page, 4, Selection(size_at_least=20))
    assert (census.objects, census.bytes) == (2, 50)
    assert census.archived == {"GLACIER": Tally(1, 40)}
    by_suffix = counted(page, 4, Selection(suffix="1"))
    assert (by_suffix.objects, by_suffix.bytes) == (1, 20)


def test_what_lies_beyond_the_range_is_not_counted() -> None:
    assert counted(objects([Entry(1), Entry(2), Entry(4)]), 2, Selection()).bytes == 3


def test_a_server_that_tells_no_class_has_standard_objects() -> None:
    for selection in (None, Selection()):
        census = counted(objects([Entry(1), Entry(2)], class_told=False), 2, selection)
        assert census.classes == {"STANDARD": Tally(2, 3)}


@pytest.mark.parametrize("selection", [None, Selection()])
def test_a_page_without_sizes_is_counted_but_its_bytes_are_not_known(selection: Selection | None) -> None:
    page = Page(
        b"<ListBucketResult><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>a</Key>"
        b"</Contents></ListBucketResult>"
    )
    page.body = b""
    census = counted(page, 1, selection)
    assert (census.objects, census.size, census.unsized) == (1, None, 1)


def test_pages_add_up() -> None:
    census = Census()
    for _ in range(3):
        page = objects([Entry(5), Entry(7, "STANDARD_IA")])
        census.add(page, 2, Selection().choose(page, 2))
    assert census.classes == {"STANDARD": Tally(3, 15), "STANDARD_IA": Tally(3, 21)}

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from localcloud import s3
from localcloud.s3 import index
from tests.unit.localcloud.replication_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

Entry = tuple[str, str, str]
"""What an entry of a page of versions is called, its key, and its version id."""

NAMES = st.text("ab/é \r+", min_size=1, max_size=5)
PREFIXES = st.text("ab/é", max_size=2)
KINDS = ["Version", "DeleteMarker"]
ROOT = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@st.composite
def histories(draw: st.DrawFn) -> dict[str, list[tuple[str, str]]]:
    """Draw the (kind, version id) of what was done to each key, oldest first; one at most is null."""
    drawn = draw(
        st.dictionaries(
            NAMES, st.tuples(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5), st.integers(0, 5))
        )
    )
    return {
        name: [(kind, "null" if number == null else f"v{number}") for number, kind in enumerate(kinds)]
        for name, (kinds, null) in drawn.items()
    }


@pytest.fixture(scope="module")
def cloud() -> Iterator[World]:
    made = World()
    with mock_aws():
        s3.install(made.patches)
        made.buckets("src")
        yield made
        made.patches.undo()


def bucket() -> Any:
    return s3_backends["123456789012"]["aws"].get_bucket("src")


def fill(names: dict[str, int]) -> list[tuple[str, str]]:
    """Put that many versions of each key, and return (key, version id) in the order of S3."""
    done = {name: [("Version", f"{number}") for number in range(count)] for name, count in names.items()}
    return [(name, version_id) for _, name, version_id in hold(done)]


def hold(done: dict[str, list[tuple[str, str]]]) -> list[Entry]:
    """Do that to each key, and return what there is then in the order of S3."""
    store = bucket().keys
    for name in list(store):
        store.setlist(name, [])
        store.pop(name)
    make = {"Version": version, "DeleteMarker": delete_marker}
    for name, events in done.items():
        store.setlist(name, [make[kind](name, version_id) for kind, version_id in events])
    ordered = sorted(done, key=str.encode)
    return [(kind, name, version_id) for name in ordered for kind, version_id in reversed(done[name])]


def delete_marker(name: str, version_id: str) -> FakeDeleteMarker:
    made = FakeDeleteMarker(SimpleNamespace(name=name))
    made._version_id = version_id
    return made


def version(name: str, version_id: str) -> FakeKey:
    return FakeKey(
        name,
        b"",
        "123456789012",
        "us-east-1",
        bucket_name="src",
        version_id=version_id,
        etag="e",
        is_versioned=True,
    )


@contextmanager
def sent(cloud: World) -> Iterator[list[list[Entry]]]:
    """Collect pages of versions as they are sent: botocore takes them apart by kind."""
    pages: list[list[Entry]] = []

    def keep(response_dict: dict[str, Any], **_: Any) -> None:
        root = ElementTree.fromstring(response_dict["body"])  # noqa: S314 - our own page
        pages.append([read(item) for item in root if item.tag.removeprefix(ROOT) in KINDS])

    events = cloud.s3.meta.events
    events.register("before-parse.s3.ListObjectVersions", keep)
    try:
        yield pages
    finally:
        events.unregister("before-parse.s3.ListObjectVersions", keep)


def read(item: ElementTree.Element) -> Entry:
    fields = [item.findtext(f"{ROOT}{name}", "") for name in ("Key", "VersionId")]
    return item.tag.removeprefix(ROOT), unquote_plus(fields[0]), fields[1]


def entries(names: set[str], prefix: str, delimiter: str, after: str) -> list[str]:
    """Say what a listing holds, the simple way: keys and common prefixes, each once, in order."""
    found = set()
    for name in names:
        if name.startswith(prefix) and name > after:
            end = name.find(delimiter, len(prefix)) if delimiter else -1
            found.add(name if end < 0 else name[: end + len(delimiter)])
    return sorted((entry for entry in found if entry > after), key=str.encode)


@settings(deadline=None, max_examples=60)
@given(
    st.sets(NAMES, max_size=12),
    PREFIXES,
    st.sampled_from(["", "/", "a", "é"]),
    st.text("ab/", max_size=3),
    st.integers(1, 5),
)
def test_the_pages_of_a_listing_hold_every_entry_once_in_order(
    cloud: World, names: set[str], prefix: str, delimiter: str, after: str, size: int
) -> None:
    fill(dict.fromkeys(names, 1))
    question: dict[str, Any] = {
        "Prefix": prefix,
        "Delimiter": delimiter,
        "StartAfter": after,
        "MaxKeys": size,
    }
    found: list[str] = []
    while True:
        page = cloud.s3.list_objects_v2(Bucket="src", **question)
        keys = [item["Key"] for item in page.get("Contents", [])]
        folders = [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        assert page["KeyCount"] == len(keys) + len(folders) <= size
        found += sorted(keys + folders, key=str.encode)
        if not page["IsTruncated"]:
            break
        question["ContinuationToken"] = page["NextContinuationToken"]

    assert found == entries(names, prefix, delimiter, after)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(NAMES, st.integers(1, 3), max_size=6), st.integers(1, 4))
def test_the_pages_of_versions_hold_every_version_once_newest_first(
    cloud: World, names: dict[str, int], size: int
) -> None:
    expected = fill(names)
    pages = cloud.s3.get_paginator("list_object_versions").paginate(
        Bucket="src", PaginationConfig={"PageSize": size}
    )
    found = [(item["Key"], item["VersionId"]) for page in pages for item in page.get("Versions", [])]

    assert found == expected


@settings(deadline=None, max_examples=60)
@given(histories(), st.integers(1, 5))
def test_versions_and_delete_markers_are_sent_in_one_order_each_once(
    cloud: World, done: dict[str, list[tuple[str, str]]], size: int
) -> None:
    expected = hold(done)
    question: dict[str, Any] = {"MaxKeys": size}
    with sent(cloud) as pages:
        while True:
            page = cloud.s3.list_object_versions(Bucket="src", **question)
            if not page["IsTruncated"]:
                break
            question |= {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
            assert (question["KeyMarker"], question["VersionIdMarker"]) == pages[-1][-1][1:]

    assert pages == [expected[at : at + size] for at in range(0, len(expected) or 1, size)]


@settings(deadline=None, max_examples=40)
@given(histories(), st.data())
def test_a_listing_of_versions_goes_on_after_any_entry(
    cloud: World, done: dict[str, list[tuple[str, str]]], data: st.DataObject
) -> None:
    expected = hold(done)
    number = data.draw(st.integers(0, len(expected)))
    _, key, version_id = expected[number - 1] if number else ("", "", "")
    with sent(cloud) as pages:
        cloud.s3.list_object_versions(Bucket="src", KeyMarker=key, VersionIdMarker=version_id)

    assert pages == [expected[number:]]


def test_null_versions_and_null_delete_markers_stand_where_their_age_puts_them(cloud: World) -> None:
    cloud.buckets("lived", versioned=False)
    cloud.put("a", "lived")
    cloud.put("b", "lived")
    cloud.s3.put_bucket_versioning(Bucket="lived", VersioningConfiguration={"Status": "Enabled"})
    marker = cloud.s3.delete_object(Bucket="lived", Key="a")["VersionId"]
    written = cloud.put("a", "lived")
    cloud.s3.put_bucket_versioning(Bucket="lived", VersioningConfiguration={"Status": "Suspended"})
    cloud.s3.delete_object(Bucket="lived", Key="a")
    with sent(cloud) as pages:
        list(cloud.s3.get_paginator("list_object_versions").paginate(Bucket="lived", MaxKeys=2))

    assert pages == [
        [("DeleteMarker", "a", "null"), ("Version", "a", written)],
        [("DeleteMarker", "a", marker), ("Version", "b", "null")],
    ]


def test_a_key_that_looks_like_an_entry_is_none(cloud: World) -> None:
    trap = "</Version>\n<DeleteMarker>&lt;"
    hold({trap: [("Version", "v0"), ("DeleteMarker", "v1"), ("Version", "v2")]})
    with sent(cloud) as pages:
        cloud.s3.list_object_versions(Bucket="src", EncodingType="")

    assert pages == [[("Version", trap, "v2"), ("DeleteMarker", trap, "v1"), ("Version", trap, "v0")]]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=12))
def test_the_index_knows_keys_that_come_and_go(cloud: World, changes: list[tuple[str, bool]]) -> None:
    fill({})
    store = bucket().keys
    for name, comes in changes:
        if comes:
            store[name] = version(name, "0")
        elif name in store:
            store.pop(name)

        assert index.sorted_keys(store) == sorted(store)


def test_keys_whose_current_version_is_a_delete_marker_are_not_listed(cloud: World) -> None:
    fill({"a": 1, "b": 1})
    bucket().keys["a"] = FakeDeleteMarker(bucket().keys["a"])

    page = cloud.s3.list_objects_v2(Bucket="src")

    assert [item["Key"] for item in page["Contents"]] == ["b"]


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("list_objects_v2", {"ContinuationToken": "not base64!"}),
        ("list_objects_v2", {"ContinuationToken": ""}),
        ("list_objects_v2", {"MaxKeys": -1}),
        ("list_object_versions", {"VersionIdMarker": "1"}),
    ],
)
def test_a_question_that_makes_no_sense_is_an_invalid_argument(
    cloud: World, operation: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="InvalidArgument"):
        getattr(cloud.s3, operation)(Bucket="src", **fields)


def test_the_first_version_of_listings_names_its_next_marker_only_with_a_delimiter(cloud: World) -> None:
    fill({"a/1": 1, "b": 1, "c": 1})

    plain = cloud.s3.list_objects(Bucket="src", MaxKeys=1)
    folders = cloud.s3.list_objects(Bucket="src", MaxKeys=1, Delimiter="/")
    rest = cloud.s3.list_objects(Bucket="src", Marker=folders["NextMarker"], Delimiter="/")

    assert "NextMarker" not in plain
    assert folders["NextMarker"] == "a/"
    assert [item["Key"] for item in rest["Contents"]] == ["b", "c"]
    assert "CommonPrefixes" not in rest

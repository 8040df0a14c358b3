from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

NAMES = st.text("ab/é \r+", min_size=1, max_size=5)
PREFIXES = st.text("ab/é", max_size=2)


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
    store = bucket().keys
    for name in list(store):
        store.setlist(name, [])
        store.pop(name)
    for name, count in names.items():
        store.setlist(name, [version(name, f"{number}") for number in range(count)])
    ordered = sorted(names, key=str.encode)
    return [(name, f"{number}") for name in ordered for number in reversed(range(names[name]))]


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

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import Page
from seeder.listing.selection import LARGEST_COPY, Selection
from tests.keys import any_key
from tests.listed import ListedBucket


def body(objects: str, count: int | str = "", truncated: str = "false", more: str = "") -> bytes:
    told = f"<KeyCount>{count}</KeyCount>" if count != "" else ""
    return (
        "<ListBucketResult><EncodingType>url</EncodingType>"
        f"<IsTruncated>{truncated}</IsTruncated>{told}{more}{objects}</ListBucketResult>"
    ).encode()


def contents(key: str, more: str = "<Size>1</Size>") -> str:
    return f"<Contents><Key>{key}</Key>{more}</Contents>"


@given(st.lists(any_key, unique=True, max_size=20))
def test_keys_come_out_as_they_went_in(keys: list[str]) -> None:
    page = Page(ListedBucket(keys).fetch())
    ordered = sorted(keys, key=str.encode)
    assert page.decoded == ordered
    assert [page.decode(index) for index in range(len(keys))] == ordered
    assert page.ascending


@given(st.lists(any_key, unique=True, min_size=1, max_size=20))
def test_rows_suit_both_of_awss_decoders(keys: list[str]) -> None:
    page = Page(ListedBucket(keys).fetch())
    rows, count = page.rows("bucket", len(keys))
    assert (count, rows.count(b"\n")) == (len(keys), len(keys))
    assert not set(rows) & set(b"+\"' \t\r")
    fields = [row.split(",") for row in rows.decode("ascii").splitlines()]
    decoded = [(bucket, unquote(key), unquote_plus(key)) for bucket, key in fields]
    assert decoded == [("bucket", key, key) for key in page.decoded]


@pytest.mark.parametrize(
    ("sent", "decoded", "row"),
    [
        ("a+b", "a b", "a%20b"),
        ("a%2Bb", "a+b", "a%2Bb"),
        ("a%2bb", "a+b", "a%2Bb"),
        ("a%2Fb", "a/b", "a/b"),
        ("a&amp;b=c@d", "a&b=c@d", "a%26b%3Dc%40d"),
        ("a&#x26;b", "a&b", "a%26b"),
        ("a,b", "a,b", "a%2Cb"),
        ("a'b(c)*~", "a'b(c)*~", "a%27b%28c%29%2A~"),
        ("%C3%A9", "é", "%C3%A9"),
        ("100%25", "100%", "100%25"),
    ],
)
def test_uneven_encodings_are_made_even(sent: str, decoded: str, row: str) -> None:
    page = Page(body(contents(sent), 1))
    assert page.decoded == [decoded]
    assert page.rows("b", 1)[0].decode() == f"b,{row}\n"


@pytest.mark.parametrize(
    "wrong",
    [
        body(contents("a"), 2),
        body(contents("a") + contents("b"), 1),
        body(contents("a"), 1, truncated="perhaps"),
        body(contents("a"), 1, more="<IsTruncated>true</IsTruncated>"),
        body("<Contents><Size>1</Size></Contents>", 1),
        body("<Contents><Key>a</Key><Key>b</Key></Contents>"),
        body(contents("a"), 1)[:-9],
        b"<ListBucketResult><EncodingType>rot13</EncodingType><IsTruncated>false</IsTruncated></ListBucketResult>",
        b"<Error><Code>InternalError</Code></Error>",
        b"",
    ],
)
def test_a_page_that_does_not_add_up_is_refused(wrong: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        _ = Page(wrong).truncated


@pytest.mark.parametrize(
    "unusual",
    [
        "<s:ListBucketResult xmlns:s='x'><s:EncodingType>url</s:EncodingType><s:IsTruncated>false</s:IsTruncated>"
        "<s:KeyCount>1</s:KeyCount><s:Contents><s:Key>a%20b</s:Key></s:Contents></s:ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
        "<Contents><Size>1</Size><Key><![CDATA[a%20b]]></Key></Contents></ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
        "<Contents a='1'><Key>a%20b</Key></Contents></ListBucketResult>",
    ],
)
def test_an_unusual_page_is_read_as_xml(unusual: str) -> None:
    page = Page(unusual.encode())
    assert (page.decoded, page.truncated) == (["a b"], False)


def test_where_to_go_on_is_what_the_server_says() -> None:
    page = Page(body(contents("a"), 1, "true", "<NextContinuationToken>a&amp;b/+=</NextContinuationToken>"))
    assert page.next == {"ContinuationToken": "a&b/+="}
    bucket = ListedBucket([("k 1", "v1"), ("k 1", "v2")], "ListObjectVersions", page=1)
    versions = Page(bucket.fetch(), "ListObjectVersions")
    assert versions.next == {"KeyMarker": "k 1", "VersionIdMarker": "v1"}


def test_rows_of_versions_have_a_third_field_and_no_delete_markers() -> None:
    page = Page(
        ListedBucket([("a,b", "v1"), ("a,b", "gone"), ("c", "null")], "ListObjectVersions").fetch(),
        "ListObjectVersions",
    )
    assert page.rows("b", 3) == (b"b,a%2Cb,v1\nb,c,null\n", 2)


@pytest.mark.parametrize("end", ["", "a", "b", "bb", "c", "z"])
def test_a_page_is_cut_after_its_ranges_end(end: str) -> None:
    page = Page(ListedBucket(["a", "b", "c"]).fetch())
    assert page.cut(end) == sum(not end or key <= end for key in "abc")


def choose(selection: Selection, *objects: str) -> Any:
    page = Page(body("".join(objects), len(objects)))
    return selection.choose(page, len(objects))


def test_large_and_archived_objects_are_set_apart() -> None:
    chosen = choose(
        Selection(),
        contents("small", f"<Size>{LARGEST_COPY}</Size>"),
        contents("large", f"<Size>{LARGEST_COPY + 1}</Size>"),
        contents("cold", "<Size>1</Size><StorageClass>GLACIER</StorageClass>"),
        contents("cool", "<Size>1</Size><StorageClass>GLACIER_IR</StorageClass>"),
        contents("deep", "<Size>9999999999</Size><StorageClass>DEEP_ARCHIVE</StorageClass>"),
    )
    assert chosen == ([0, 3], [1], [2, 4])


def test_a_page_without_such_objects_is_not_looked_at_one_by_one() -> None:
    assert choose(Selection(), contents("a"), contents("b")).copy is None


@pytest.mark.parametrize(
    "text",
    [
        "<Contents><Key>a\0b</Key></Contents>",
        "<Contents><Key></Key></Contents>",
        "<Contents><Key>a&#xD800;</Key></Contents>",
        "<Contents><Key>a<b/>c</Key><!-- --></Contents>",
        "<!DOCTYPE r [<!ENTITY e 'v'>]><Contents><Key>&e;</Key></Contents>",
    ],
)
def test_a_key_that_no_key_can_be_is_refused(text: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        _ = Page(body(text)).decoded


def test_an_object_in_another_dress_is_not_left_out() -> None:
    odd = '<Contents a="b"><Key c="d">first</Key></Contents><Contents><!--<Key>n</Key>--><Key>second</Key></Contents>'
    assert Page(body(odd)).decoded == ["first", "second"]


def test_a_version_id_that_would_break_a_row_is_refused() -> None:
    entry = "<Version><Key>k</Key><VersionId>v&#10;other,key</VersionId><IsLatest>true</IsLatest></Version>"
    with pytest.raises(UnexpectedAnswer, match="no manifest can hold"):
        Page(body(entry), "ListObjectVersions").rows("bucket", 1)

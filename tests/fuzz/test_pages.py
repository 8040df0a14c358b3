"""Pages of listings, of any bytes: cut as fast as may be, and never read otherwise than a parser of XML reads them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from urllib.parse import unquote_plus, unquote_to_bytes
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.errors import UnexpectedAnswer
from seeder.listing import stretch
from seeder.listing.counting import Census
from seeder.listing.page import Page
from seeder.listing.selection import Selection
from seeder.listing.tokens import _common_prefixes
from tests.fuzz.refusals import MEBIBYTE, peak_of, refusals, require_sentence
from tests.fuzz.strategies import fuzzed, torn
from tests.keys import any_key
from tests.listed import ListedBucket

OBJECTS, VERSIONS = "ListObjectsV2", "ListObjectVersions"
SELECTIONS = [
    Selection(),
    Selection(size_at_least=1, suffix="x"),
    Selection(created_after=datetime(2020, 1, 1, tzinfo=UTC)),
]

# What a server other than AWS's may write, and what turns one reading into another.
texts = st.sampled_from(
    [
        "a",
        "a/b",
        "a+b",
        "%2B",
        "%ff",
        "%",
        "&amp;",
        "&#x1F98A;",
        "&#0;",
        "&#xD800;",
        "&#99999999999;",
        "&lt;Key&gt;",
        "&foo;",
        "&lol9;",
        "é",
        "<![CDATA[a<b]]>",
        "<!-- c -->a",
        "<b/>",
        "a\r\nb",
        "",
        " ",
        "x" * 300,
    ]
)
members = st.one_of(
    st.builds(
        "<Size>{}</Size>".format, st.sampled_from(["0", "1", "-1", "1e3", "99999999999", "9" * 40, "", "٣"])
    ),
    st.builds(
        "<LastModified>{}</LastModified>".format, st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01", "x"])
    ),
    st.builds("<StorageClass>{}</StorageClass>".format, st.sampled_from(["STANDARD", "GLACIER", "é", "<"])),
    st.builds("<ETag>{}</ETag>".format, st.sampled_from(['"e"', "&quot;e&quot;", ""])),
    st.builds(
        "<VersionId>{}</VersionId>".format, st.sampled_from(["v1", "null", "v,w", "v&#10;b,c", "v\nb", ""])
    ),
    st.sampled_from(["<IsLatest>true</IsLatest>", "<Key>b</Key>", "<Owner><Key>o</Key></Owner>", "\n"]),
)
entries = st.builds(
    "{0}<Key{1}>{2}</Key>{3}{4}".format,
    st.sampled_from(["", "", "<!-- <Key>no</Key> -->", "\n "]),
    st.sampled_from(["", "", ' a="b"']),
    texts,
    st.lists(members, max_size=4).map("".join),
    st.sampled_from(["", "", "<Key>twice</Key>"]),
)
_opened = st.sampled_from(
    ["Contents", "Contents", "Contents", 'Contents a="b"', "Version", "DeleteMarker", "s:Contents"]
)
objects = st.builds(lambda name, inner: f"<{name}>{inner}</{name.split(' ')[0]}>", _opened, entries)
frames = st.sampled_from(
    [
        "<IsTruncated>false</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
        "<IsTruncated>true</IsTruncated><NextKeyMarker>a%2Bb</NextKeyMarker>",
        "<IsTruncated>maybe</IsTruncated>",
        "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>",
        "<EncodingType>base64</EncodingType><IsTruncated>false</IsTruncated>",
        "<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>",
        "<KeyCount>9</KeyCount><IsTruncated>false</IsTruncated>",
        "<CommonPrefixes><Prefix>a%2Fb/</Prefix></CommonPrefixes><IsTruncated>false</IsTruncated>",
        "",
    ]
)
heads = st.sampled_from(
    [
        "",
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        '<?xml version="1.0" encoding="latin-1"?>',
        '<?xml version="1.0" encoding="no-such"?>',
        '<?xml version="1.0" encoding="utf-7"?>',
        '<!DOCTYPE r [<!ENTITY foo "bar">]>',
        '<!DOCTYPE r [<!ENTITY foo SYSTEM "file:///etc/passwd">]>',
    ]
)
strange = st.builds(
    lambda head, frame, some, name: f'{head}<{name} xmlns:s="s">{frame}{"".join(some)}</{name}>'.encode(),
    heads,
    frames,
    st.lists(objects, max_size=4),
    st.sampled_from(["ListBucketResult", "ListVersionsResult", "R"]),
)
plain = st.lists(any_key, unique=True, max_size=6).map(lambda keys: ListedBucket(keys).fetch())
versioned = st.lists(any_key, unique=True, max_size=6).map(
    lambda keys: ListedBucket([(key, "v1") for key in keys], VERSIONS).fetch()
)
bodies = st.one_of(strange, torn(plain), torn(versioned), torn(strange, most=1), st.binary(max_size=30))


@fuzzed(150)
@given(bodies, st.sampled_from([OBJECTS, VERSIONS]))
def test_a_page_is_read_as_xml_is_or_refused(body: bytes, operation: str) -> None:
    with refusals():
        page = Page(body, operation)
        keys = page.decoded
        expected = _parsed(body, operation)
        if expected is not None:
            assert [key for key, _ in expected] == keys
            assert not page.versions or [version for _, version in expected] == page.versions
        assert all(keys)
        assert [page.decode(index) for index in range(len(keys))] == keys
        assert page.truncated or not page.next


@fuzzed(120)
@given(bodies, st.sampled_from([OBJECTS, VERSIONS]), st.sampled_from(range(len(SELECTIONS))))
def test_each_row_of_a_manifest_is_one_object_of_a_page(body: bytes, operation: str, which: int) -> None:
    with refusals():
        page = Page(body, operation)
        choice = SELECTIONS[which].choose(page, len(page.keys))
        rows, count = page.rows("bucket", len(page.keys), choice.copy)
        told = list(csv.reader(io.StringIO(rows.decode("ascii"), newline=""), strict=True))
        assert len(told) == count == rows.count(b"\n")
        assert {len(row) for row in told} <= {3 if page.versions else 2}
        assert {row[0] for row in told} <= {"bucket"}
        # As bytes: what is no text, as AWS's keys are, goes on as the server told it.
        keys = {unquote_to_bytes(key.replace(b"+", b" ")) for key in page.keys} if page.encoded else set()
        assert {unquote_to_bytes(row[1]) for row in told} <= keys | {key.encode() for key in _texts_of(page)}


@fuzzed(80)
@given(bodies, st.sampled_from([OBJECTS, VERSIONS]))
def test_what_a_page_holds_is_counted_and_compared_or_refused(body: bytes, operation: str) -> None:
    with refusals():
        page = Page(body, operation)
        census = Census()
        census.add(page, len(page.keys), Selection().choose(page, len(page.keys)))
        assert census.objects + sum(tally.objects for tally in census.archived.values()) <= len(page.keys)
        assert (
            sum(tally.objects for tally in census.prefixes.values()) + census.other_prefixes.objects
            == census.objects
        )
    with refusals():
        shown = stretch.read(Page(body, operation))
        for index in range(len(shown.keys)):
            entry = shown.entry(index)
            assert entry.size >= 0
            assert entry.modified.year
            assert isinstance(entry.etag + entry.storage_class, str)


@fuzzed(40)
@given(bodies)
def test_the_folders_of_a_page_are_all_told_or_it_is_refused(body: bytes) -> None:
    with refusals():
        assert all(isinstance(name, str) for name in _common_prefixes(body))


@pytest.mark.parametrize("operation", [OBJECTS, VERSIONS])
def test_entities_that_multiply_are_refused_before_they_fill_the_memory(operation: str) -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    body = f'<!DOCTYPE r [<!ENTITY l0 "lol">{lines}]><R><IsTruncated>false</IsTruncated><Key>&l11;</Key></R>'.encode()

    def refuse(sent: bytes) -> None:
        with pytest.raises(UnexpectedAnswer) as refused:
            _ = Page(sent, operation).decoded
        require_sentence(refused.value)

    assert peak_of(lambda: refuse(body)) < 16 * MEBIBYTE
    # In an encoding that hides the words.
    assert peak_of(lambda: refuse(body.decode().encode("utf-16"))) < 16 * MEBIBYTE


def test_elements_nested_without_end_are_refused() -> None:
    deep = b"<a>" * 5000 + b"</a>" * 5000
    body = b"<R><Contents><Key>a</Key>" + deep + b"</Contents><IsTruncated >false</IsTruncated></R>"
    with pytest.raises(UnexpectedAnswer) as refused:
        Page(body)
    require_sentence(refused.value)


def test_a_key_of_a_mebibyte_is_refused_in_a_sentence() -> None:
    body = (
        b"<R><Contents><Key>%ff" + b"x" * MEBIBYTE + b"</Key></Contents><IsTruncated>false</IsTruncated></R>"
    )
    page = Page(body.replace(b"<IsT", b"<EncodingType>url</EncodingType><IsT") + b" ")
    with pytest.raises(UnexpectedAnswer) as refused:
        _ = page.decoded
    require_sentence(refused.value)


def _parsed(body: bytes, operation: str) -> list[tuple[str, bytes]] | None:
    """What a parser of XML finds: keys and version ids of each object; None where it finds no XML."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - what is drawn here
    except (ElementTree.ParseError, LookupError, ValueError):
        return None
    names = {"Contents"} if operation == OBJECTS else {"Version", "DeleteMarker"}
    encoded = any(_local(item) == "EncodingType" and item.text == "url" for item in root)
    found = []
    for item in root:
        if _local(item) in names:
            key = next("".join(child.itertext()) for child in item if _local(child) == "Key")
            version = next((child.text or "" for child in item if _local(child) == "VersionId"), "")
            found.append((unquote_plus(key) if encoded else key, version.encode()))
    return found


def _texts_of(page: Page) -> list[str]:
    try:
        return page.decoded
    except UnexpectedAnswer:
        return []


def _local(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]

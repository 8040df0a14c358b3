"""A page of a listing, cut from its bytes: keys at the speed of a regular expression, or refused.

Contracts: API reference, ListObjectsV2 and ListObjectVersions. Keys are asked for URL-encoded and stay so until
somebody needs them decoded. A page of a form that is not known is parsed as XML; one that does not add up then is an
error, never a shorter page.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree
from xml.sax.saxutils import unescape

from seeder.errors import UnexpectedAnswer
from seeder.listing.lazy import lazy

_KEY = re.compile(rb"<Key>([^<]*)</Key>")
_VERSION_ID = re.compile(rb"<VersionId>([^<]*)</VersionId>")
_KIND = re.compile(rb"<(Version|DeleteMarker)>")
_FIELDS = {
    name: re.compile(rb"<%b>([^<]*)</%b>" % (name, name))
    for name in (
        b"ContinuationToken",
        b"EncodingType",
        b"IsTruncated",
        b"KeyCount",
        b"NextContinuationToken",
        b"NextKeyMarker",
        b"NextVersionIdMarker",
    )
}
_OBJECTS = {"ListObjectsV2": (b"<Contents>",), "ListObjectVersions": (b"<Version>", b"<DeleteMarker>")}
_TAGS = {"ListObjectsV2": {"Contents"}, "ListObjectVersions": {"Version", "DeleteMarker"}}
# What a manifest may hold of an encoded key as it is: letters, digits, these, and `%` with two upper-case digits.
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/*%\0"
_TAIL = 64
_ODD_ESCAPE = re.compile(rb"%(?:2F|[0-9A-F]?(?![0-9A-F]))")
_NUMBERED = re.compile(r"&#(x[0-9A-Fa-f]+|[0-9]+);")


class Page:
    """The objects (or versions and delete markers) of one page, in the order in which they came.

    `keys` are as on the wire; `versions` and `markers` are given for ListObjectVersions: version ids, and whether an
    entry is a delete marker (empty when none is). `next` are the parameters that continue after this page.
    Raises UnexpectedAnswer for a page that can't be understood.
    """

    def __init__(self, body: bytes, operation: str = "ListObjectsV2") -> None:
        self.body = body
        self.operation = operation
        self.keys = _KEY.findall(body)
        self.versions: list[bytes] = []
        self.markers: list[bool] = []
        versioned = operation == "ListObjectVersions"
        # KeyCount, where it is told, spares counting the objects.
        told = b"" if versioned else b"<KeyCount>%d</KeyCount>" % len(self.keys)
        expected = len(self.keys) if told and told in body else sum(map(body.count, _OBJECTS[operation]))
        if versioned:
            self.versions = _VERSION_ID.findall(body)
            if b"<DeleteMarker>" in body:
                self.markers = [kind == b"DeleteMarker" for kind in _KIND.findall(body)]
        counts_agree = len(self.keys) == expected and (not versioned or len(self.versions) == expected)
        if (
            not counts_agree
            or b"<IsTruncated>" not in body
            or not body[-_TAIL:].rstrip().endswith(b"Result>")
        ):
            self._parse_xml()
        if self._field(b"EncodingType") not in {"", "url"}:
            raise UnexpectedAnswer(f"a page encoded as {self._field(b'EncodingType')!r}: only 'url' is known")
        self._check_count()

    @lazy
    def encoded(self) -> bool:
        """Whether keys are URL-encoded, as was asked for."""
        return self._field(b"EncodingType") == "url"

    @lazy
    def truncated(self) -> bool:
        """Whether the listing goes on after this page."""
        said = self._field(b"IsTruncated")
        if said not in {"true", "false"}:
            raise UnexpectedAnswer(f"a page whose IsTruncated is {said!r}")
        return said == "true"

    @lazy
    def next(self) -> dict[str, str]:
        """The parameters with which the next page is asked for; empty when there is none."""
        if not self.truncated:
            return {}
        if self.operation == "ListObjectsV2":
            token = self._field(b"NextContinuationToken")
            return {"ContinuationToken": token} if token else {}
        key, version = self._field(b"NextKeyMarker"), self._field(b"NextVersionIdMarker")
        key = unquote_plus(key) if self.encoded else key
        return {"KeyMarker": key} | ({"VersionIdMarker": version} if version else {})

    def decode(self, index: int) -> str:
        """Return a key as it is."""
        return decode_key(self.keys[index], self.encoded)

    @lazy
    def decoded(self) -> list[str]:
        """All keys as they are."""
        joined = self._joined
        if self.encoded and self.keys and b"%00" not in joined and b"&" not in joined:
            return unquote_plus(joined.decode("utf-8"), errors="strict").split("\0")
        return [decode_key(key, self.encoded) for key in self.keys]

    @lazy
    def ascending(self) -> bool:
        """Whether the keys came in the order of their UTF-8 bytes, as AWS's general-purpose buckets list them."""
        keys = self.decoded
        return keys == sorted(keys)

    def cut(self, end: str) -> int:
        """Return how many of the keys, which must be ascending, are not after `end`; all where `end` is empty."""
        if not end or not self.keys or self.decode(-1) <= end:
            return len(self.keys)
        return bisect_right(self.decoded, end)

    def rows(self, bucket: str, stop: int, chosen: list[int] | None = None) -> tuple[bytes, int]:
        """Return manifest rows (`bucket,key` or `bucket,key,version`) and how many they are.

        They are those of the first `stop` entries, or of the `chosen` ones. Delete markers are left out. A raw `+`
        is never written.
        """
        if self.markers or chosen is not None:
            indices = range(stop) if chosen is None else chosen
            chosen = [index for index in indices if not (self.markers and self.markers[index])]
        keys = self._row_keys
        if self.versions:
            keys = [b"%b,%b" % pair for pair in zip(keys, self.versions, strict=True)]
        keys = keys[:stop] if chosen is None else [keys[index] for index in chosen]
        lead = bucket.encode() + b","
        return (lead + (b"\n" + lead).join(keys) + b"\n" if keys else b""), len(keys)

    @lazy
    def _joined(self) -> bytes:
        return b"\0".join(self.keys)

    @lazy
    def _row_keys(self) -> list[bytes]:
        """The keys as a manifest holds them: as they came where that can stand there, else encoded anew."""
        joined = self._joined.replace(b"+", b"%20")
        plain = not joined.translate(None, _PLAIN) and not (b"%" in joined and _ODD_ESCAPE.search(joined))
        if self.encoded and plain:
            return joined.split(b"\0") if self.keys else []
        return [encode_key(key).encode() for key in self.decoded]

    def _field(self, name: bytes) -> str:
        found = _FIELDS[name].findall(self._frame)
        if len(found) > 1:
            raise UnexpectedAnswer(f"a page with {name.decode()} more than once")
        return _plain_text(found[0]) if found else ""

    @lazy
    def _frame(self) -> bytes:
        """The body without its objects; fields are looked for there alone, for that is a hundred times faster."""
        opening = [at for at in map(self.body.find, _OBJECTS[self.operation]) if at >= 0]
        if not opening:
            return self.body
        closing = max(self.body.rfind(tag.replace(b"<", b"</")) for tag in _OBJECTS[self.operation])
        return self.body[: min(opening)] + self.body[closing:]

    def _check_count(self) -> None:
        said = self._field(b"KeyCount")
        if not said or said == str(len(self.keys)):
            return
        if said != str(len(self.keys) + self.body.count(b"<CommonPrefixes>")):
            raise UnexpectedAnswer(f"a page with KeyCount {said} holds {len(self.keys)} keys")

    def _parse_xml(self) -> None:
        """Read an unusual page as XML: prefixes, comments, CDATA, or other order of elements."""
        try:
            root = ElementTree.fromstring(self.body)  # noqa: S314 - botocore parses the same bytes the same way
        except ElementTree.ParseError as error:
            raise UnexpectedAnswer(f"a page that is not XML: {error}") from error
        objects = [item for item in root if _local(item.tag) in _TAGS[self.operation]]
        self.keys = [_child(item, "Key") for item in objects]
        if self.operation == "ListObjectVersions":
            self.versions = [_child(item, "VersionId") for item in objects]
            self.markers = [_local(item.tag) == "DeleteMarker" for item in objects]
        fields = {_local(item.tag): (item.text or "") for item in root if not len(item)}
        prefixes = sum(_local(item.tag) == "CommonPrefixes" for item in root)
        self.body = (
            b"".join(
                b"<%b>%b</%b>" % (name, _escaped(fields[name.decode()]), name)
                for name in _FIELDS
                if name.decode() in fields
            )
            + b"<CommonPrefixes>" * prefixes
        )


def encode_key(key: str) -> str:
    """Return a key as a manifest holds it: percent-encoded UTF-8, `/` left as it is."""
    return quote(key, safe="/")


def decode_key(key: bytes, encoded: bool) -> str:
    """Return a key as it is, from its bytes on the wire."""
    text = _plain_text(key)
    return unquote_plus(text, errors="strict") if encoded else text


def _plain_text(value: bytes) -> str:
    text = value.decode("utf-8")
    if "&" not in text:
        return text
    text = _NUMBERED.sub(_character, text)
    return unescape(text, {"&quot;": '"', "&apos;": "'"})


def _character(match: re.Match[str]) -> str:
    number = match[1]
    character = chr(int(number[1:], 16) if number.startswith("x") else int(number))
    return "&amp;" if character == "&" else character


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _child(item: ElementTree.Element, name: str) -> bytes:
    found = [child.text or "" for child in item if _local(child.tag) == name]
    if len(found) != 1:
        raise UnexpectedAnswer(f"an object with {len(found)} elements {name}")
    return _escaped(found[0])


def _escaped(text: str) -> bytes:
    return text.replace("&", "&amp;").encode()

"""A page of a listing, cut from its bytes: keys at the speed of a regular expression, or refused.

Contracts: API reference, ListObjectsV2 and ListObjectVersions. Keys are asked for URL-encoded and stay so until
somebody needs them decoded. A page of a form that is not known is parsed as XML; one that does not add up then is an
error, never a shorter page.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree

from seeder.errors import UnexpectedAnswer
from seeder.listing.lazy import lazy

_KEY = re.compile(rb"<Key>([^<]*)</Key>")
_VERSION = re.compile(rb"<Key>([^<]*)</Key><VersionId>([^<]*)</VersionId>")
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
# A page that says so, or holds one of these, is not cut but parsed: a comment may hold a key, CDATA a bracket, and XML
# reads line ends in its own way.
_OTHER_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*['\"](?!utf-8['\"])", re.IGNORECASE)
_OBJECTS = {"ListObjectsV2": (b"<Contents>",), "ListObjectVersions": (b"<Version>", b"<DeleteMarker>")}
# What stands twice in each object, whatever else it lacks, with a prefix or attributes too.
_TWO_EACH = {"ListObjectsV2": b"Contents>", "ListObjectVersions": b"IsLatest>"}
_TAGS = {"ListObjectsV2": {"Contents"}, "ListObjectVersions": {"Version", "DeleteMarker"}}
# What a manifest may hold of an encoded key as it is: letters, digits, these, and `%` with two upper-case digits.
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/*%\0,"
# S3 User Guide, "Versioning workflows": version ids are opaque, URL-ready texts.
_OF_VERSIONS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/="
_HEAD, _TAIL = 200, 64
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_MOST_ESCAPES = 8
_ODD_ESCAPE = re.compile(rb"%(?:2F|[0-9A-F]?(?![0-9A-F]))")
# The ampersand comes last: what it begins then is none of the others.
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
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
        self.keys: list[bytes] = []
        self.versions: list[bytes] = []
        self.markers: list[bool] = []
        if operation == "ListObjectsV2":
            self.keys = _KEY.findall(body)
            # KeyCount, where it is told, spares counting the objects.
            told = b"<KeyCount>%d</KeyCount>" % len(self.keys) in body
        else:
            self._cut_versions()
            told = False
        if (
            not (told or body.count(_TWO_EACH[operation]) == 2 * len(self.keys))
            or b"<IsTruncated>" not in body
            or not body[-_TAIL:].rstrip().endswith(b"Result>")
            or _is_odd(body)
        ):
            self._parse_xml()
        if b"" in self.keys:
            raise UnexpectedAnswer("a page with an object that has no key")
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
        with understood():
            key = unquote_plus(key, errors="strict") if self.encoded else key
        return {"KeyMarker": key} | ({"VersionIdMarker": version} if version else {})

    def decode(self, index: int) -> str:
        """Return a key as it is."""
        return decode_key(self.keys[index], self.encoded)

    @lazy
    def decoded(self) -> list[str]:
        """All keys as they are."""
        if self.encoded and self.keys:
            with understood():
                split = _decoded(b"\0".join(self.keys))
            if len(split) == len(self.keys):
                return split
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
        return bisect_right(range(len(self.keys)), end, key=self.decode)

    def rows(self, bucket: str, stop: int, chosen: list[int] | None = None) -> tuple[bytes, int]:
        """Return manifest rows (`bucket,key` or `bucket,key,version`) and how many they are.

        They are those of the first `stop` entries, or of the `chosen` ones. Delete markers are left out. A raw `+`
        is never written.
        """
        if self.markers and chosen is None:
            chosen = list(range(stop))
        if chosen is None:
            keys, versions = self.keys[:stop], self.versions[:stop]
        else:
            chosen = [index for index in chosen if not (self.markers and self.markers[index])]
            keys = [self.keys[index] for index in chosen]
            versions = [self.versions[index] for index in chosen] if self.versions else []
        if not keys:
            return b"", 0
        lead = bucket.encode() + b","
        joined = self._joined_rows(keys, versions)
        return lead + joined.replace(b"\0", b"\n" + lead) + b"\n", len(keys)

    def _joined_rows(self, keys: list[bytes], versions: list[bytes]) -> bytes:
        """The rows without their bucket, joined by NUL; keys as they came where that can stand there, or anew."""
        if versions and b"".join(versions).translate(None, _OF_VERSIONS):
            raise UnexpectedAnswer("a page with a version id that no manifest can hold")
        rows = map(b",".join, zip(keys, versions, strict=True)) if versions else keys
        joined = b"\0".join(rows)
        if not versions:
            joined = joined.replace(b"+", b"%20")
        plain = not joined.translate(None, _PLAIN) and joined.count(b",") == len(versions)
        if self.encoded and plain and not (b"%" in joined and _ODD_ESCAPE.search(joined)):
            return joined
        encoded = [encode_key(decode_key(key, self.encoded)).encode() for key in keys]
        return b"\0".join(map(b",".join, zip(encoded, versions, strict=True)) if versions else encoded)

    def _cut_versions(self) -> None:
        """Cut keys and version ids; a marker is where the text goes on after `<DeleteMarker>`."""
        found = _VERSION.findall(self.body)
        self.keys, self.versions = [key for key, _ in found], [version for _, version in found]
        if b"<DeleteMarker>" in self.body:
            first, *parts = self.body.split(b"<DeleteMarker>")
            self.markers = [False] * first.count(b"<Key>")
            for part in parts:
                self.markers += [True] + [False] * (part.count(b"<Key>") - 1)

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
        root = parse_xml(self.body)
        objects = [item for item in root if _local(item.tag) in _TAGS[self.operation]]
        self.keys = [_child(item, "Key") for item in objects]
        if self.operation == "ListObjectVersions":
            self.versions = [_child(item, "VersionId") for item in objects]
            self.markers = [_local(item.tag) == "DeleteMarker" for item in objects]
        frame = [item for item in root if item not in objects]
        with understood():
            self.body = b"".join(map(_plainly, frame + objects))


def _decoded(joined: bytes) -> list[str]:
    """Decode keys joined by NUL, all at once; another number of keys comes back where that can't be done."""
    if any(part in joined for part in (b"%00", b"%FF", b"%ff", b"\xff", b"&")):
        return []
    # 0xFF is in no UTF-8 text: it stands for a decoded `%` until nothing else is encoded.
    left = joined.replace(b"+", b" ").replace(b"%25", b"\xff")
    for _ in range(_MOST_ESCAPES):
        at = left.find(b"%")
        if at < 0:
            return left.replace(b"\xff", b"%").decode("utf-8").split("\0")
        escape = left[at : at + 3]
        if not _ESCAPE.fullmatch(escape):
            return []
        left = left.replace(escape, bytes.fromhex(escape[1:].decode()))
    return unquote_plus(joined.decode("utf-8"), errors="strict").split("\0")


def encode_key(key: str) -> str:
    """Return a key as a manifest holds it: percent-encoded UTF-8, `/` left as it is."""
    return quote(key, safe="/")


def decode_key(key: bytes, encoded: bool) -> str:
    """Return a key as it is, from its bytes on the wire. Raises UnexpectedAnswer for what is no text."""
    with understood():
        text = _plain_text(key)
        return unquote_plus(text, errors="strict") if encoded else text


class understood:  # noqa: N801 - used as a function; a generator would take three times as long for each key
    """Turn what reading a page's values raises within the block into an UnexpectedAnswer."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, ValueError | OverflowError | RecursionError):
            raise UnexpectedAnswer(f"a page with a value that can't be read: {error}") from error


def parse_xml(body: bytes) -> ElementTree.Element:
    """Return what a page says as XML. Raises UnexpectedAnswer where it is none, or defines entities of its own."""
    # UTF-16 would hide the word.
    if b"<!DOCTYPE" in body or b"\0" in body:
        raise UnexpectedAnswer("a page with a document type of its own")
    try:
        return ElementTree.fromstring(body)  # noqa: S314 - botocore parses the same bytes the same way
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise UnexpectedAnswer(f"a page that is not XML: {error}") from error


def _is_odd(body: bytes) -> bool:
    """Whether a page holds what only a parser of XML reads right; a look takes some microseconds.

    A raw carriage return is none of it: a parser makes a line feed of it, and whoever sends one in a key means it.
    """
    if b"\0" in body or (b"!" in body and b"<!" in body) or _OTHER_ENCODING.search(body, 0, _HEAD):
        return True
    if not body.isascii():
        with understood():
            body.decode("utf-8")
    return False


def _plainly(element: ElementTree.Element) -> bytes:
    """Return an element as AWS would write it: no prefixes, no attributes, no space between elements."""
    name = _local(element.tag).encode()
    inner = (
        b"".join(map(_plainly, element))
        if len(element)
        else html.escape(element.text or "", quote=False).encode()
    )
    return b"<%b>%b</%b>" % (name, inner, name)


def _plain_text(value: bytes) -> str:
    text = value.decode("utf-8")
    if "&" not in text:
        return text
    text = _NUMBERED.sub(_character, text)
    for name, character in _ENTITIES:
        text = text.replace(name, character)
    return text


def _character(match: re.Match[str]) -> str:
    number = match[1]
    character = chr(int(number[1:], 16) if number.startswith("x") else int(number))
    character.encode()
    return "&amp;" if character == "&" else character


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _child(item: ElementTree.Element, name: str) -> bytes:
    found = [child for child in item if _local(child.tag) == name]
    if len(found) != 1 or len(found[0]):
        raise UnexpectedAnswer(f"an object with {len(found)} elements {name}, or with elements in one")
    return _escaped(found[0].text or "")


def _escaped(text: str) -> bytes:
    return text.replace("&", "&amp;").encode()

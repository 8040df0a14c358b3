"""Pairs of buckets in memory whose entries differ in every way, and their comparison entry by entry."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from seeder.listing.page import Page
from seeder.listing.selection import Selection
from seeder.listing.stretch import Entry, read
from tests.keys import any_key
from tests.listed import ListedBucket, encode

START = datetime(2026, 3, 1, tzinfo=UTC)
Name = tuple[str, str]


@dataclass(frozen=True)
class Fact:
    """What a listing shows of an object; `hours` is when it was written, counted from START."""

    size: int = 1
    etag: str = "a"
    hours: int = -1
    storage: str = "STANDARD"
    checksum: bool = False
    deleted: bool = False
    restored: bool = False

    @property
    def archived(self) -> bool:
        """Whether it can't be read."""
        return self.storage in {"GLACIER", "DEEP_ARCHIVE"} and not self.restored

    @property
    def modified(self) -> datetime:
        return START + timedelta(hours=self.hours)

    def entry(self, key: str, version: str = "") -> Entry:
        """Return what a listing of this alone is read as."""
        operation = "ListObjectVersions" if version else "ListObjectsV2"
        body = FactBucket({(key, version): self}, operation).fetch()
        return read(Page(body, operation)).entry(0)

    @property
    def xml(self) -> str:
        time = f"<LastModified>{self.modified:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
        if self.deleted:
            return time
        checksum = "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm>" if self.checksum else ""
        etag = f"<ETag>&quot;{self.etag}&quot;</ETag>"
        storage = f"<StorageClass>{self.storage}</StorageClass>"
        if self.restored:
            storage += "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus>"
        return f"{time}{etag}{checksum}<Size>{self.size}</Size>{storage}"


Side = dict[Name, Fact]


class FactBucket(ListedBucket):
    """A listed bucket with facts of its own for each entry; the versions of a key are in the order given."""

    def __init__(self, side: Side, operation: str = "ListObjectsV2", page: int = 1000) -> None:
        super().__init__(list(side), operation, page)
        self._side = side

    def _objects(self, shown: list[Name], truncated: bool, following: int, folders: str = "") -> bytes:
        objects = "".join(
            f"<Contents><Key>{escape(encode(name[0]))}</Key>{self._side[name].xml}</Contents>"
            for name in shown
        )
        token = f"<NextContinuationToken>{following}</NextContinuationToken>" if truncated else ""
        return (
            f"<ListBucketResult><EncodingType>url</EncodingType><KeyCount>{len(shown)}</KeyCount>"
            f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{token}{objects}</ListBucketResult>"
        ).encode()

    def _versions(self, shown: list[Name], truncated: bool, last: Name, folders: str = "") -> bytes:
        body = super()._versions([], truncated, last).decode()
        objects = "".join(
            f"<{kind}><Key>{escape(encode(name[0]))}</Key><VersionId>{name[1]}</VersionId>"
            f"<IsLatest>false</IsLatest>{self._side[name].xml}</{kind}>"
            for name in shown
            for kind in ["DeleteMarker" if self._side[name].deleted else "Version"]
        )
        return body.replace("</ListVersionsResult>", f"{objects}</ListVersionsResult>").encode()


@dataclass
class Expected:
    """How many entries are of each kind, and those that the destination needs."""

    counts: Counter[str] = field(default_factory=Counter)
    needed: list[Name] = field(default_factory=list)


def expected(ours: Side, theirs: Side, selection: Selection, archives: bool = True) -> Expected:
    """Compare two buckets the plain way; `archives` tells whether archived objects are counted apart."""
    found = Expected()
    filters = selection.filters
    for name, one in ours.items():
        if one.deleted:
            continue
        time = one.modified.isoformat()
        if filters and not selection.wants(name[0], one.size, one.storage, time):
            continue
        kind = _kind(name, one, theirs.get(name), archives)
        found.counts[kind] += 1
        if kind in {"missing", "different"}:
            found.needed.append(name)
    for name, other in theirs.items():
        if name not in ours and not other.deleted and not filters:
            found.counts["during" if other.hours > 0 else "extra"] += 1
    return found


def _kind(name: Name, one: Fact, other: Fact | None, archives: bool) -> str:
    if other is not None and _same(name, one, other):
        return "equal"
    if archives and other is None and one.archived:
        return "archived"
    if one.hours >= 0:
        return "during"
    return "different" if other else "missing"


def _same(name: Name, one: Fact, other: Fact) -> bool:
    if one.size != other.size or one.etag == other.etag:
        return one.size == other.size
    if "-" not in one.etag + other.etag:
        return False
    return name[1] not in {"", "null"} or other.hours >= one.hours


_facts = st.builds(
    Fact,
    size=st.integers(1, 2),
    etag=st.sampled_from(["a", "a", "b", "a-2", "b-3"]),
    hours=st.integers(-2, 2),
    storage=st.sampled_from(["STANDARD", "STANDARD", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"]),
    checksum=st.booleans(),
    restored=st.sampled_from([False, False, True]),
)
_versions = st.sampled_from(["null", "v1", "v2", "v3", "gone"])


@st.composite
def sides(draw: st.DrawFn, versioned: bool, most: int = 40) -> tuple[Side, Side]:
    """Draw two buckets that have much in common; versions of a key come in another order on either side."""
    keys = st.one_of(any_key, st.integers(0, 30).map(lambda number: f"k/{number:03}"))
    names = draw(
        st.lists(st.tuples(keys, _versions if versioned else st.just("")), unique=True, max_size=most)
    )
    both: tuple[Side, Side] = ({}, {})
    for name in names:
        fact = draw(_facts)
        other = fact if draw(st.booleans()) else draw(_facts)
        where = draw(st.sampled_from(["ours", "theirs", "both", "both", "both"]))
        for side, place, one in zip(both, ("theirs", "ours"), (fact, other), strict=True):
            if where != place:
                side[name] = Fact(hours=one.hours, deleted=True) if name[1] == "gone" else one
    return both[0], dict(draw(st.permutations(list(both[1].items()))))

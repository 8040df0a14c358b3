"""As what each object of two buckets that is not the same on both is counted, and which of them are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from seeder.listing.difference import Pair, unequal
from seeder.listing.page import encode_key
from seeder.listing.selection import ARCHIVED, Selection
from seeder.listing.stretch import Entry, Stretch
from seeder.listing.tagged import Tagged

Kind = Literal["missing", "different", "extra", "archived", "during"]
KINDS: tuple[Kind, ...] = ("missing", "different", "extra", "archived", "during")
_OF_THE_SOURCE = frozenset({"missing", "different", "archived"})


class Compared(BaseModel):
    """What a comparison of both buckets has found.

    Each object, or version, is counted once: as `equal`, `missing` (from the destination), `different`, `extra` (in the
    destination alone), `archived` (missing, and of an archive class), or, in place of missing, different or extra,
    `during`: written by others since the run began. `examples` has one key for each but `equal`. Where only objects
    with certain tags are seeded, those that are missing, different or archived have them, and the equal are not asked.
    """

    model_config = ConfigDict(frozen=True)

    equal: int = 0
    missing: int = 0
    different: int = 0
    extra: int = 0
    archived: int = 0
    during: int = 0
    examples: dict[Kind, str] = Field(default={})

    @property
    def counts(self) -> dict[str, int]:
        """The counts, by their names."""
        return {name: getattr(self, name) for name in ("equal", *KINDS)}


class Judged(NamedTuple):
    """What is counted, as what, and whose name it has: the source's where it holds it."""

    kind: Kind
    entry: Entry


class Judge:
    """Adds what stretches show to `counts` and `examples`; `need` gets what of the source is not the same there.

    That is what is missing, different or archived. With `tagged` only those objects of the source count that have the
    tags, and nothing in the destination is extra.
    """

    def __init__(
        self,
        before: Compared,
        need: Callable[[list[Judged]], None],
        started_at: datetime,
        selection: Selection,
        etags: bool,
        own: str = "",
        tagged: Tagged | None = None,
    ) -> None:
        self.counts = before.counts
        self.examples = dict(before.examples)
        self._need = need
        self._started_at = started_at
        self._selection = selection
        self._etags = etags
        self._own = own
        self._tagged = tagged

    @property
    def wanted(self) -> Callable[[Entry], bool] | None:
        """Which entries of the source are looked at; None: all."""
        return self._passes if self._selection.filters else None

    def take(self, ours: Stretch, theirs: Stretch) -> None:
        """Judge a stretch. Raises Untaken before anything of it is counted, and what `need` or `Tagged.having` does."""
        pairs = list(unequal(ours, theirs, self._etags))
        judged = self._with_tags([one for pair in pairs if (one := self._judged(pair))])
        self.counts["equal"] += ours.proven + len(ours.keys) - sum(pair.ours is not None for pair in pairs)
        for kind, entry in judged:
            self.counts[kind] += 1
            self.examples.setdefault(kind, entry.key)
        needed = [one for one in judged if one.kind in _OF_THE_SOURCE]
        if needed:
            self._need(needed)

    def kind(self, pair: Pair) -> Kind | None:
        """Return as what a pair that is not the same is counted; None: it is not judged."""
        ours, theirs = pair
        entry = ours or theirs
        if self._own and entry and entry.key.startswith(self._own):
            return "during"
        if ours is None:
            if theirs is None or self._selection.filters or self._tagged:
                return None
            return "during" if theirs.modified > self._started_at else "extra"
        if theirs is None and self._is_archived(ours):
            return "archived"
        if ours.modified >= self._started_at:
            return "during"
        return "different" if theirs else "missing"

    def _is_archived(self, ours: Entry) -> bool:
        readable = self._selection.restored and ours.restored
        return self._selection.archived and not readable and ours.storage_class in ARCHIVED

    def _judged(self, pair: Pair) -> Judged | None:
        kind, entry = self.kind(pair), pair.ours or pair.theirs
        return Judged(kind, entry) if kind and entry else None

    def _with_tags(self, judged: list[Judged]) -> list[Judged]:
        """Leave out what lacks the tags."""
        if self._tagged is None:
            return judged
        asked = [index for index, one in enumerate(judged) if one.kind in _OF_THE_SOURCE]
        if not asked:
            return judged
        entries = [judged[index].entry for index in asked]
        having = self._tagged.having([(entry.key, entry.version) for entry in entries])
        lacking = set(asked) - {asked[index] for index in having}
        return [one for index, one in enumerate(judged) if index not in lacking]

    def _passes(self, entry: Entry) -> bool:
        return self._selection.wants(entry.key, entry.size, entry.storage_class, entry.time.decode())


def rows(bucket: str, entries: Iterable[Entry]) -> tuple[bytes, int]:
    """Return manifest rows (`bucket,key` or `bucket,key,version`) of entries, and how many they are."""
    lines = [
        f"{bucket},{encode_key(entry.key)}{',' if entry.version else ''}{entry.version}\n"
        for entry in entries
    ]
    return "".join(lines).encode(), len(lines)

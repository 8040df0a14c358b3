"""As what each object of two buckets that is not the same on both is counted, and which of them are needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from seeder.listing.difference import Pair, unequal
from seeder.listing.page import encode_key
from seeder.listing.selection import ARCHIVED, Selection
from seeder.listing.stretch import Entry, Stretch
from seeder.sink import Sink

Kind = Literal["missing", "different", "extra", "archived", "during"]
KINDS: tuple[Kind, ...] = ("missing", "different", "extra", "archived", "during")


class Judge:
    """Adds what stretches show to `counts` and `examples`, and writes rows of what is missing or different."""

    def __init__(
        self,
        counts: dict[str, int],
        examples: dict[Kind, str],
        rows: Sink,
        source_name: str,
        started_at: datetime,
        selection: Selection,
        etags: bool,
        own: str = "",
    ) -> None:
        self.counts = dict(counts)
        self.examples = dict(examples)
        self._rows = rows
        self._lead = f"{source_name},"
        self._started_at = started_at
        self._selection = selection
        self._etags = etags
        self._own = own

    @property
    def wanted(self) -> Callable[[Entry], bool] | None:
        """Which entries of the source are looked at; None: all."""
        return self._passes if self._selection.filters else None

    def take(self, ours: Stretch, theirs: Stretch) -> None:
        """Judge a stretch. Raises UnexpectedAnswer, and what an upload raised."""
        self.counts["equal"] += ours.proven + len(ours.keys)
        needed = []
        for pair in unequal(ours, theirs, self._etags):
            self.counts["equal"] -= pair.ours is not None
            kind = self.kind(pair)
            entry = pair.ours or pair.theirs
            if kind is None or entry is None:
                continue
            self.counts[kind] += 1
            self.examples.setdefault(kind, entry.key)
            if kind in {"missing", "different"}:
                needed.append(self._row(entry))
        if needed:
            self._rows.write("".join(needed).encode(), len(needed))

    def kind(self, pair: Pair) -> Kind | None:
        """Return as what a pair that is not the same is counted; None: it is not judged."""
        ours, theirs = pair
        entry = ours or theirs
        if self._own and entry and entry.key.startswith(self._own):
            return "during"
        if ours is None:
            if theirs is None or self._selection.filters:
                return None
            return "during" if theirs.modified > self._started_at else "extra"
        if theirs is None and self._selection.archived and ours.storage_class in ARCHIVED:
            return "archived"
        if ours.modified >= self._started_at:
            return "during"
        return "different" if theirs else "missing"

    def _passes(self, entry: Entry) -> bool:
        return self._selection.wants(entry.key, entry.size, entry.storage_class, entry.time.decode())

    def _row(self, entry: Entry) -> str:
        version = f",{entry.version}" if entry.version else ""
        return f"{self._lead}{encode_key(entry.key)}{version}\n"

"""Bytes to rows, in process: a page of a listing into manifest rows.

    python -m benchmarks.manifest_rows

Each piece of work is repeated until a repetition takes 50 ms, and repetitions are done in turn with the others';
the table gives their median, the least and the median deviation. Our functions are called as the listing calls them.
"""

from __future__ import annotations

import csv
import io
import re
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from botocore.parsers import create_parser
from botocore.session import Session

from benchmarks import tables
from benchmarks.measure import median
from benchmarks.synthetic.service import Service, Settings

ROWS = 1000

_REPETITIONS = 9
_LEAST_SECONDS = 0.05
_BUCKET = "source"
_KEY = re.compile(rb"<Key>([^<]*)</Key>")
_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class Work:
    """Something to time; `run` returns how many rows it made, so that all are known to do the same."""

    name: str
    run: Callable[[], int]
    rows: int = ROWS


def page(space: str, of_versions: bool = False) -> bytes:
    """Return a page of a thousand rows as S3 sends it."""
    kind = "versions" if of_versions else "list-type=2"
    with TemporaryDirectory() as directory:
        service = Service(Settings(space, 3 * ROWS), Path(directory))
        return service.answer("GET", f"/{_BUCKET}?{kind}&encoding-type=url", {}, b"").body


def pages(space: str, of_versions: bool = False) -> list[Work]:
    """Return the ways from a page to manifest rows, botocore's parser first."""
    body = page(space, of_versions)
    operation = "ListObjectVersions" if of_versions else "ListObjectsV2"
    works = [
        Work("botocore's parser + csv", lambda: _by_botocore(body, operation)),
        Work("ElementTree + csv", lambda: _by_elements(body, of_versions)),
        Work("keys by one regular expression", lambda: len(_KEY.findall(body))),
    ]
    try:
        page_class = import_module("seeder.listing.page").Page
        selection_class = import_module("seeder.listing.selection").Selection
    except (ImportError, AttributeError) as error:
        print(f"- ours: skipped, {error}")
        return works
    selection = selection_class(largest=None) if of_versions else selection_class()
    markers = body.count(b"<DeleteMarker>")
    ours = Work("ours", lambda: _by_ours(page_class, selection, body, operation), ROWS - markers)
    return [*works, ours]


def table(title: str, works: list[Work]) -> str:
    """Time the works in turn and return their table; the first is what the others are compared with."""
    timers = [timeit.Timer(work.run) for work in works]
    loops = []
    for work, timer in zip(works, timers, strict=True):
        made = work.run()
        if made != work.rows:
            raise AssertionError(f"{title}, {work.name}: {made} rows instead of {work.rows}")
        once = min(timer.repeat(2, 1))
        loops.append(max(1, round(_LEAST_SECONDS / once)))
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(_REPETITIONS):
        for times, timer, number in zip(taken, timers, loops, strict=True):
            times.append(timer.timeit(number) / number / ROWS * 1e6)
    base = median(taken[0])
    cells = [_cells(work, times, base) for work, times in zip(works, taken, strict=True)]
    return tables.grid(title, ("way", "µs a row", "least", "deviation", "rows/s", "x the first"), cells)


def _cells(work: Work, times: list[float], base: float) -> list[str]:
    middle = median(times)
    deviation = median([abs(one - middle) for one in times])
    numbers = [f"{middle:.3f}", f"{min(times):.3f}", f"{deviation:.3f}"]
    return [work.name, *numbers, f"{1e6 / middle:,.0f}", f"{base / middle:.1f}"]


def _by_botocore(body: bytes, operation: str) -> int:
    model = _model().operation_model(operation)
    response = {"body": body, "headers": {}, "status_code": 200}
    parsed: dict[str, Any] = create_parser("rest-xml").parse(response, model.output_shape)
    items = [*parsed.get("Contents", []), *parsed.get("Versions", []), *parsed.get("DeleteMarkers", [])]
    rows = [(_BUCKET, item["Key"], item.get("VersionId", "")) for item in items]
    return _written(rows)


@cache
def _model() -> Any:
    return Session().get_service_model("s3")


def _by_elements(body: bytes, of_versions: bool) -> int:
    root = ElementTree.fromstring(body)  # noqa: S314 - our own page
    names = ("Version", "DeleteMarker") if of_versions else ("Contents",)
    items = [item for name in names for item in root.iter(f"{_S3}{name}")]
    rows = [(_BUCKET, item.findtext(f"{_S3}Key"), item.findtext(f"{_S3}VersionId")) for item in items]
    return _written(rows)


def _written(rows: list[tuple[Any, ...]]) -> int:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return len(rows)


def _by_ours(page_class: Any, selection: Any, body: bytes, operation: str) -> int:
    made = page_class(body, operation)
    _ = made.next
    choice = selection.choose(made, len(made.keys))
    count: int = made.rows(_BUCKET, len(made.keys), choice.copy)[1]
    return count + len(choice.large) + len(choice.archived)


def main() -> None:
    """Print all tables."""
    for space in ("flat", "nested", "awkward"):
        print(table(f"A page of objects, {space}", pages(space)), flush=True)
    print(table("A page of versions", pages("versions", of_versions=True)), flush=True)


if __name__ == "__main__":
    main()

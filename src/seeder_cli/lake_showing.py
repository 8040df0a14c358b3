"""What `seeder lake` shows: rows in columns, or one JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from seeder_cli.columns import columns
from seeder_cli.terminal import printable

if TYPE_CHECKING:
    from seeder.lake.upkeep import Finding

COUNTS = ("files", "records", "bytes", "schema_version", "updated_at")


def findings(found: list[Finding]) -> list[list[str]]:
    """Return a row for each finding."""
    return [[one.problem, one.key, one.detail] for one in found]


def counted(datasets: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Return a row for each dataset, with its COUNTS."""
    return [[name, *(_shown(held[count]) for count in COUNTS)] for name, held in datasets.items()]


def file_of(held: dict[str, Any]) -> dict[str, Any]:
    """Return of a registered file what tells which it is."""
    return {name: held[name] for name in ("key", "size", "etag", "records", "schema_version")}


def show_rows(as_json: bool, document: Any, rows: list[list[str]]) -> None:
    """Print the document as JSON, or the rows."""
    if as_json:
        print_document(document)
        return
    for line in columns([[printable(cell) for cell in row] for row in rows]):
        click.echo(line)


def print_document(document: Any) -> None:
    """Print a document as JSON."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)

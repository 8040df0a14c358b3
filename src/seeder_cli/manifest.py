"""`seeder manifest`: the listing engine from the command line, against whatever endpoint the environment names."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from seeder.errors import SeederError
from seeder.listing.any_order import list_all
from seeder.listing.difference import Difference, Entry, compare
from seeder.listing.page import Page, encode_key
from seeder.listing.selection import Selection
from seeder.listing.wire import Wire
from seeder_cli.errors import CommandError
from seeder_cli.outputs import Output, open_output
from seeder_cli.place import Place, account_options
from seeder_cli.progress import listing_progress

WORKERS = 32


@dataclass
class Listing:
    """One command's work: what it is asked, and what it has done so far."""

    source: str
    against: str
    prefix: str
    versions: bool
    workers: int
    client: Any
    outputs: list[Output]
    keys: int = 0
    large: int = 0
    archived: int = 0
    difference: Difference | None = None
    wires: list[Wire] = field(default_factory=list)

    def run(self) -> None:
        """List, or compare, and write the rows. Raises SeederError, ClientError, BotoCoreError."""
        if self.against:
            self._compare()
            return
        selection = Selection(largest=None if self.versions else Selection.largest)
        wire = self._wire(self.source)

        def accept(page: Page, stop: int) -> None:
            choice = selection.choose(page, stop)
            rows, count = page.rows(self.source, stop, choice.copy)
            self.outputs[0].write(rows)
            self.keys += count
            for output, indices in zip(self.outputs[1:], choice[1:], strict=True):
                if indices:
                    output.write(page.rows(self.source, stop, indices)[0])
            self.large += len(choice.large)
            self.archived += len(choice.archived)

        list_all(wire, accept, self._restart, prefix=self.prefix, workers=self.workers)

    def _restart(self) -> None:
        click.echo(
            f"seeder: {self.source}: its server does not list keys in the order of their UTF-8 bytes; "
            "listing again by continuation tokens, which is slower",
            err=True,
        )
        self.keys = self.large = self.archived = 0
        for output in self.outputs:
            output.restart()

    def _compare(self) -> None:
        def needed(entries: list[Entry]) -> None:
            self.keys += len(entries)
            rows = [
                f"{self.source},{encode_key(item.key)}{',' if item.version else ''}{item.version}\n"
                for item in entries
            ]
            self.outputs[0].write("".join(rows).encode())

        source, destination = self._wire(self.source), self._wire(self.against)
        self.difference = compare(source, destination, needed, self.prefix, self.workers)

    def _wire(self, bucket: str) -> Wire:
        wire = Wire(self.client, bucket, "ListObjectVersions" if self.versions else "ListObjectsV2")
        self.wires.append(wire)
        return wire

    @property
    def calls(self) -> int:
        """LIST requests answered so far."""
        return sum(wire.calls for wire in self.wires)


@click.command()
@click.argument("source")
@click.option("--prefix", default="", help="List only keys that begin with this.")
@click.option("--versions", is_flag=True, help="List all versions; rows have a third field, the version id.")
@click.option(
    "--against", default="", metavar="BUCKET", help="List only what this bucket lacks or holds differently."
)
@click.option("--output", metavar="FILE|s3://…", help="Where the rows go; default: standard output.")
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, 256),
    default=WORKERS,
    show_default=True,
    help="Requests at a time.",
)
@account_options
@click.option("--json", "as_json", is_flag=True, help="Print counts as JSON; without --output, no rows.")
def manifest(
    source: str,
    prefix: str,
    versions: bool,
    against: str,
    output: str | None,
    workers: int,
    place: Place,
    as_json: bool,
) -> int:
    """List the bucket SOURCE into a manifest for S3 Batch Operations.

    Objects over 5 GiB, which a copy can't take, and archived ones go to files of their own beside --output
    (NAME.large.csv, NAME.archived.csv). Credentials, region and endpoint are those of the AWS environment.

    \b
    Example:
      seeder manifest my-bucket --against my-replica --output missing.csv
    """
    started = time.monotonic()
    with ExitStack() as stack:
        try:
            # botocore's own client: boto3 adds nothing here but half the time to import.
            client: Any = place.core.create_client(
                "s3", config=Config(max_pool_connections=workers, retries={"mode": "standard"})
            )
            outputs = [
                stack.enter_context(open_output(client, output, kind, rows=not as_json))
                for kind in ("", "large", "archived")
            ]
            listing = Listing(source, against, prefix, versions, workers, client, outputs)
            _run(listing)
            for one in outputs:
                one.commit()
        except BrokenPipeError:
            raise
        except (SeederError, ClientError, BotoCoreError, OSError) as error:
            raise CommandError(f"{source}: {error}", status=1) from error
    _tell(listing, time.monotonic() - started, outputs, as_json)
    return 0


def _run(listing: Listing) -> None:
    """Run with a line of progress on a terminal."""
    with listing_progress() as show:
        first, write = listing.outputs[0], listing.outputs[0].write

        def told(rows: bytes) -> None:
            write(rows)
            show(listing.keys, listing.calls)

        first.write = told  # type: ignore[method-assign]
        listing.run()


def _tell(listing: Listing, seconds: float, outputs: list[Output], as_json: bool) -> None:
    document: dict[str, Any] = {
        "keys": listing.keys,
        "large": listing.large,
        "archived": listing.archived,
        "list_calls": listing.calls,
        "bytes": outputs[0].bytes,
        "seconds": round(seconds, 3),
        "keys_per_second": round(listing.keys / seconds),
    }
    if listing.difference is not None:
        difference = listing.difference
        document |= {name: getattr(difference, name) for name in ("equal", "missing", "different", "extra")}
    if as_json:
        click.echo(json.dumps(document))
        return
    counts = ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in document.items() if value)
    click.echo(counts or "no keys", err=True)

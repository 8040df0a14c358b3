"""`seeder lake`: puts files into a data lake, shows what is registered, and holds that against the objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder_cli.errors import CommandError
from seeder_cli.lake_policy import policy

if TYPE_CHECKING:
    from seeder.lake.lake import Lake
    from seeder.lake.upkeep import Finding

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def older_than(minutes: int) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add the option that leaves young objects out of account, with its default."""
    return click.option(
        "--older-than",
        "minutes",
        type=click.IntRange(0),
        default=minutes,
        show_default=True,
        metavar="MINUTES",
        help="Leave younger objects out of account: their writers may still register them.",
    )


def translated(command: Callable[..., int]) -> Callable[..., int]:
    """Raise CommandError for what the library and boto3 raise: 2 for bad input, otherwise 1."""

    @wraps(command)
    def translating(*args: Any, **given: Any) -> int:
        from botocore.exceptions import BotoCoreError, ClientError

        from seeder.errors import InvalidRequest, SeederError

        try:
            return command(*args, **given)
        except InvalidRequest as error:
            raise CommandError(str(error)) from error
        except (SeederError, ClientError, BotoCoreError, OSError) as error:
            raise CommandError(str(error), status=1) from error

    return translating


@click.group()
def lake() -> None:
    """A data lake that many write, with no database and no lock: files written once, one registry swapped.

    \b
    Example:
      seeder lake put events.csv s3://my-lake/datasets/events/year=2024/month=01/
      seeder lake show my-lake
    """


lake.add_command(policy)


@lake.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.argument("place", metavar="s3://BUCKET/datasets/NAME/k=v/")
@click.option(
    "--schema-version", type=click.IntRange(1), default=1, show_default=True, help="Of the files' records."
)
@click.option(
    "--records", type=click.IntRange(0), help="Of the file; default: counted in CSV, JSON lines and Parquet."
)
@click.option(
    "--header/--no-header", default=True, show_default=True, help="Whether a CSV's first row is no record."
)
@as_json
@translated
def put(
    files: tuple[Path, ...], place: str, schema_version: int, records: int | None, header: bool, as_json: bool
) -> int:
    """Write each FILE once and register it.

    A repeat of the same file changes nothing; another file of that name is refused. After Ctrl-C, or a failure, put
    them again: those that are in are left as they are.

    \b
    Example:
      seeder lake put *.parquet s3://my-lake/datasets/events/year=2024/month=01/ --schema-version 2
    """
    from seeder_cli.records import count_records
    from seeder_cli.sending import sending_progress

    if records is not None and len(files) > 1:
        raise CommandError("--records is that of one file; put each with its own")
    bucket, dataset, partition = _place(place)
    counts = [count_records(path, header) if records is None else records for path in files]
    entries = []
    with _open(bucket) as one:
        for path, count in zip(files, counts, strict=True):
            with sending_progress(path) as tell:
                entry = one.add_file(dataset, partition, path.name, path, count, schema_version, tell=tell)
            entries.append(entry)
            if not as_json:
                click.echo(f"s3://{bucket}/{entry.key}: {entry.records:,} records, revision {entry.revision}")
    if as_json:
        _print([entry._asdict() for entry in entries])
    return 0


@lake.command()
@click.argument("bucket")
@click.argument("dataset", default="")
@click.option("--revision", type=click.IntRange(0), help="Show the files of this revision, not the last.")
@as_json
@translated
def show(bucket: str, dataset: str, revision: int | None, as_json: bool) -> int:
    """Show the datasets of BUCKET, or the files of DATASET.

    \b
    Example:
      seeder lake show my-lake events --revision 12
    """
    one = _open(bucket)
    if not dataset and revision is None:
        datasets = {name: held._asdict() for name, held in one.datasets().items()}
        _tell(as_json, datasets, [["dataset", *_COUNTS], *_counted(datasets)])
        return 0
    view = one.read(dataset, revision)
    rows = [
        [entry.key, f"{entry.records:,}", f"{entry.size:,}", entry.added_at]
        for entry in view.entries.values()
    ]
    document = {"revision": view.revision, "files": [entry._asdict() for entry in view.entries.values()]}
    _tell(as_json, document, [["file", "records", "bytes", "added"], *rows])
    return 0


@lake.command()
@click.argument("bucket")
@click.argument("dataset", default="")
@click.option("--since", type=click.IntRange(0), default=0, help="Show what came after this revision.")
@as_json
@translated
def history(bucket: str, dataset: str, since: int, as_json: bool) -> int:
    """Show what was added and removed in BUCKET, or in its DATASET, oldest first."""
    found = _open(bucket).changes(since, dataset)
    words = {True: "added", False: "removed"}
    rows = [[str(one.revision), one.at, words[one.is_added], one.entry.key] for one in found]
    document = [
        {"revision": one.revision, "at": one.at, "what": words[one.is_added], **_file(one.entry._asdict())}
        for one in found
    ]
    _tell(as_json, document, [["revision", "at", "what", "file"], *rows])
    return 0


@lake.command()
@click.argument("bucket")
@older_than(0)
@as_json
@translated
def verify(bucket: str, minutes: int, as_json: bool) -> int:
    """Tell whether each registered file of BUCKET stands with its size and ETag, and nothing besides; exit 1 if not."""
    from seeder.lake import upkeep

    found = upkeep.verify(_open(bucket), timedelta(minutes=minutes))
    _tell(as_json, [one._asdict() for one in found], _findings(found) or [["all agrees"]])
    return 1 if found else 0


@lake.command()
@click.argument("bucket")
@older_than(60)
@as_json
@translated
def repair(bucket: str, minutes: int, as_json: bool) -> int:
    """Register what was written and not registered, and make right what else can be; exit 1 if something is left."""
    from seeder.lake import upkeep

    done, left = upkeep.repair(_open(bucket), timedelta(minutes=minutes))
    document = {"repaired": [one._asdict() for one in done], "left": [one._asdict() for one in left]}
    rows = [["repaired", *row] for row in _findings(done)] + [["left", *row] for row in _findings(left)]
    _tell(as_json, document, rows or [["nothing to repair"]])
    return 1 if left else 0


_COUNTS = ("files", "records", "bytes", "schema_version", "updated_at")


def _place(place: str) -> tuple[str, str, dict[str, str]]:
    from seeder.lake.entry import names_of

    bucket, _, key = place.removeprefix("s3://").partition("/")
    if not place.startswith("s3://") or not key.endswith("/"):
        raise CommandError(f"{place}: give s3://BUCKET/datasets/NAME/k=v/, with the '/' at the end")
    names = names_of(f"{key}-")
    return bucket, names.dataset, names.partition


def _open(bucket: str) -> Lake:
    import boto3
    from botocore.config import Config

    from seeder.lake.lake import Lake

    return Lake.open(boto3.client("s3", config=Config(retries={"mode": "standard"})), bucket)


def _findings(found: list[Finding]) -> list[list[str]]:
    return [[one.problem, one.key, one.detail] for one in found]


def _counted(datasets: dict[str, dict[str, Any]]) -> list[list[str]]:
    return [[name, *(_shown(held[count]) for count in _COUNTS)] for name, held in datasets.items()]


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _file(held: dict[str, Any]) -> dict[str, Any]:
    return {name: held[name] for name in ("key", "size", "etag", "records", "schema_version")}


def _tell(as_json: bool, document: Any, rows: list[list[str]]) -> None:
    if as_json:
        _print(document)
        return
    from seeder_cli.columns import columns

    for line in columns([[_printable(cell) for cell in row] for row in rows]):
        click.echo(line)


def _printable(text: str) -> str:
    """Return the text with what would break its line escaped."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _print(document: Any) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))

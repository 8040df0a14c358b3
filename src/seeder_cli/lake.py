"""`seeder lake`: puts files into a data lake, shows what is registered, and holds that against the objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder_cli.errors import CommandError
from seeder_cli.lake_policy import policy
from seeder_cli.lake_showing import COUNTS, counted, file_of, findings, print_document, show_rows
from seeder_cli.place import Place, account_options

if TYPE_CHECKING:
    from seeder.lake.lake import Lake

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
        except BrokenPipeError:
            raise
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
@click.argument("address")
@click.option(
    "--schema-version",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Of the files' records.",
)
@click.option(
    "--records",
    metavar="N",
    type=click.IntRange(0),
    help="Of the file; default: counted in CSV, JSON lines and Parquet.",
)
@click.option(
    "--header/--no-header", default=True, show_default=True, help="Whether a CSV's first row is no record."
)
@account_options
@as_json
@translated
def put(
    files: tuple[Path, ...],
    address: str,
    schema_version: int,
    records: int | None,
    header: bool,
    place: Place,
    as_json: bool,
) -> int:
    """Write each FILE once and register it; ADDRESS is s3://BUCKET/datasets/NAME/k=v/.

    A repeat of the same file changes nothing; another file of that name is refused. After Ctrl-C, or a failure, put
    them again: those that are in are left as they are.

    \b
    Example:
      seeder lake put *.parquet s3://my-lake/datasets/events/year=2026/month=01/
    """
    from seeder_cli.records import count_records
    from seeder_cli.sending import sending_progress

    if records is not None and len(files) > 1:
        raise CommandError("--records is that of one file; put each with its own")
    bucket, dataset, partition = _names(address)
    counts = [count_records(path, header) if records is None else records for path in files]
    entries = []
    with _open(place, bucket) as one:
        for path, count in zip(files, counts, strict=True):
            with sending_progress(path) as tell:
                entry = one.add_file(dataset, partition, path.name, path, count, schema_version, tell=tell)
            entries.append(entry)
            if not as_json:
                click.echo(f"s3://{bucket}/{entry.key}: {entry.records:,} records, revision {entry.revision}")
    if as_json:
        print_document([entry._asdict() for entry in entries])
    return 0


@lake.command()
@click.argument("bucket")
@click.argument("dataset", default="")
@click.option(
    "--revision", metavar="N", type=click.IntRange(0), help="Show the files of this revision, not the last."
)
@account_options
@as_json
@translated
def show(bucket: str, dataset: str, revision: int | None, place: Place, as_json: bool) -> int:
    """Show the datasets of BUCKET, or the files of DATASET.

    \b
    Example:
      seeder lake show my-lake events --revision 12
    """
    one = _open(place, bucket)
    if not dataset and revision is None:
        datasets = {name: held._asdict() for name, held in one.datasets().items()}
        show_rows(as_json, datasets, [["dataset", *COUNTS], *counted(datasets)])
        return 0
    view = one.read(dataset, revision)
    rows = [
        [entry.key, f"{entry.records:,}", f"{entry.size:,}", entry.added_at]
        for entry in view.entries.values()
    ]
    document = {"revision": view.revision, "files": [entry._asdict() for entry in view.entries.values()]}
    show_rows(as_json, document, [["file", "records", "bytes", "added"], *rows])
    return 0


@lake.command()
@click.argument("bucket")
@click.argument("dataset", default="")
@click.option(
    "--since", metavar="N", type=click.IntRange(0), default=0, help="Show what came after this revision."
)
@account_options
@as_json
@translated
def history(bucket: str, dataset: str, since: int, place: Place, as_json: bool) -> int:
    """Show what was added and removed in BUCKET, or in its DATASET, oldest first.

    \b
    Example:
      seeder lake history my-lake events --since 12
    """
    found = _open(place, bucket).changes(since, dataset)
    words = {True: "added", False: "removed"}
    rows = [[str(one.revision), one.at, words[one.is_added], one.entry.key] for one in found]
    document = [
        {"revision": one.revision, "at": one.at, "what": words[one.is_added], **file_of(one.entry._asdict())}
        for one in found
    ]
    show_rows(as_json, document, [["revision", "at", "what", "file"], *rows])
    return 0


@lake.command()
@click.argument("bucket")
@older_than(0)
@account_options
@as_json
@translated
def verify(bucket: str, minutes: int, place: Place, as_json: bool) -> int:
    """Tell whether each registered file of BUCKET stands with its size and ETag, and nothing besides.

    Exits 0 if so, 1 if not.

    \b
    Example:
      seeder lake verify my-lake --older-than 60
    """
    from seeder.lake import upkeep

    found = upkeep.verify(_open(place, bucket), timedelta(minutes=minutes))
    show_rows(as_json, [one._asdict() for one in found], findings(found) or [["all agrees"]])
    return 1 if found else 0


@lake.command()
@click.argument("bucket")
@older_than(60)
@account_options
@as_json
@translated
def repair(bucket: str, minutes: int, place: Place, as_json: bool) -> int:
    """Register what was written to BUCKET and not registered, and make right what else can be.

    Exits 0 when all agrees after it, 1 if something is left.

    \b
    Example:
      seeder lake repair my-lake
    """
    from seeder.lake import upkeep

    done, left = upkeep.repair(_open(place, bucket), timedelta(minutes=minutes))
    document = {"repaired": [one._asdict() for one in done], "left": [one._asdict() for one in left]}
    rows = [["repaired", *row] for row in findings(done)] + [["left", *row] for row in findings(left)]
    show_rows(as_json, document, rows or [["nothing to repair"]])
    return 1 if left else 0


def _names(address: str) -> tuple[str, str, dict[str, str]]:
    from seeder.lake.entry import names_of

    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not key.endswith("/"):
        raise CommandError(
            f"ADDRESS: '{address}'; give s3://BUCKET/datasets/NAME/k=v/, with the '/' at the end"
        )
    names = names_of(f"{key}-")
    return bucket, names.dataset, names.partition


def _open(place: Place, bucket: str) -> Lake:
    from botocore.config import Config

    from seeder.lake.lake import Lake

    return Lake.open(place.session.client("s3", config=Config(retries={"mode": "standard"})), bucket)

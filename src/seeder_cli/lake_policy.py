"""`seeder lake policy`: bucket policies by which S3 itself refuses who writes to a lake without a condition."""

from __future__ import annotations

import json
from typing import IO, Any

import click

from seeder.errors import InvalidRequest
from seeder.lake.policies import (
    FILES,
    REGISTRIES,
    RUNS,
    Deletes,
    Document,
    Level,
    Rules,
    bucket_arn,
    merged,
    statements,
)
from seeder_cli.errors import CommandError

_OPTIONS = {"files": "prefix", "registries": "registry-prefix", "excluded": "exclude", "policy": "merge"}


@click.command()
@click.argument("bucket")
@click.option(
    "--level",
    type=click.Choice(["prefix", "bucket"]),
    default="prefix",
    show_default=True,
    help="Enforce on these prefixes, or on the whole bucket but for --exclude.",
)
@click.option("--prefix", multiple=True, help=f"Whose objects are written exactly once.  [default: {FILES}]")
@click.option(
    "--registry-prefix", multiple=True, help=f"Whose objects are swapped as read.  [default: {REGISTRIES}]"
)
@click.option(
    "--exclude", multiple=True, help=f"Where --level bucket leaves all as it was.  [default: {RUNS}]"
)
@click.option(
    "--deletes",
    type=click.Choice(["if-match", "never"]),
    default="if-match",
    show_default=True,
    help="Which deletions of files and registries are let through. Versions can't be deleted.",
)
@click.option(
    "--exempt", multiple=True, metavar="ROLE-ARN", help="A role, or user, on whom none of it is enforced."
)
@click.option("--tls", is_flag=True, help="Deny whatever does not come by TLS 1.2 or newer.")
@click.option("--partition", default="aws", show_default=True, help="Such as aws-cn or aws-us-gov.")
@click.option(
    "--merge",
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help="The bucket's policy as it is, - for standard input: added to, and statements of the same Sid replaced.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the policy alone.")
def policy(bucket: str, partition: str, merge: IO[str] | None, as_json: bool, **given: Any) -> int:
    """Print a bucket policy that enforces the rules of a lake on BUCKET, whoever writes there.

    Files are written exactly once (If-None-Match), registries are swapped as they were read (If-Match, or
    If-None-Match for the first). All other requests get 403. Replication, lifecycle rules and what S3 Batch Operations
    writes under runs/ go on. Calls no AWS service.

    \b
    Example, put into place beside what the bucket's policy says already:
      aws s3api get-bucket-policy --bucket my-lake \\
        --query Policy --output text > before.json
      seeder lake policy my-lake --merge before.json --json > after.json
      aws s3api put-bucket-policy --bucket my-lake --policy file://after.json
    """
    try:
        rules = _rules(**given)
        made = merged(_document(merge), statements(bucket_arn(bucket, partition), rules))
    except InvalidRequest as error:
        option, (_, _, problem) = _OPTIONS.get(error.field, error.field), str(error).partition(": ")
        raise CommandError(f"--{option}: {problem}") from error
    text = json.dumps(made, indent=2)
    click.echo(text if as_json else f"{_heading(bucket, rules, is_merged=merge is not None)}\n{text}")
    return 0


def _rules(
    level: Level,
    prefix: tuple[str, ...],
    registry_prefix: tuple[str, ...],
    exclude: tuple[str, ...],
    deletes: Deletes,
    exempt: tuple[str, ...],
    tls: bool,
) -> Rules:
    if level == "bucket" and prefix:
        raise CommandError("--prefix: is for --level prefix; at the level of the bucket, use --exclude")
    return Rules(
        level=level,
        files=prefix or (FILES,),
        registries=registry_prefix or (REGISTRIES,),
        excluded=exclude or ((RUNS,) if level == "bucket" else ()),
        deletes=deletes,
        exempt=exempt,
        tls=tls,
    )


def _document(file: IO[str] | None) -> Document:
    """Read a policy. Raises CommandError."""
    if file is None:
        return {}
    try:
        document = json.load(file)
    except ValueError as error:
        raise CommandError(f"--merge: {file.name} is not JSON ({error}); give a bucket's policy") from error
    if not isinstance(document, dict):
        raise CommandError(f"--merge: {file.name} is no object of JSON; give a bucket's policy")
    return document


def _heading(bucket: str, rules: Rules, is_merged: bool) -> str:
    where = ", ".join(f"{prefix}*" for prefix in rules.files)
    if rules.level == "bucket":
        where = f"all but {', '.join(f'{prefix}*' for prefix in (*rules.registries, *rules.excluded))}"
    registries = ", ".join(f"{prefix}*" for prefix in rules.registries)
    deleted = "as read, by If-Match" if rules.deletes == "if-match" else "never"
    lines = [
        f"Bucket policy of {bucket}. Written exactly once, by If-None-Match: {where}.",
        f"Swapped as read, by If-Match or If-None-Match: {registries}. Deleted {deleted}; versions never.",
    ]
    if rules.exempt:
        lines.append(f"Not enforced on {', '.join(rules.exempt)}.")
    if is_merged:
        lines.append("Merged: statements of the same Sid were replaced, all others kept.")
    else:
        lines.append(
            "It replaces the policy that the bucket has: give that by --merge FILE to keep its statements."
        )
    return "\n".join(f"# {line}" for line in lines)

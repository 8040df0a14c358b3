"""`seeder policy`: the policies of the roles for a pair, and what owners of other accounts must add to theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import click
from botocore.exceptions import BotoCoreError, ClientError

from seeder.buckets import Bucket, describe
from seeder.clients import Clients
from seeder.errors import InvalidRequest, SeederError
from seeder.roles import grants, policies
from seeder.roles.plans import key_arn
from seeder.roles.policies import Document, Scope, Side
from seeder_cli.errors import CommandError
from seeder_cli.place import NAME, Place, account_options

ACCOUNT, STATE_BUCKET = "ACCOUNT_ID", "STATE_BUCKET"
Operation = Literal["copy", "replicate"]


@dataclass(frozen=True)
class Asked:
    """What the policies are for; `is_foreign` tells whether the pair has buckets of two accounts."""

    operation: Operation
    scope: Scope
    is_foreign: bool
    roles: str
    delete_markers: bool
    owner: bool


@click.command()
@click.argument("source")
@click.argument("destination")
@click.option("--prefix", default="", help="Only keys that begin with this.")
@click.option(
    "--operation",
    type=click.Choice(["copy", "replicate"]),
    default="replicate",
    show_default=True,
    help="What the jobs do.",
)
@click.option("--state-bucket", default=STATE_BUCKET, help="The stack's bucket, for manifests and reports.")
@click.option(
    "--copy-function", default="", help="ARN of the stack's function that copies objects over 5 GiB."
)
@click.option("--source-account", default="", help="Account of the source.")
@click.option("--destination-account", default="", help="Account of the destination, if it is another.")
@click.option("--source-kms", default="", help="ARN of the KMS key that encrypts the source.")
@click.option("--destination-kms", default="", help="ARN of the KMS key that encrypts the destination.")
@click.option("--role", default="", help="ARN of the role, or a pattern of it, that others shall name.")
@click.option("--no-delete-markers", is_flag=True, help="For replication without delete markers.")
@click.option("--owner-override", is_flag=True, help="For replicas that belong to the destination's owner.")
@click.option("--look", is_flag=True, help="Look at the two buckets: their regions, keys and owner.")
@account_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def policy(place: Place, look: bool, as_json: bool, **given: Any) -> int:
    """Print the policies of the roles for seeding DESTINATION from SOURCE.

    Those are the roles that the stack makes by itself; they are printed to be read, or to make them by hand. Where the
    two buckets belong to different accounts, also what the owner of the other bucket must add. Calls no AWS service
    unless asked to --look.

    \b
    Example:
      seeder policy my-bucket my-replica --operation copy --look
    """
    asked = _asked(**given)
    if look:
        try:
            asked = _looked(asked, place)
        except InvalidRequest as error:
            raise CommandError(str(error)) from error
        except (SeederError, ClientError, BotoCoreError) as error:
            raise CommandError(f"--look: {error}", status=1) from error
    if as_json:
        click.echo(json.dumps(document(asked), indent=2))
    else:
        click.echo("\n\n".join(_texts(asked)))
    return 0


def _asked(
    source: str,
    destination: str,
    prefix: str,
    operation: Operation,
    state_bucket: str,
    copy_function: str,
    source_account: str,
    destination_account: str,
    source_kms: str,
    destination_kms: str,
    role: str,
    no_delete_markers: bool,
    owner_override: bool,
) -> Asked:
    # Jobs and roles belong to the account of the bucket that the job is created for.
    home, other = (source_account, destination_account)[:: 1 if operation == "replicate" else -1]
    account = home or other or ACCOUNT
    scope = Scope(
        account=account,
        source=_side(source, "--source-kms", source_kms),
        destination=_side(destination, "--destination-kms", destination_kms),
        prefix=prefix,
        partition=_partition(source_kms or destination_kms or role or copy_function),
        manifests=(f"{state_bucket}/runs/*/manifests/*", f"{state_bucket}/runs/*/rounds/*"),
        reports=(f"{state_bucket}/runs/*/reports/*",),
        copy_function=copy_function,
    )
    return Asked(
        operation=operation,
        scope=scope,
        is_foreign=bool(home and other) and home != other,
        roles=role or f"arn:{scope.partition}:iam::{account}:role/{NAME}/*",
        delete_markers=not no_delete_markers,
        owner=owner_override,
    )


def _side(bucket: str, option: str, key: str) -> Side:
    if key and not key.startswith("arn:"):
        raise CommandError(
            f"{option}: '{key}' is not the ARN of a KMS key; give one such as arn:aws:kms:REGION:ACCOUNT:key/ID"
        )
    return Side(bucket, key.split(":")[3] if key else "", (key,) if key else ())


def _partition(arn: str) -> str:
    return arn.split(":")[1] if arn.startswith("arn:") else "aws"


def _looked(asked: Asked, place: Place) -> Asked:
    """Fill in what the buckets themselves tell. Raises SeederError, ClientError, BotoCoreError."""
    clients, scope = Clients(place.session), asked.scope
    me = str(place.client("sts").get_caller_identity()["Account"])
    account = me if scope.account == ACCOUNT else scope.account
    found = [
        describe(clients, field, side.bucket, me)
        for field, side in (("source", scope.source), ("destination", scope.destination))
    ]
    source, destination = (
        _seen(side, bucket, me) for side, bucket in zip((scope.source, scope.destination), found, strict=True)
    )
    return replace(
        asked,
        scope=scope._replace(account=account, source=source, destination=destination),
        is_foreign=asked.is_foreign or found[0].is_ours != found[1].is_ours,
        roles=asked.roles.replace(f"::{ACCOUNT}:", f"::{account}:"),
    )


def _seen(side: Side, bucket: Bucket, account: str) -> Side:
    key = key_arn(bucket, account)
    return side._replace(region=bucket.region, keys=side.keys or ((key,) if key else ()))


def document(asked: Asked) -> dict[str, Any]:
    """Return all policies as one document."""
    scope = asked.scope
    made: dict[str, Any] = {
        "job_role": {"trust": policies.job_trust(scope.account), "permissions": _job_policy(asked)}
    }
    if asked.operation == "replicate":
        made["replication_role"] = {
            "trust": policies.replication_trust(scope.account, scope.source.bucket, scope.partition),
            "permissions": policies.replication_policy(
                scope, delete_markers=asked.delete_markers, owner=asked.owner
            ),
        }
    return made | {"other_accounts": [grant._asdict() for grant in _grants(asked)]}


def _job_policy(asked: Asked) -> Document:
    made = policies.job_policy(asked.scope, asked.operation)
    if asked.operation == "copy" and asked.scope.copy_function:
        made = policies.widened(policies.job_policy(asked.scope, "large"), made)
    return made


def _grants(asked: Asked) -> list[grants.Grant]:
    if not asked.is_foreign:
        return []
    if asked.operation == "copy":
        return grants.of_copy(asked.scope)
    return grants.of_replication(
        asked.scope, asked.roles, delete_markers=asked.delete_markers, owner=asked.owner
    )


def _texts(asked: Asked) -> Iterator[str]:
    """Yield each policy under a heading that says who adds it where."""
    made = document(asked)
    if unknown := [name for name in (ACCOUNT, STATE_BUCKET) if name in json.dumps(made)]:
        yield f"# Replace {' and '.join(unknown)} below, or give the options of `seeder policy --help`."
    roles = {"job_role": "the jobs' role", "replication_role": "the replication role"}
    for name, role in roles.items():
        if name in made:
            yield _text(f"You: the trust policy of {role}", made[name]["trust"])
            yield _text(f"You: a permissions policy of {role}", made[name]["permissions"])
    for grant in made["other_accounts"]:
        yield _text(f"The owner of the {grant['owner']}, added to {grant['place']}", grant["policy"])


def _text(heading: str, policy: Document) -> str:
    return f"# {heading}\n{json.dumps(policy, indent=2)}"

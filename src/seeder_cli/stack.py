"""The deployed stack as a command finds it: by name, in the session's region."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from seeder_cli.checks.stack import OUTPUTS, read_stack
from seeder_cli.errors import CommandError


def stack_outputs(session: boto3.Session, name: str) -> dict[str, str]:
    """Return the outputs of a deployed stack by their keys, such as "StateBucketName"; all of OUTPUTS are there.

    Raises CommandError, which says to deploy or to give --stack, where there is no such stack or it is not to be seen.
    """
    region = session.region_name
    if not region:
        raise CommandError("no region is set; give --region, set AWS_REGION, or give the profile a region")
    make: Any = session.client
    try:
        stack = read_stack(make("cloudformation"), name)
    except (ClientError, BotoCoreError) as error:
        raise CommandError(f"stack '{name}' in {region}: {error}", status=1) from error
    if stack is None:
        raise CommandError(
            f"there is no stack '{name}' in {region}; deploy it (sam deploy --guided), or give --stack with its name, "
            "or --region; `seeder run --here` seeds a pair without one",
            status=1,
        )
    if missing := [output for output in OUTPUTS if output not in stack.outputs]:
        raise CommandError(
            f"stack '{name}' in {region} ({stack.status}) has no output {', '.join(missing)}: it is another "
            "application's, or not deployed whole; give --stack, or deploy it again",
            status=1,
        )
    return stack.outputs

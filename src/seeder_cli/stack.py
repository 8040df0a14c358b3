"""The deployed stack as a command finds it: by name, in the session's region."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from seeder_cli.checks.stack import read_stack
from seeder_cli.errors import CommandError


def stack_outputs(session: boto3.Session, name: str) -> dict[str, str]:
    """Return the outputs of a deployed stack by their keys, such as "StateBucketName".

    Raises CommandError, which says to deploy or to give --stack, where there is no such stack or it is not to be seen.
    """
    if not session.region_name:
        raise CommandError("no region is set; give --region, set AWS_REGION, or give the profile a region")
    make: Any = session.client
    try:
        stack = read_stack(make("cloudformation"), name)
    except (ClientError, BotoCoreError) as error:
        raise CommandError(f"stack '{name}' in {session.region_name}: {error}", status=1) from error
    if stack is None:
        raise CommandError(
            f"there is no stack '{name}' in {session.region_name}; deploy it (sam deploy --guided), or give --stack "
            "with its name, or --region",
            status=1,
        )
    return stack.outputs

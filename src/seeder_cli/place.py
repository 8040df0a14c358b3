"""Where a command finds AWS and the deployed stack: --region, --profile and --stack, as the AWS CLI has them.

boto3 is imported when it is needed: the help needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seeder_cli.errors import CommandError

if TYPE_CHECKING:
    import boto3

NAME = "seeder"
Result = TypeVar("Result")
_NAMES = ("region", "profile", "stack")


@dataclass(frozen=True)
class Place:
    """Whose account, which region, which stack; each empty or as it was given."""

    region: str = ""
    profile: str = ""
    stack: str = NAME

    @cached_property
    def session(self) -> boto3.Session:
        """A session for both. The region is the option's, else AWS_REGION's, AWS_DEFAULT_REGION's or the profile's.

        boto3 itself does not read AWS_REGION, which the AWS CLI and Lambda do. Raises CommandError.
        """
        import boto3
        from botocore.exceptions import ProfileNotFound

        region = self.region or os.environ.get("AWS_REGION") or None
        try:
            return boto3.Session(profile_name=self.profile or None, region_name=region)
        except ProfileNotFound as error:
            known = ", ".join(boto3.Session(profile_name=None).available_profiles) if self.profile else ""
            told = f"; there are: {known}" if known else "; `aws configure --profile NAME` makes one"
            raise CommandError(f"--profile {self.profile}: {error}{told}") from error

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs by their keys, such as "StateBucketName". Raises CommandError."""
        from seeder_cli.stack import stack_outputs

        return stack_outputs(self.session, self.stack)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client, in this place's region or the one given."""
        make: Any = self.session.client
        return make(service, region_name=region or self.session.region_name)


def place_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add --region, --profile and --stack to a command, which gets them as one argument, `place`.

    What is given before the command's name, as in `seeder --profile x status`, holds where it is not given after it.
    """

    @wraps(command)
    def with_place(*args: Any, **values: Any) -> Result:
        return command(*args, place=_place({name: values.pop(name) for name in _NAMES}), **values)

    decorated: Callable[..., Result] = with_place
    return location_options(decorated)


def location_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add the three options as they are, for `place_options` and the command's group."""
    for option in (
        click.option("--stack", metavar="NAME", help=f"Name of the deployed stack.  [default: {NAME}]"),
        click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
        click.option("--region", metavar="NAME", help="Region of the stack; of the profile by default."),
    ):
        command = option(command)
    return command


def _place(given: dict[str, str | None]) -> Place:
    above = click.get_current_context().find_root().params
    return Place(**{name: value for name in _NAMES if (value := given[name] or above.get(name))})

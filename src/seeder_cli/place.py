"""Where a command finds AWS and the deployed stack: --region, --profile and --stack, as the AWS CLI has them.

boto3 is imported when it is needed: the help needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seeder_cli.errors import CommandError

if TYPE_CHECKING:
    import boto3
    from botocore.session import Session

NAME = "seeder"
ACCOUNT, ALL = ("region", "profile"), ("region", "profile", "stack")
Result = TypeVar("Result")
_OPTIONS = {
    "region": click.option(
        "--region", metavar="NAME", help="AWS region; else AWS_REGION's or the profile's."
    ),
    "profile": click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
    "stack": click.option("--stack", metavar="NAME", help=f"Name of the deployed stack.  [default: {NAME}]"),
}


@dataclass(frozen=True)
class Place:
    """Whose account, which region, which stack; each empty or as it was given."""

    region: str = ""
    profile: str = ""
    stack: str = NAME

    @cached_property
    def core(self) -> Session:
        """A session of botocore, which is imported in half the time of boto3.

        The region is the option's, else AWS_REGION's, AWS_DEFAULT_REGION's or the profile's; botocore itself does not
        read AWS_REGION, which the AWS CLI and Lambda do. Raises CommandError for a profile that is not there.
        """
        from botocore.exceptions import ProfileNotFound
        from botocore.session import Session

        core = Session(profile=self.profile or None)
        if region := self.region or os.environ.get("AWS_REGION"):
            core.set_config_variable("region", region)
        try:
            core.get_scoped_config()
        except ProfileNotFound as error:
            known = ", ".join(core.available_profiles)
            told = f"there are: {known}" if known else "`aws configure --profile NAME` makes one"
            named = "--profile" if self.profile else "AWS_PROFILE"
            raise CommandError(f"{named}: there is no profile '{self.used_profile}'; {told}") from error
        return core

    @cached_property
    def session(self) -> boto3.Session:
        """The same as a session of boto3. Raises CommandError."""
        import boto3

        return boto3.Session(botocore_session=self.core)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs by their keys, such as "StateBucketName". Raises CommandError."""
        from seeder_cli.stack import stack_outputs

        return stack_outputs(self.session, self.stack)

    @property
    def used_profile(self) -> str:
        """The profile that was named, by the option or the environment; "" where none was."""
        named = (self.profile, os.environ.get("AWS_DEFAULT_PROFILE"), os.environ.get("AWS_PROFILE"))
        return next(filter(None, named), "")

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client, in this place's region or the one given."""
        make: Any = self.session.client
        return make(service, region_name=region or self.session.region_name)


def place_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add --region, --profile and --stack to a command, which gets them as one argument, `place`.

    What is given before the command's name, as in `seeder --profile x status`, holds where it is not given after it.
    An error that is about access to AWS becomes a CommandError, which says what to do.
    """
    return _with_place(command, ALL)


def account_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add the same but --stack, to a command that needs no stack."""
    return _with_place(command, ACCOUNT)


def location_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add the three options as they are, for the group of all commands."""
    return _add(command, ALL)


def _with_place(command: Callable[..., Result], names: tuple[str, ...]) -> Callable[..., Result]:
    @wraps(command)
    def with_place(*args: Any, **values: Any) -> Result:
        place = _place({name: values.pop(name) for name in names})
        try:
            return command(*args, place=place, **values)
        except Exception as error:
            if refused := _refusal(error, place):
                raise refused from error
            raise

    return _add(with_place, names)


def _add(command: Callable[..., Result], names: tuple[str, ...]) -> Callable[..., Result]:
    for name in reversed(names):
        command = _OPTIONS[name](command)
    return command


def _place(given: dict[str, str | None]) -> Place:
    above = click.get_current_context().find_root().params
    return Place(**{name: value for name in ALL if (value := given.get(name) or above.get(name))})


def _refusal(error: Exception, place: Place) -> CommandError | None:
    from botocore.exceptions import BotoCoreError

    from seeder_cli.access import refusal

    region = place.region
    with suppress(
        CommandError, BotoCoreError
    ):  # a profile that is not there has no region, and is told of already
        region = place.core.get_config_variable("region") or ""
    return refusal(error, place.used_profile, region)

"""The options of `seeder run --here`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from seeder_cli.here import HereOptions

Result = TypeVar("Result")


def here_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Add --here and what belongs to it to a command, which gets `here: HereOptions | None`, None without --here.

    Raises UsageError for what belongs to it without --here.
    """

    @wraps(command)
    def with_here(*args: Any, **values: Any) -> Result:
        asked = values.pop("here")
        given = {name: values.pop(name) for name in ("state_bucket", "local_batch", "endpoint_url")}
        if not asked and (stray := [name for name, value in given.items() if value]):
            raise click.UsageError(f"--{stray[0].replace('_', '-')} belongs to --here; give that too")
        return command(*args, here=HereOptions(**given) if asked else None, **values)

    decorated: Callable[..., Result] = with_here
    for option in (
        click.option(
            "--endpoint-url", metavar="URL", default="", help="With --here: an S3 server that is not AWS."
        ),
        click.option("--local-batch", is_flag=True, help="With --here: copy from this process on AWS too."),
        click.option(
            "--state-bucket",
            metavar="NAME",
            default="",
            help="With --here: the bucket for the run's files, made if it is missing.",
        ),
        click.option("--here", is_flag=True, help="Run in this process, without a deployed stack."),
    ):
        decorated = option(decorated)
    return decorated

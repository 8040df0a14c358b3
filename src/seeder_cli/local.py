"""`seeder local`: the local cloud with the application deployed, served to other processes."""

from __future__ import annotations

import signal
import threading

import click

from seeder_cli.errors import CommandError
from seeder_cli.project import template_path

REGION = "us-east-1"


@click.command()
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port on 127.0.0.1; default: a free one.",
)
@click.option(
    "--speed",
    metavar="N",
    type=click.FloatRange(1, 10_000),
    default=60.0,
    show_default=True,
    help="How much faster than real time waits and schedules pass.",
)
def local(port: int, speed: float) -> int:
    """Serve the local cloud, with the application deployed, until Ctrl-C.

    Prints the lines with which another shell reaches it; there the AWS CLI and boto3 work as with AWS.

    \b
    Example:
      seeder local --port 5000
    """
    from localcloud.clock import ScaledClock
    from localcloud.cloud import LocalCloud

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with LocalCloud(ScaledClock(speed)) as cloud:
        stack = cloud.deploy(template_path(), region=REGION)
        try:
            server = cloud.serve(port)
        except OSError as error:
            raise CommandError(f"--port {port}: {error.strerror}; give another, or none") from error
        except SystemExit as error:
            raise CommandError(f"--port {port} is in use; give another, or none") from error
        click.echo("# In another shell:")
        for name, value in server.environment(REGION).items():
            click.echo(f"export {name}={value}")
        for name, value in stack.outputs.items():
            click.echo(f"# {name}: {value}")
        click.echo("# Ready; Ctrl-C ends it and everything in it.")
        stop.wait()
        server.stop()
    return 0

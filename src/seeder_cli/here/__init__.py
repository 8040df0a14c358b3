"""`seeder run --here`: the state machine and the handlers of the stack, run in this process, without a stack.

Importing this costs nothing: what a run needs, moto among it, is imported when one is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seeder_cli.display import Display
    from seeder_cli.follow import Outcome
    from seeder_cli.place import Place


@dataclass(frozen=True)
class HereOptions:
    """Where a run without a stack keeps its state, who copies, and which S3; each empty or as it was given.

    `state_bucket` is by default `seeder-state-<account>-<region>` on AWS, `seeder-state` elsewhere. `local_batch` has
    this process do the tasks on AWS too. `endpoint_url` is that of an S3 server, as AWS_ENDPOINT_URL_S3.
    """

    state_bucket: str = ""
    local_batch: bool = False
    endpoint_url: str = ""


def run_here(document: dict[str, Any], place: Place, display: Display, options: HereOptions) -> Outcome:
    """Seed a pair in this process, follow it on `display` to its end, and return that.

    `document` is the request, as the state machine takes it. Raises CommandError for what can't begin (status 2), and
    after Ctrl-C (status 130), when what was begun has been given up; a second Ctrl-C ends the process at once.
    """
    from seeder_cli.here.running import run

    return run(document, place, display, options)

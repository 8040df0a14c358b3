"""Ctrl-C: the machine stops after what it is doing, as if its next task had failed, whose Catch gives all up."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from seeder.errors import code_of
from seeder_cli.here.machine import StateError

if TYPE_CHECKING:
    from seeder.clients import Clients
    from seeder_cli.here.batch import LocalJobs

INTERRUPTED = "Interrupted"
CAUSE = "stopped by Ctrl-C; what was copied stays; run again with --resync to copy only what is lacking"
_ENDED = "JobStatusException"


class Stopping:
    """Asked for by one thread, obeyed by the one that runs the machine. `wake` ends its waits."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self._asked = False
        self._struck = False

    def ask(self) -> None:
        """Have the machine stop."""
        self._asked = True
        self.wake.set()

    def sleep(self, seconds: float) -> None:
        """Let real time pass, less if the machine is to stop or a job of this process has ended."""
        self.wake.wait(seconds)

    def is_pending(self) -> bool:
        """Tell whether calls are to end soon: it was asked for, and has not been obeyed."""
        return self._asked and not self._struck

    def before_task(self, document: Any, clients: Clients, jobs: LocalJobs) -> None:
        """Raise StateError once if it was asked for; the run's job is cancelled and has ended then."""
        self.wake.clear()
        if not self.is_pending():
            return
        problem = _cancel(document, clients, jobs)
        self._struck = True
        raise StateError(INTERRUPTED, CAUSE + problem)


def _cancel(document: Any, clients: Clients, jobs: LocalJobs) -> str:
    """Cancel the job that goes on, if there is one; return what could not be done, as the end of a sentence."""
    made = (document.get("work") or {}).get("jobs", [])
    going = next((job for job in made if job["id"] and not job["finished"]), None)
    if going is None:
        return ""
    try:
        clients.s3control(going["region"]).update_job_status(
            AccountId=document["run"]["account_id"],
            JobId=going["id"],
            RequestedJobStatus="Cancelled",
            StatusUpdateReason="seeder run --here was stopped",
        )
    except (BotoCoreError, ClientError) as error:
        if not isinstance(error, ClientError) or code_of(error) != _ENDED:
            return f"; job {going['id']} could not be cancelled and goes on: {error}"
    with suppress(TimeoutError):
        jobs.stop()
    return ""

"""A run without a stack: surroundings, handlers and machine put together, and followed to the end."""

from __future__ import annotations

import os
import random
import threading
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from seeder.clients import Clients
from seeder.fleet import claims
from seeder.listing.walk import Unordered
from seeder.naming import fresh_identity, run_name
from seeder_cli.display import Display
from seeder_cli.errors import CommandError
from seeder_cli.follow import Outcome, follow
from seeder_cli.here import HereOptions, application, bucket, handlers
from seeder_cli.here.batch import LocalJobs
from seeder_cli.here.environment import Surroundings, surroundings
from seeder_cli.here.execution import Execution
from seeder_cli.here.executions import Executions, execution_id
from seeder_cli.here.machine import Machine, Resource, StateError
from seeder_cli.here.ordered import Ordered
from seeder_cli.here.stopping import INTERRUPTED, Stopping
from seeder_cli.history import Passage
from seeder_cli.jobs import note_reader
from seeder_cli.place import Place
from seeder_cli.project import application_folder

if TYPE_CHECKING:
    import boto3

NAME = "seeder-here"
COPIER = "CopyLargeObject"
INTERRUPTED_STATUS = 130
POLL_SECONDS = 0.25
_JOIN_SECONDS = 0.2
# What the machine tells others of its runs; here the run is told to whoever started it.
_NOTICES = ("arn:aws:states:::sns:publish", "arn:aws:states:::events:putEvents")


def run(document: dict[str, Any], place: Place, display: Display, options: HereOptions) -> Outcome:
    """See `seeder_cli.here.run_here`."""
    if not all(find_spec(name) for name in ("moto", "samtranslator")):
        raise CommandError("--here needs more packages; install them: pip install 's3-seeder[local]'")
    with surroundings(place, options) as at:
        every = options.local_batch or not at.has_jobs
        document = _fit(document, at) if every else document
        state_bucket = options.state_bucket or _usual_bucket(at)
        region = at.region
        if bucket.ensure(Clients(at.session).s3(region), state_bucket, region):
            display.line(f"Made the bucket for the state: {state_bucket}")
        made = _Here(at, _variables(document, at, state_bucket, every), every)
        try:
            return made.seed(document, state_bucket, display)
        finally:
            made.close()


class _Here:
    """Everything of one run in this process."""

    def __init__(self, at: Surroundings, variables: dict[str, str], every: bool) -> None:
        self._at = at
        self._stopping = Stopping()
        built = application.load(application_folder())

        def load(name: str, clients: Clients | None = None) -> Resource:
            arn = _function_arn(at, name)
            return handlers.load(built.functions[name], variables, arn, self._stopping.is_pending, clients)

        self._jobs = LocalJobs(at.account, every, load(COPIER), self._stopping.wake.set)
        self._jobs.attach(at.session)
        self._ordered = Ordered(Clients(), at.region)
        self._ordered.attach(at.session)
        self._executions = Executions(at.session.client("stepfunctions"), at.is_aws)
        self._clients = _OwnClients(at.session, self._executions, has_roles=not every)
        tasks = [state["Resource"] for state in built.definition["States"].values() if "Resource" in state]
        own = {
            name: self._in_any_order(load(name, self._clients)) for name in tasks if name in built.functions
        }
        self._machine = Machine(
            built.definition,
            own | dict.fromkeys(_NOTICES, lambda notice: {}),
            sleep=self._stopping.sleep,
            before_task=self._before_task,
        )

    def seed(self, document: dict[str, Any], state_bucket: str, display: Display) -> Outcome:
        """Run the machine in a thread, and follow it. Raises CommandError after Ctrl-C."""
        identity = fresh_identity(datetime.now(UTC), random.SystemRandom())
        run_id = run_name("manual", document["source"], document["destination"], identity)
        execution = Execution(execution_id(run_id), run_id, document)
        self._executions.add(execution)
        display.line(f"Started run: {run_id}, in this process; its files: s3://{state_bucket}/runs/{run_id}/")
        worker = threading.Thread(target=self._machine.run, args=(execution,), name="machine")
        worker.start()
        states: Any = self._executions
        try:
            outcome = follow(
                states,
                execution.arn,
                display,
                self._look,
                poll=POLL_SECONDS,
                read_note=note_reader(self._clients.s3(self._at.region), state_bucket),
                come_back=f"seeder show {run_id} --state-bucket {state_bucket}",
            )
        except BaseException as error:
            self._stop(worker, display)
            if not isinstance(error, KeyboardInterrupt):
                raise
            outcome = _outcome(execution)
        else:
            worker.join()
        if outcome.error == INTERRUPTED:
            raise CommandError(f"{run_id}: {outcome.cause}", status=INTERRUPTED_STATUS)
        self._tell_of_claims(document, state_bucket, display)
        return outcome

    def close(self) -> None:
        """Leave nothing of the run in this process."""
        self._jobs.close()
        self._ordered.forget()

    def _before_task(self, document: Any) -> None:
        self._ordered.forget()
        self._stopping.before_task(document, self._clients, self._jobs)

    def _in_any_order(self, call: Resource) -> Resource:
        """Return a resource that is called again, its listings put in order, for a server that has another order."""

        def ordered(given: Any) -> Any:
            try:
                return call(given)
            except StateError as error:
                if error.name != Unordered.__name__ or self._ordered.has_begun:
                    raise
                self._ordered.begin()
                return call(given)

        return ordered

    def _stop(self, worker: threading.Thread, display: Display) -> None:
        """Have the machine stop, and wait for it; at a second Ctrl-C end the process, whatever its threads do."""
        try:
            display.line("Stopping; what was begun is given up. Ctrl-C again ends at once, and leaves it")
            self._stopping.ask()
            while worker.is_alive():
                worker.join(_JOIN_SECONDS)
        except KeyboardInterrupt:
            click.echo("seeder: ended at once; the next run of the pair takes its claim over", err=True)
            os._exit(INTERRUPTED_STATUS)

    def _look(self, job: dict[str, Any]) -> tuple[int, int]:
        """Return a job's tasks done and in all; zeros while S3 does not tell."""
        control = self._clients.s3control(job["region"])
        seen = control.describe_job(AccountId=self._at.account, JobId=job["id"])["Job"]
        progress = seen.get("ProgressSummary") or {}
        done = progress.get("NumberOfTasksSucceeded", 0) + progress.get("NumberOfTasksFailed", 0)
        return done, progress.get("TotalNumberOfTasks", 0)

    def _tell_of_claims(self, document: dict[str, Any], state_bucket: str, display: Display) -> None:
        """Say how to give a claim back whose run another host is to know of, if this run met one."""
        for held in set(self._executions.assumed):
            claim = f"s3://{state_bucket}/{claims.key_of(document['source'], document['destination'])}"
            display.line(f"{held} is taken to go on; if it does not, give its claim back: aws s3 rm {claim}")


class _NoRoles:
    """What is asked of IAM where no role takes part: what the user may do, S3 says when it is asked."""

    def simulate_principal_policy(self, **_: Any) -> dict[str, Any]:
        """Return nothing that speaks against it."""
        return {"EvaluationResults": []}


class _OwnClients(Clients):
    """The clients of the handlers here; without roles, tasks are done by the user's own credentials."""

    def __init__(self, session: boto3.Session, executions: Executions, has_roles: bool) -> None:
        super().__init__(session)
        self.states: Any = lambda: executions
        if not has_roles:
            self.iam: Any = _NoRoles


def _fit(document: dict[str, Any], at: Surroundings) -> dict[str, Any]:
    """Return a request for jobs of this process, which copy and can't replicate. Raises CommandError."""
    for field, refused in (("operation", "replicate"), ("enable_replication", True)):
        if document.get(field) == refused:
            raise CommandError(
                f"{field}: replication needs S3 Batch Operations of AWS, and {at.endpoint} is served from this "
                "process; ask for 'copy'"
            )
    return {**document, "operation": "copy"}


def _usual_bucket(at: Surroundings) -> str:
    return f"seeder-state-{at.account}-{at.region}" if at.is_aws else "seeder-state"


def _variables(document: dict[str, Any], at: Surroundings, state_bucket: str, every: bool) -> dict[str, str]:
    """Return the variables of the functions, as the template would give them."""
    nobody = f"arn:aws:iam::{at.account}:role/{NAME}" if every else ""
    return {
        "STATE_BUCKET": state_bucket,
        "JOB_ROLE_ARN": document.get("job_role_arn") or nobody,
        "REPLICATION_ROLE_ARN": document.get("replication_role_arn") or "",
        "STACK_NAME": NAME,
        "ROLE_PATH": f"/{NAME}/{at.region}/",
        "BOUNDARY_ARN": "",
        "KMS_KEY_ID": "*",
        "COPY_FUNCTION_ARN": _function_arn(at, COPIER),
        "POWERTOOLS_SERVICE_NAME": "seeder",
        "POWERTOOLS_METRICS_NAMESPACE": "Seeder",
    }


def _function_arn(at: Surroundings, name: str) -> str:
    return f"arn:aws:lambda:{at.region}:{at.account}:function:{NAME}-{name}"


def _outcome(execution: Execution) -> Outcome:
    """Return how an execution ended, without telling it again."""
    passage = Passage()
    for event in execution.events:
        passage.take(event)
    told = execution.describe()
    return Outcome(
        run_id=execution.name,
        status=execution.status,
        history_events=len(execution.events),
        error=told.get("error", ""),
        cause=told.get("cause", ""),
        stages=passage.stages,
    )

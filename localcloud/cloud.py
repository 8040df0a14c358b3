"""The local cloud as a whole: started, deployed to, served, stopped."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from moto import mock_aws

from localcloud import (
    account_settings,
    aws,
    batch_operations,
    caches,
    cloudformation,
    cloudtrail,
    events,
    fault_injection,
    policy_gaps,
    replication,
    role_settling,
    s3,
    schedules,
    scoped,
    simulation,
    stepfunctions,
    trails,
)
from localcloud.authorization import Authorization, Recorded
from localcloud.batch_operations.settings import Settings, configure
from localcloud.clock import Clock, ScaledClock
from localcloud.deploy import Stack, deploy
from localcloud.faults import Fault
from localcloud.functions import Functions, runner
from localcloud.patching import Patches
from localcloud.s3.declared import declare_object
from localcloud.server import Server


class LocalCloud:
    """AWS in this process, from `start` to `stop`; also a context manager.

    While it runs, boto3 clients made in this process are answered here, and the user's own AWS settings are out of
    reach. `replication_delay` is how many seconds of the clock replication takes. With `trail`, the account is
    one of an organisation whose trail logs management events, as most are; without, what CloudTrail tells of
    reaches EventBridge only once somebody makes a trail. With `enforce`, who has a role's credentials does only what
    its policies allow, and a bucket's policy binds everybody. `functions` is "in-process" or "processes": where
    Lambda functions run, which the variable SEEDER_FUNCTIONS can tell as well. One cloud can run at a time.
    """

    _running: ClassVar[LocalCloud | None] = None

    def __init__(
        self,
        clock: Clock | None = None,
        faults: list[Fault] | None = None,
        replication_delay: float = 0.0,
        trail: bool = True,
        enforce: bool = True,
        functions: str | None = None,
    ) -> None:
        self.clock = clock or ScaledClock()
        self._replication_delay = replication_delay
        self._trail = trail
        self._mode = functions
        self._authorization = Authorization(enforce)
        self.settings = Settings(clock=self.clock, faults=faults or [], emit=trails.deliver)
        self._patches = Patches()
        self._stopped = threading.Event()
        self._moto = mock_aws(config=_MOTO_CONFIG)

    def start(self) -> LocalCloud:
        """Start all services, empty.

        Raises RuntimeError when a cloud is running in this process, ValueError for another mode of `functions`.
        """
        if LocalCloud._running is not None:
            raise RuntimeError("a local cloud is running in this process already; stop it first")
        self._functions = Functions(self._authorization, runner(self._mode))
        LocalCloud._running = self
        self._set_environment()
        self._moto.start()
        self._stopped.clear()
        configure(self.settings)
        caches.install(self._patches)
        scoped.install(self._patches)
        self._functions.install(self._patches)
        stepfunctions.install(self._patches, self.clock, self._authorization)
        events.install(self._patches)
        schedules.install(self._patches, self.clock, self._stopped)
        cloudformation.install(self._patches)
        policy_gaps.install(self._patches)
        s3.install(self._patches, self.clock)
        simulation.install(self._patches)
        account_settings.install(self._patches)
        role_settling.install(self._patches, self.clock)
        replication.install(self._patches, self.clock, self._replication_delay)
        trails.install(self._patches, organization=self._trail)
        cloudtrail.install(self._patches, trails.deliver, self.clock)
        self._authorization.install(self._patches)
        fault_injection.install(self._patches)
        return self

    def stop(self) -> None:
        """Stop all services and forget what they hold."""
        self._stopped.set()
        self._functions.stop()
        batch_operations.stop_all()
        replication.stop()
        self._patches.undo()
        self._moto.stop()
        os.environ.clear()
        os.environ.update(self._outer_environment)
        LocalCloud._running = None

    def _set_environment(self) -> None:
        self._outer_environment = dict(os.environ)
        for name in self._outer_environment:
            if name.startswith("AWS_"):
                del os.environ[name]
        os.environ |= {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": aws.REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def __enter__(self) -> LocalCloud:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def client(self, service: str, region: str = aws.REGION) -> Any:
        """Return a boto3 client of this cloud."""
        return aws.client(service, region)

    def recorded(self) -> list[Recorded]:
        """Return what roles were seen to do, allowed or refused; nothing where the cloud does not enforce."""
        return self._authorization.recorded()

    def declare_object(self, bucket: str, key: str, size: int, **fields: Any) -> str:
        """Put an object of `size` bytes without the bytes; see `localcloud.s3.declared.declare_object`."""
        return declare_object(bucket, key, size, **fields)

    def deploy(
        self,
        template: Path,
        name: str = "seeder",
        region: str = aws.REGION,
        parameters: dict[str, str] | None = None,
    ) -> Stack:
        """Deploy a SAM template; see `localcloud.deploy.deploy`."""
        return deploy(template, name, region, parameters)

    def serve(self, port: int = 0) -> Server:
        """Open the cloud to other processes on 127.0.0.1."""
        return Server(port).start()


_MOTO_CONFIG: Any = {"stepfunctions": {"execute_state_machine": True}}

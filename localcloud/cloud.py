"""The local cloud as a whole: started, deployed to, served, stopped."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from moto import mock_aws

from localcloud import (
    aws,
    batch_operations,
    policy_gaps,
    cloudformation,
    cloudtrail,
    events,
    replication,
    schedules,
    scoped,
    stepfunctions,
)
from localcloud.batch_operations.settings import Settings, configure
from localcloud.clock import Clock, ScaledClock
from localcloud.deploy import Stack, deploy
from localcloud.faults import Fault
from localcloud.functions import Functions
from localcloud.patching import Patches
from localcloud.server import Server


class LocalCloud:
    """AWS in this process, from `start` to `stop`; also a context manager.

    While it runs, boto3 clients made in this process are answered here. One cloud can run at a time.
    """

    def __init__(self, clock: Clock | None = None, faults: list[Fault] | None = None) -> None:
        self.clock = clock or ScaledClock()
        self.settings = Settings(clock=self.clock, faults=faults or [], emit=events.deliver)
        self._patches = Patches()
        self._stopped = threading.Event()
        self._moto = mock_aws(config=_MOTO_CONFIG)

    def start(self) -> LocalCloud:
        """Start all services, empty."""
        self._moto.start()
        self._stopped.clear()
        configure(self.settings)
        scoped.install(self._patches)
        Functions().install(self._patches)
        stepfunctions.install(self._patches, self.clock)
        events.install(self._patches)
        schedules.install(self._patches, self.clock, self._stopped)
        cloudformation.install(self._patches)
        policy_gaps.install(self._patches)
        replication.install(self._patches, self.clock)
        cloudtrail.install(self._patches, events.deliver, self.clock)
        return self

    def stop(self) -> None:
        """Stop all services and forget what they hold."""
        self._stopped.set()
        batch_operations.stop_all()
        replication.stop()
        self._patches.undo()
        self._moto.stop()

    def __enter__(self) -> LocalCloud:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def client(self, service: str, region: str = aws.REGION) -> Any:
        """Return a boto3 client of this cloud."""
        return aws.client(service, region)

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

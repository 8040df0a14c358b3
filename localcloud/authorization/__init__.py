"""What IAM enforces: each caller with a role's credentials does only what the role's policies allow.

`install` sets a gate before all requests to the cloud, whichever door they come in by. The services that act for a
resource (a function, a state machine) get their roles' credentials here.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from moto.core.botocore_stubber import BotocoreStubber
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from localcloud import aws, iam_roles, sessions
from localcloud.authorization.gate import Gate
from localcloud.authorization.needs import Need
from localcloud.authorization.recording import Recorded, Recorder
from localcloud.iam import UnsupportedPolicy
from localcloud.sessions import LAMBDA, STATES, NotAssumable

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

    from localcloud.authorization.refusals import Answer
    from localcloud.patching import Patches

__all__ = ["LAMBDA", "STATES", "Authorization", "Need", "NotAssumable", "Recorded"]

_CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1})


class Authorization:
    """Authorization in one local cloud. Where it does not `enforce`, everybody may do everything."""

    def __init__(self, enforce: bool = True) -> None:
        self.enforces = enforce
        self._recorder = Recorder()
        self._gate = Gate(self._recorder)
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()

    def install(self, patches: Patches) -> None:
        """Enforce until the patches are undone."""
        sessions.install(patches)
        if not self.enforces:
            return

        def process(stubber: Any, request: AWSPreparedRequest) -> Answer | None:
            return self._gate.answer(request, lambda passed: original(stubber, passed))

        original = patches.replace(BotocoreStubber, "process_request", process)
        patches.replace(iam_roles, "observe", self._recorder.observe)
        patches.replace(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)

    def recorded(self) -> list[Recorded]:
        """Return what roles were seen to do; see `localcloud.authorization.recording`."""
        return self._recorder.all()

    def check_trust(self, role_arn: str, service: str, source_arn: str) -> None:
        """Raise NotAssumable unless the role lets a service take it on for a resource."""
        if self.enforces:
            sessions.check_trust(role_arn, service, source_arn)

    def may(self, role_arn: str, service: str, action: str, resource: str, region: str) -> bool:
        """Return whether a role that a service took on may do what the service does in its name."""
        if not self.enforces:
            return True
        role = iam_roles.read_role(role_arn)
        try:
            return role is not None and not self._gate.allows(role, service, Need(action, resource), region)
        except UnsupportedPolicy:
            return False

    def client(self, service: str, region: str, role_arn: str, principal: str) -> Any:
        """Return a client by which a service principal of AWS acts in a role. Trust is not asked."""
        if not self.enforces:
            return aws.client(service, region)
        place = (service, region, role_arn)
        with self._lock:
            if place not in self._clients:
                given = sessions.begin(role_arn, principal.partition(".")[0], principal, region)
                self._clients[place] = boto3.Session(
                    given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region
                ).client(service, config=_CONFIG)  # type: ignore[call-overload]  # of any service
            return self._clients[place]

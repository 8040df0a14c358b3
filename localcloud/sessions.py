"""Who signs with which access key: the sessions of assumed roles.

A service of the local cloud that acts for a resource (Lambda for a function, Step Functions for a state machine,
EventBridge for a rule) takes on the resource's role by `assume`, which asks the role's trust policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.sts.models import STSBackend, sts_backends

from localcloud.iam import UnsupportedPolicy
from localcloud.iam_roles import read_role

if TYPE_CHECKING:
    from localcloud.patching import Patches

LAMBDA = "lambda.amazonaws.com"
STATES = "states.amazonaws.com"
EVENTS = "events.amazonaws.com"
SCHEDULER = "scheduler.amazonaws.com"
BATCH_OPERATIONS = "batchoperations.s3.amazonaws.com"
CALLERS = "sts.amazonaws.com"

TELLS_ITS_SOURCE = frozenset((STATES, EVENTS, SCHEDULER))
"""Services that give aws:SourceArn and aws:SourceAccount when they assume a role (Step Functions, EventBridge and
Scheduler guides, "Confused deputy prevention"). The Lambda guide promises neither for execution roles: unconfirmed."""


class NotAssumable(Exception):
    """A service may not take on a role."""


@dataclass(frozen=True)
class Session:
    """A role taken on: its ARN, the session's, and the service principal for which it was assumed."""

    role: str
    arn: str
    kind: str
    policy: str = ""

    @property
    def account(self) -> str:
        """Return the account id of the role."""
        return self.role.split(":")[4]


_sessions: dict[str, Session] = {}


def install(patches: Patches) -> None:
    """Know all sessions that begin until the patches are undone."""

    def assume_role(self: Any, *args: Any, **given: Any) -> Any:
        held = original(self, *args, **given)
        _sessions[held.access_key_id] = Session(held.role_arn, held.arn, CALLERS, held.policy or "")
        return held

    _sessions.clear()
    original = patches.replace(STSBackend, "assume_role", assume_role)


def find(access_key: str) -> Session | None:
    """Return the session that an access key belongs to, or None for users and the root."""
    return _sessions.get(access_key)


def check_trust(role_arn: str, service: str, source_arn: str) -> None:
    """Raise NotAssumable unless a role lets a service take it on for a resource."""
    account = role_arn.split(":")[4]
    tells = service in TELLS_ITS_SOURCE
    context = {
        "aws:SourceArn": source_arn if tells else None,
        "aws:SourceAccount": account if tells else None,
        "aws:SourceOrgID": None,
        "aws:SecureTransport": "true",
        "sts:ExternalId": None,
    }
    try:
        role = read_role(role_arn)
        trusted = role is not None and role.trusts(service, context)
    except UnsupportedPolicy as error:
        raise NotAssumable(f"The role {role_arn} cannot be assumed by {service}: {error}") from error
    if not trusted:
        problem = "does not exist" if role is None else f"does not trust {service}"
        raise NotAssumable(f"The role {role_arn} cannot be assumed by {service}: it {problem}")


def begin(role_arn: str, name: str, kind: str, region: str, seconds: int = 3600) -> dict[str, str]:
    """Begin a session without asking the role's trust policy; return its credentials, as AssumeRole does."""
    account = role_arn.split(":")[4]
    held = sts_backends[account]["aws"].assume_role(region, name[:64], role_arn, "", seconds, "")
    _sessions[held.access_key_id] = Session(held.role_arn, held.arn, kind)
    return {
        "AccessKeyId": held.access_key_id,
        "SecretAccessKey": held.secret_access_key,
        "SessionToken": held.session_token,
    }

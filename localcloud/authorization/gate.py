"""The gate before every request: whoever signed with a role's session does only what its policies allow.

Users and the root do what they like, as owners of the account, except what the policy of a bucket denies them.
S3 Batch Operations asks about its jobs' roles by itself (`localcloud.batch_operations.session`) and passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud import sessions
from localcloud.authorization import refusals, s3, services
from localcloud.authorization.bulk_delete import delete_some
from localcloud.authorization.calls import Call, Unreadable
from localcloud.authorization.needs import Need, NotSupported, base_context
from localcloud.aws import REGION
from localcloud.batch_operations import store
from localcloud.cloudtrail import user_identity
from localcloud.iam import Access, Decision, Principal, UnsupportedPolicy
from localcloud.iam_roles import Role, bucket_policy, read_role
from localcloud.kms import may_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from botocore.awsrequest import AWSPreparedRequest

    from localcloud.authorization.recording import Recorder
    from localcloud.authorization.refusals import Answer
    from localcloud.sessions import Session

    Process = Callable[[AWSPreparedRequest], Answer | None]

_OWN_POLICY = ("s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy")
_MISSING = (b"NoSuchKey", b"NoSuchVersion")


class Gate:
    """Decides on requests, and records what roles asked for."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._contexts: dict[tuple[str, str, str, str], dict[str, str | None]] = {}

    def answer(self, request: AWSPreparedRequest, process: Process) -> Answer | None:
        """Return the refusal of a request, else what `process` answers."""
        call = Call(request)
        session = sessions.find(call.access_key) if call.access_key else None
        if session and session.kind == sessions.BATCH_OPERATIONS:
            return process(request)
        if call.service in ("s3", "") and not session and not _has_policy(call):
            return process(request)
        try:
            if session is None:
                return self._of_owner(call, request, process)
            return self._of_role(call, session, request, process)
        except Unreadable:
            return process(request)
        except NotSupported as unknown:
            return refusals.not_supported(call, str(unknown))
        except UnsupportedPolicy as unknown:
            return refusals.not_supported(
                call, str(unknown).removesuffix(" is not evaluated by the local cloud")
            )

    def allows(self, role: Role, kind: str, need: Need, region: str) -> str:
        """Return why a role may not do what it needs to, "" where it may, and record it. Raises UnsupportedPolicy."""
        owner = store.owner(need.bucket) if need.bucket else None
        general = self._general(need.action, region, owner or role.arn.split(":")[4], role.arn)
        context = {**general, **need.context}
        if need.key is not None:
            permitted = may_use(role, need.action, need.key, context)
            return "" if permitted else f"because no identity-based policy allows the {need.action} action"
        why = role.refusal(need.action, need.resource, context, need.bucket or None)
        self._recorder.note(role.arn, kind, need.action, need.resource, not why, need.context, general)
        return why

    def _of_role(
        self, call: Call, session: Session, request: AWSPreparedRequest, process: Process
    ) -> Answer | None:
        role = read_role(session.role)
        if role is None:
            text = "The security token included in the request is invalid."
            return refusals.answer(call, 403, "InvalidClientTokenId", text)
        if session.policy:
            raise NotSupported("a session policy")
        on_s3 = call.service == "s3"
        if on_s3 and _is_lost(call):
            return process(request)
        wanted = services.needs(call, session.account)
        whys = (self.allows(role, session.kind, need, call.region) for need in wanted)
        result = _decided(call, request, process, session.arn, zip(wanted, whys, strict=True))
        if on_s3 and result is not None and result[0] == 404:
            return self._of_missing(call, session, role, result)
        return result

    def _of_missing(self, call: Call, session: Session, role: Role, result: Answer) -> Answer:
        """Return 403 for a 404 that a caller who may not list is not to see."""
        need = s3.needs_of_missing(call)
        body = result[2].encode() if isinstance(result[2], str) else result[2]
        if need is None or (body and not any(code in bytes(body) for code in _MISSING)):
            return result
        why = self.allows(role, session.kind, need, call.region)
        return refusals.denied(call, session.arn, need, why) if why else result

    def _of_owner(self, call: Call, request: AWSPreparedRequest, process: Process) -> Answer | None:
        """Answer a user or the root: only what a bucket's policy denies is refused."""
        if call.service != "s3":
            return process(request)
        owner = store.owner(call.place[0]) or ""
        arn = str(user_identity(call.access_key, owner, call.region or REGION)["arn"]) if owner else ""
        whys = ((need, self._denial(need, arn, call.region)) for need in s3.needs(call))
        return _decided(call, request, process, arn, whys)

    def _denial(self, need: Need, arn: str, region: str) -> str:
        """Return why the policy of a bucket denies something to a user or the root; "" where it does not."""
        policy, owner = bucket_policy(need.bucket) if need.bucket else (None, None)
        if policy is None or owner is None or need.action in _OWN_POLICY:
            return ""
        context = {**self._general(need.action, region, owner, ""), **need.context, "aws:PrincipalArn": arn}
        access = Access(need.action, need.resource, Principal(arn=arn), context)
        denies = policy.decide(access) is Decision.DENY
        return "with an explicit deny in a resource-based policy" if denies else ""

    def _general(self, action: str, region: str, account: str, role: str) -> dict[str, str | None]:
        key = (action.partition(":")[0], region, account, role)
        if key not in self._contexts:
            self._contexts[key] = base_context(action, region, account, role)
        return self._contexts[key]


def _decided(
    call: Call,
    request: AWSPreparedRequest,
    process: Process,
    caller: str,
    judged: Iterable[tuple[Need, str]],
) -> Answer | None:
    """Answer a request whose needs were judged, each with the reason why not, or ""."""
    refused = []
    for need, why in judged:
        if why and "delete" not in call.query:
            return refusals.denied(call, caller, need, why)
        if why:
            refused.append((need, refusals.message(call, caller, need, why)))
    return delete_some(call, request, refused, process) if refused else process(request)


def _has_policy(call: Call) -> bool:
    """Tell whether a request to S3 touches a bucket with a policy."""
    if call.service != "s3":
        return False
    named = [call.place[0]]
    if "x-amz-copy-source" in call.headers:
        named.append(s3.copy_source(call.headers["x-amz-copy-source"])[0])
    return any(held is not None and held.policy for held in map(store.bucket, named))


def _is_lost(call: Call) -> bool:
    """Tell whether a bucket that a request names is not there, which S3 says to everybody."""
    bucket, key = call.place
    creates = call.method == "PUT" and not key and not call.query
    return bool(bucket) and not creates and store.bucket(bucket) is None

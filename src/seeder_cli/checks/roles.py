"""The two roles of a pair: there, trusting S3, allowed what they need, and not refused by the buckets.

Contracts: IAM User Guide, "How to use trust policies with IAM roles"; S3 User Guide, "Granting permissions for Batch
Operations", "Setting up permissions for live replication".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from seeder.buckets import Bucket as RunBucket
from seeder.request import Request
from seeder.roles.plans import job_plan
from seeder.run import Run
from seeder.settings import Settings
from seeder_cli.checks.bucket import Bucket
from seeder_cli.checks.denials import allows, denials
from seeder_cli.checks.documents import trusts
from seeder_cli.checks.finding import Check, Fact, Verdict, miss, ok, present, unknown, warning
from seeder_cli.checks.needs import Needs, job_needs, replication_needs
from seeder_cli.checks.pair import Pair
from seeder_cli.checks.simulation import Answer, simulate
from seeder_cli.checks.stack import Stack

GROUP = "Roles"


@dataclass(frozen=True)
class Role:
    """A role by its ARN, and as IAM describes it (API reference, Role); None where there is none.

    `is_made` says that a run makes it when it needs it.
    """

    arn: str
    service: str
    seen: dict[str, Any] | None
    is_made: bool = False

    @property
    def name(self) -> str:
        """Its name, without a path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class Part:
    """A role's part in a pair: the role (None: none has this part now) and what it needs."""

    name: str
    role: Callable[[], Role | None]
    needs: Callable[[], Needs]


def role_checks(pair: Pair) -> Iterator[Check]:
    """Yield the checks of both roles, and of what the buckets' policies say of them."""
    parts = [
        Part("replication-role", Fact(partial(replication_role, pair)), Fact(partial(_replication, pair))),
        Part("job-role", Fact(partial(job_role, pair)), Fact(partial(job_needs, pair))),
    ]
    for part in parts:
        yield Check(GROUP, part.name, partial(trusted, pair, part))
        yield Check(GROUP, f"{part.name}-may", partial(may, pair, part))
    for side, bucket in (("source", pair.source), ("destination", pair.destination)):
        yield Check(GROUP, f"{side}-policy", partial(admitted, pair, bucket, parts))


def _replication(pair: Pair) -> Needs:
    covering = pair.covering()
    return replication_needs(pair, covering.raw) if covering else Needs([], [])


def replication_role(pair: Pair) -> Role | None:
    """Return the role by which the source's rules replicate; None where no rule covers the pair. Raises ClientError."""
    if pair.covering() is None:
        return None
    return _role(pair, str(pair.source.replication()["Role"]), "s3.amazonaws.com")


def job_role(pair: Pair) -> Role | None:
    """Return the jobs' role: the one the stack was given, else that which runs make for the pair; None: no stack.

    Raises ClientError.
    """
    if pair.stack is None:
        return None
    given = pair.stack.parameters.get("JobRoleArn", "")
    if not given and not pair.stack.outputs.get("RolePath"):
        return None
    return _role(pair, given or _made_for(pair, pair.stack), "batchoperations.s3.amazonaws.com", not given)


def _made_for(pair: Pair, stack: Stack) -> str:
    """Return the ARN of the job role that a run of the pair makes, or has made."""
    buckets = {
        "source": RunBucket(name=pair.source.name, region=pair.source.region, versioning=""),
        "destination": RunBucket(name=pair.destination.name, region=pair.destination.region, versioning=""),
    }
    run = Run(
        run_id="doctor",
        started_at="",
        account_id=pair.aws.account,
        request=Request(source=pair.source.name, destination=pair.destination.name, prefix=pair.prefix),
        state_bucket=pair.state_bucket,
        operation=pair.operation,
        **buckets,
    )
    settings = Settings(
        pair.state_bucket, "", "", "", stack_name=stack.name, role_path=stack.outputs["RolePath"]
    )
    plan = job_plan(run, settings, pair.aws.region)
    return f"arn:{pair.aws.partition}:iam::{pair.aws.account}:role{plan.path}{plan.name}"


def _role(pair: Pair, arn: str, service: str, is_made: bool = False) -> Role:
    name = arn.rpartition("/")[2]
    answer = present(lambda: pair.aws.client("iam").get_role(RoleName=name), "NoSuchEntity")
    return Role(arn, service, answer["Role"] if answer else None, is_made)


def trusted(pair: Pair, part: Part) -> Verdict | None:
    """Whether a role is there and lets S3 take it on."""
    role = part.role()
    if role is None:
        return None
    if role.seen is None and role.is_made:
        return ok("a run makes the role of this pair when it needs it")
    if role.seen is None:
        return miss(f"role {role.arn} does not exist", "make it again, or name another")
    known = {"aws:sourceaccount": pair.aws.account}
    if part.name == "replication-role":
        known["aws:sourcearn"] = pair.source.arn
    truth = trusts(role.seen["AssumeRolePolicyDocument"], role.service, known)
    if truth:
        return ok(f"{role.name} lets {role.service} take it on")
    if truth is None:
        return unknown(f"whether {role.name} lets {role.service} take it on depends on its conditions")
    return miss(
        f"role {role.name} does not let {role.service} take it on",
        f"give it the trust policy that seeder policy {pair.names} prints: aws iam update-assume-role-policy "
        f"--role-name {role.name} --policy-document DOCUMENT",
    )


def may(pair: Pair, part: Part) -> Verdict | None:
    """Whether IAM allows a role all it needs, by simulation of its own policies."""
    role = part.role()
    if role is None or role.seen is None:
        return None
    needs, iam = part.needs(), pair.aws.client("iam")
    answers = simulate(iam, role.arn, needs.of_s3, {})
    for region in sorted({region for region, _ in needs.of_kms}):
        wanted = [need for place, need in needs.of_kms if place == region]
        answers += simulate(iam, role.arn, wanted, {"kms:ViaService": f"s3.{region}.{_domain(pair)}"})
    return _verdict(pair, role, answers)


def _domain(pair: Pair) -> str:
    return "amazonaws.com.cn" if pair.aws.partition == "aws-cn" else "amazonaws.com"


def _verdict(pair: Pair, role: Role, answers: list[Answer]) -> Verdict:
    refused = [answer for answer in answers if answer.says == "refused"]
    if role.is_made and refused and not any(answer.why for answer in refused):
        return ok(f"a run gives {role.name} what it lacks yet, such as {refused[0].need.action}")
    if refused:
        first, more = refused[0], len(refused) - 1
        also = f" (and {more} more)" if more else ""
        return miss(
            f"role {role.name} is not allowed {first.need.action} on {first.need.arn}{also}{_by(first)}",
            f"give it the policy that seeder policy {pair.names} prints",
        )
    depends = next((answer for answer in answers if answer.says == "depends"), None)
    if depends:
        return unknown(f"whether {role.name} is allowed {depends.need.action} depends on {depends.why}")
    return ok(f"{role.name} is allowed all {len(answers)} calls that it needs (simulated)")


def _by(answer: Answer) -> str:
    return f", {answer.why}" if answer.why else ""


def admitted(pair: Pair, bucket: Bucket, parts: list[Part]) -> Verdict | None:
    """Whether a bucket's policy refuses none of the roles, and lets those of another account in."""
    roles = [(role, part.needs().of_bucket(bucket)) for part in parts if (role := part.role())]
    if not roles:
        return None
    if not bucket.is_ours():
        return _of_another(pair, bucket, roles)
    policy = bucket.policy()
    found = [(role, denial) for role, needs in roles for denial in denials(policy, role.arn, needs)]
    found.sort(key=lambda item: not item[1].is_sure)
    if not found:
        return ok(
            f"the policy of {bucket.name} refuses neither role" if policy else f"{bucket.name} has no policy"
        )
    role, denial = found[0]
    said = f"statement '{denial.sid}' of the policy of {bucket.name}"
    todo = f"leave the role out of that statement (aws:PrincipalArn {role.arn})"
    if denial.is_sure:
        return miss(f"{said} refuses {denial.need.action} to {role.name}", todo)
    return warning(
        f"{said} may refuse {denial.need.action} to {role.name}: its conditions can't be known here", todo
    )


def _of_another(pair: Pair, bucket: Bucket, roles: list[tuple[Role, list[Any]]]) -> Verdict:
    todo = f"let its owner add what seeder policy {pair.names} prints"
    policy = present(lambda: bucket.policy(), "AccessDenied", "MethodNotAllowed")
    if policy is None:
        return unknown(f"the policy of {bucket.name}, of another account, may not be read", todo)
    for role, needs in roles:
        if lacking := allows(policy, role.arn, needs):
            return miss(f"the policy of {bucket.name} does not let {role.name} {lacking[0].action}", todo)
    return ok(f"the policy of {bucket.name} lets the roles in")

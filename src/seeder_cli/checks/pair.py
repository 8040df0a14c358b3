"""A pair of buckets as all checks see it, and the checks of the two buckets themselves.

Contracts: S3 User Guide, "Requirements and considerations for replication", "Copy objects with S3 Batch Operations",
"Controlling ownership of objects", "Using Requester Pays buckets".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from seeder.replication import Rule, parse_rule
from seeder_cli.checks.aws import Aws
from seeder_cli.checks.bucket import Bucket
from seeder_cli.checks.deployment import covers
from seeder_cli.checks.finding import Check, Fact, Verdict, miss, ok, present, unknown, warning
from seeder_cli.checks.stack import Stack

GROUP = "Buckets"


@dataclass(frozen=True)
class Held:
    """A rule of the source: as this library sees it, and as S3 gives it."""

    rule: Rule
    raw: dict[str, Any]

    @property
    def destination(self) -> dict[str, Any]:
        """Its Destination element."""
        return dict(self.raw["Destination"])


class Pair:
    """Two buckets that exist, the keys in question, and the stack that would seed them (None: there is none)."""

    def __init__(
        self,
        aws: Aws,
        source: Bucket,
        destination: Bucket,
        prefix: str,
        stack: Stack | None,
        state_bucket: str,
    ) -> None:
        self.aws, self.source, self.destination = aws, source, destination
        self.prefix, self.stack, self.state_bucket = prefix, stack, state_bucket
        self.rules = Fact(self._rules)
        self.covering = Fact(self._covering)

    def _rules(self) -> list[Held]:
        return [Held(parse_rule(item), item) for item in self.source.replication().get("Rules", [])]

    def _covering(self) -> Held | None:
        """The enabled rule by which all keys in question are replicated to the destination."""
        found = (held for held in self.rules() if held.rule.covers(self.destination.name, self.prefix))
        return next(found, None)

    @property
    def operation(self) -> Literal["copy", "replicate"]:
        """What a run that leaves the choice to seeder would do. Raises ClientError."""
        return "replicate" if self.covering() else "copy"

    @property
    def names(self) -> str:
        """The two names, as a command takes them."""
        return f"{self.source.name} {self.destination.name}"


def pair_checks(pair: Pair) -> Iterator[Check]:
    """Yield the checks of the two buckets."""
    yield Check(GROUP, "source", partial(owner, pair, pair.source))
    yield Check(GROUP, "destination", partial(owner, pair, pair.destination))
    yield Check(GROUP, "source-versioning", partial(versioning, pair, pair.source))
    yield Check(GROUP, "destination-versioning", partial(versioning, pair, pair.destination))
    yield Check(GROUP, "ownership", partial(ownership, pair))
    yield Check(GROUP, "object-lock", partial(object_lock, pair))
    yield Check(GROUP, "requester-pays", partial(requester_pays, pair))
    if pair.stack is not None:
        yield Check(GROUP, "stack-region", partial(stack_region, pair))
        yield Check(
            GROUP, "stack-names", partial(covers, pair.stack, pair.source.name, pair.destination.name)
        )


def owner(pair: Pair, bucket: Bucket) -> Verdict:
    """Whose a bucket is."""
    said = f"{bucket.name} is in {bucket.region}"
    if bucket.is_ours():
        return ok(f"{said}, in this account")
    if bucket is pair.source:
        return miss(
            f"{said}, in another account: rules and jobs belong to the source's account",
            "deploy seeder in the account of the source",
        )
    if pair.operation == "copy":
        return miss(
            f"{said}, in another account, where a copy job can't be created from here",
            "add a replication rule for the pair, or deploy seeder in the destination's account",
        )
    return warning(
        f"{said}, in another account: its owner must let the replication role in",
        f"see what its owner has to add: seeder policy {pair.names}",
    )


def versioning(pair: Pair, bucket: Bucket) -> Verdict:
    """Whether versioning is enabled, as replication needs it on both sides."""
    state = bucket.versioning()
    if state == "Enabled":
        return ok(f"versioning of {bucket.name} is Enabled")
    said = f"versioning of {bucket.name} is {state or 'off'}"
    todo = f"run: aws s3api put-bucket-versioning --bucket {bucket.name} --versioning-configuration Status=Enabled"
    if pair.operation == "replicate":
        return miss(f"{said}, and replication needs it", todo)
    return warning(f"{said}: objects can be copied, not replicated", todo)


def ownership(pair: Pair) -> Verdict:
    """Whether the destination's owner will own the replicas."""
    bucket = pair.destination
    answer = present(
        lambda: bucket.s3.get_bucket_ownership_controls(**bucket.place), "OwnershipControlsNotFoundError"
    )
    rules = answer["OwnershipControls"]["Rules"] if answer else []
    setting = rules[0]["ObjectOwnership"] if rules else "ObjectWriter"
    if setting == "BucketOwnerEnforced":
        return ok(f"the owner of {bucket.name} owns all objects in it; ACLs are off")
    if bucket.is_ours():
        return ok(f"ACLs are on in {bucket.name} ({setting}); both buckets are this account's")
    covering = pair.covering()
    if covering and covering.destination.get("AccessControlTranslation", {}).get("Owner") == "Destination":
        return ok(f"ACLs are on in {bucket.name}; the rule gives replicas to its owner")
    return warning(
        f"ACLs are on in {bucket.name} ({setting}): replicas will belong to the source's account",
        "let its owner turn ACLs off (Object Ownership: bucket owner enforced), or give the rule "
        "AccessControlTranslation Owner=Destination",
    )


def object_lock(pair: Pair) -> Verdict:
    """Whether the destination can take locked objects, where the source may have some."""
    if not pair.source.lock():
        return ok(f"Object Lock is off in {pair.source.name}")
    if pair.destination.lock():
        return ok("Object Lock is on in both buckets")
    return miss(
        f"Object Lock is on in {pair.source.name} and off in {pair.destination.name}: locked objects stay behind",
        f"run: aws s3api put-object-lock-configuration --bucket {pair.destination.name} "
        "--object-lock-configuration ObjectLockEnabled=Enabled",
    )


def requester_pays(pair: Pair) -> Verdict:
    """Whether the source asks its readers to pay; jobs of its own account need not."""
    bucket = pair.source
    payer = bucket.s3.get_bucket_request_payment(**bucket.place).get("Payer")
    if payer is None:
        return unknown("this endpoint does not tell who pays for requests")
    if payer == "BucketOwner" or bucket.is_ours():
        return ok(
            f"requests to {bucket.name} are paid by its owner" + (", this account" * (payer != "BucketOwner"))
        )
    return miss(
        f"{bucket.name} is another account's, and its readers must pay: jobs don't offer to",
        f"let its owner run: aws s3api put-bucket-request-payment --bucket {bucket.name} "
        "--request-payment-configuration Payer=BucketOwner",
    )


def stack_region(pair: Pair) -> Verdict:
    """Whether the stack hears of rules added to the source, and may copy its large objects."""
    if pair.source.region == pair.aws.region:
        return ok(f"{pair.source.name} is in the stack's region")
    return warning(
        f"{pair.source.name} is in {pair.source.region}, the stack in {pair.aws.region}: a rule added to it starts no "
        "run, and objects over 5 GiB can't be copied",
        f"deploy a stack in {pair.source.region} too, or start runs by hand",
    )

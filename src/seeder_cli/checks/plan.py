"""Which checks there are: for an account and its stack, for a pair of buckets, or for an endpoint alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from seeder_cli.checks import conditional, deployment, limits, state_bucket, trail
from seeder_cli.checks.aws import Aws
from seeder_cli.checks.bucket import Bucket, region_of
from seeder_cli.checks.finding import Check, Finding, Verdict, miss, ok, run
from seeder_cli.checks.keys import key_checks
from seeder_cli.checks.pair import GROUP as BUCKETS
from seeder_cli.checks.pair import Pair, pair_checks
from seeder_cli.checks.roles import role_checks
from seeder_cli.checks.rules import rule_checks
from seeder_cli.checks.stack import Stack, read_resources, read_stack

ACCOUNT, ENDPOINT = "Account", "Endpoint"


class Names(NamedTuple):
    """What is to be looked at: a stack, and a pair of buckets with a prefix ("" for none)."""

    stack: str
    source: str = ""
    destination: str = ""
    prefix: str = ""


def examine(aws: Aws, names: Names) -> list[Finding]:
    """Look at an account, a stack and, where they are named, a pair of buckets. Changes nothing that stays."""
    findings, checks = plan(aws, names)
    return findings + run(checks)


def plan(aws: Aws, names: Names) -> tuple[list[Finding], list[Check]]:
    """Find what there is to look at; return what was found at that, and the checks to run."""
    findings = run([Check(ACCOUNT, "credentials", partial(credentials, aws))])
    if any(item.outcome != "ok" for item in findings):
        return findings, []
    stack = _stack(aws, names.stack, findings)
    state = _state_bucket(aws, stack, findings)
    checks = list(_deployment(aws, stack, state))
    regions = [aws.region]
    pair = _pair(aws, names, stack, state, findings) if names.source else None
    if pair is not None:
        regions += [pair.source.region, pair.destination.region]
        checks += [*pair_checks(pair), *rule_checks(pair), *role_checks(pair), *key_checks(pair)]
    checks.append(Check(limits.GROUP, "active-jobs", partial(limits.active_jobs, aws, regions)))
    checks.append(Check(limits.GROUP, "concurrency", partial(limits.concurrency, aws)))
    return findings, checks


def examine_endpoint(aws: Aws, name: str) -> list[Finding]:
    """Look at what an S3-compatible endpoint can do, by one bucket of it."""
    findings: list[Finding] = []
    bucket = _existing(aws, name, ENDPOINT, "bucket", findings)
    if bucket is None:
        return findings
    return findings + run(
        [
            Check(ENDPOINT, "versioning", partial(endpoint_versioning, bucket)),
            Check(
                ENDPOINT,
                "conditional-writes",
                partial(conditional.conditional_writes, bucket.s3, bucket.name),
            ),
        ]
    )


def credentials(aws: Aws) -> Verdict:
    """Whether there are credentials and a region."""
    if not aws.region:
        return miss("no region is set", "set AWS_REGION, or give the profile a region")
    try:
        caller = aws.caller()
    except (ClientError, BotoCoreError) as error:
        return miss(
            f"no call to AWS succeeds: {error}",
            "set AWS_PROFILE, or sign in (aws sso login), and look with: aws sts get-caller-identity",
        )
    return ok(f"account {caller['Account']}, {aws.region}, as {caller['Arn']}")


def endpoint_versioning(bucket: Bucket) -> Verdict:
    """Whether the bucket keeps versions; nothing is amiss where it does not."""
    return ok(f"versioning of {bucket.name} is {bucket.versioning() or 'off'}")


def _stack(aws: Aws, name: str, findings: list[Finding]) -> Stack | None:
    """Return the stack, and add a finding of its state; None where it is not there, or not to be seen."""
    found: list[Stack] = []

    def look() -> Verdict:
        cloudformation = aws.client("cloudformation")
        stack = read_stack(cloudformation, name)
        if stack is None:
            return deployment.no_stack(aws, name)
        found.append(stack)
        found.append(replace(stack, resources=read_resources(cloudformation, name)))
        return deployment.stack_state(stack)

    findings += run([Check(deployment.GROUP, "stack", look)])
    return found[-1] if found else None


def _state_bucket(aws: Aws, stack: Stack | None, findings: list[Finding]) -> Bucket | None:
    name = stack.outputs.get("StateBucketName", "") if stack else ""
    return _existing(aws, name, state_bucket.GROUP, "bucket", findings) if name else None


def _pair(
    aws: Aws, names: Names, stack: Stack | None, state: Bucket | None, findings: list[Finding]
) -> Pair | None:
    source = _existing(aws, names.source, BUCKETS, "source", findings)
    destination = _existing(aws, names.destination, BUCKETS, "destination", findings)
    if source is None or destination is None:
        return None
    return Pair(aws, source, destination, names.prefix, stack, state.name if state else "")


def _existing(aws: Aws, name: str, group: str, check: str, findings: list[Finding]) -> Bucket | None:
    """Return a bucket that exists; else add a finding that it does not, or that this can't be seen."""
    found: list[Bucket] = []

    def look() -> Verdict:
        region = region_of(aws, name)
        if region is None:
            return miss(f"bucket {name} does not exist", "create it, or correct the name")
        found.append(Bucket(aws, name, region))
        return ok(f"{name} exists")

    said = run([Check(group, check, look)])
    if not found:
        findings += said
    return found[0] if found else None


def _deployment(aws: Aws, stack: Stack | None, state: Bucket | None) -> Iterator[Check]:
    if stack is not None:
        yield from deployment.deployment_checks(aws, stack)
    yield Check(trail.GROUP, "trail", partial(trail.trail, aws, aws.region))
    if state is not None:
        yield from state_bucket.state_bucket_checks(aws, state)
        yield Check(
            state_bucket.GROUP,
            "conditional-writes",
            partial(conditional.conditional_writes, state.s3, state.name),
        )

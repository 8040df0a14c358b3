"""Whether the stack is complete, and what starts it is switched on.

Contracts: CloudFormation user guide, "Stack status codes"; EventBridge API reference, DescribeRule; Step Functions API
reference, DescribeStateMachine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from seeder_cli.checks.aws import Aws
from seeder_cli.checks.finding import Check, Verdict, miss, ok, present, warning
from seeder_cli.checks.stack import OUTPUTS, Resource, Stack

GROUP = "Deployment"
MACHINE, RULE = "AWS::StepFunctions::StateMachine", "AWS::Events::Rule"
QUEUE, SCHEDULE = "AWS::SQS::Queue", "AWS::Scheduler::Schedule"
DEPLOY = "run: sam build && sam deploy"
_NOT_FOUND = ("ResourceNotFoundException", "StateMachineDoesNotExist")
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def deployment_checks(aws: Aws, stack: Stack) -> Iterator[Check]:
    """Yield the checks of a stack that is there, its resources read."""

    def each(kind: str, look: Callable[[Aws, Stack, Resource], Verdict]) -> Iterator[Check]:
        for resource in stack.of_type(kind):
            yield Check(GROUP, _words(resource.logical_id), partial(look, aws, stack, resource))

    yield Check(GROUP, "outputs", partial(outputs, stack))
    yield from each(MACHINE, state_machine)
    yield from each(RULE, event_rule)
    yield from each(SCHEDULE, schedule)
    yield from each(QUEUE, dead_letters)


def no_stack(aws: Aws, name: str) -> Verdict:
    """Say that the stack is not there."""
    return miss(
        f"there is no stack '{name}' in {aws.region}",
        "run: sam build && sam deploy --guided; or give --stack with its name, or AWS_REGION with its region",
    )


def stack_state(stack: Stack) -> Verdict:
    """Whether the stack's last operation ended well."""
    said = f"stack '{stack.name}' is {stack.status}"
    if stack.status in {"CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE"}:
        return ok(said)
    if stack.status.endswith("_IN_PROGRESS"):
        return warning(f"{said}; what follows may change", "wait until it is complete, and look again")
    events = f"see why: aws cloudformation describe-stack-events --stack-name {stack.name}"
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return warning(f"{said}: the last update failed and the former version runs", events)
    return miss(said, f"{events}; then {DEPLOY}")


def outputs(stack: Stack) -> Verdict:
    """Whether the stack says where its parts are."""
    missing = [name for name in OUTPUTS if not stack.outputs.get(name)]
    if missing:
        return miss(f"the stack has no output {', '.join(missing)}", f"deploy the present template; {DEPLOY}")
    return ok(f"state bucket {stack.outputs['StateBucketName']}")


def state_machine(aws: Aws, stack: Stack, machine: Resource) -> Verdict:
    """Whether a state machine can be started."""
    states = aws.client("stepfunctions")
    seen = present(lambda: states.describe_state_machine(stateMachineArn=machine.id), *_NOT_FOUND)
    if seen is None:
        return miss(f"state machine {machine.id} of the stack is gone", f"delete the stack, then {DEPLOY}")
    if seen["status"] != "ACTIVE":
        return miss(f"state machine {machine.id} is {seen['status']}", DEPLOY)
    return ok(f"{machine.id.rpartition(':')[2]} is ACTIVE")


def event_rule(aws: Aws, stack: Stack, rule: Resource) -> Verdict:
    """Whether the event rule is enabled and starts `fleet`."""
    events = aws.client("events")
    bus, _, name = rule.id.rpartition("|")
    place = {"EventBusName": bus} if bus else {}
    seen = present(lambda: events.describe_rule(Name=name, **place), *_NOT_FOUND)
    if seen is None:
        return miss(f"event rule {name} of the stack is gone", f"delete the stack, then {DEPLOY}")
    if seen["State"] == "DISABLED":
        return miss(
            f"event rule {name} is DISABLED, so that no replication rule starts a run",
            f"run: aws events enable-rule --name {name}",
        )
    targets = {item["Arn"] for item in events.list_targets_by_rule(Rule=name, **place)["Targets"]}
    if rule_starts_fleet(rule) and stack.outputs.get("FleetArn") not in targets:
        return miss(f"event rule {name} does not start the state machine fleet", DEPLOY)
    return ok(f"{name} is {seen['State']} and has its target")


def rule_starts_fleet(rule: Resource) -> bool:
    """Tell whether a rule is the one for replication rules, by the name that the template gives it."""
    return rule.logical_id.endswith("RuleAdded")


def schedule(aws: Aws, stack: Stack, resource: Resource) -> Verdict:
    """Whether the schedule is there, and what its state is: off is as good as on."""
    scheduler = aws.client("scheduler")
    name = resource.id.rpartition("/")[2]
    seen = present(lambda: scheduler.get_schedule(Name=name), *_NOT_FOUND)
    if seen is None:
        return miss(f"schedule {name} of the stack is gone", f"delete the stack, then {DEPLOY}")
    if seen["State"] == "DISABLED":
        return ok(f"{name} is DISABLED (parameter ScheduleState)")
    if seen["Target"]["Arn"] != stack.outputs.get("FleetArn"):
        return miss(f"schedule {name} does not start the state machine fleet", DEPLOY)
    return ok(f"{name} is ENABLED: {seen['ScheduleExpression']}")


def dead_letters(aws: Aws, stack: Stack, queue: Resource) -> Verdict:
    """Whether all events were delivered."""
    sqs = aws.client("sqs")
    name = queue.id.rpartition("/")[2]
    count = "ApproximateNumberOfMessages"
    seen = present(lambda: sqs.get_queue_attributes(QueueUrl=queue.id, AttributeNames=[count]), *_NO_QUEUE)
    if seen is None:
        return miss(f"queue {name} of the stack is gone", f"delete the stack, then {DEPLOY}")
    waiting = int(seen["Attributes"][count])
    if waiting:
        return miss(
            f"{waiting} event{'s' * (waiting > 1)} could not be delivered (queue {name})",
            f"see why (attribute ERROR_MESSAGE): aws sqs receive-message --queue-url {queue.id} "
            "--message-attribute-names All; seed what they asked for by hand, then delete them",
        )
    return ok(f"{name} is empty")


def covers(stack: Stack, *buckets: str) -> Verdict:
    """Whether the functions may touch buckets of these names (parameter BucketNames, an IAM pattern)."""
    pattern = stack.parameters.get("BucketNames", "*")
    outside = [name for name in buckets if not _fits(pattern, name)]
    if outside:
        return miss(
            f"the functions may touch buckets named {pattern}, and {' and '.join(outside)} is not one",
            "deploy with a BucketNames that covers it: sam deploy --parameter-overrides BucketNames=PATTERN",
        )
    return ok(f"BucketNames {pattern} covers both")


def _fits(pattern: str, name: str) -> bool:
    regular = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(regular, name) is not None


def _words(logical_id: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", logical_id).lower()

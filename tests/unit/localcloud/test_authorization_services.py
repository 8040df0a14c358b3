"""Which actions requests to services other than S3 need, and how each service refuses."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from localcloud.authorization.recording import EXAMPLES, Recorder
from localcloud.cloud import LocalCloud
from tests.unit.localcloud.roles_world import (
    ACCOUNT,
    acting,
    acting_as,
    all_but,
    allow,
    document,
    make_role,
    refused,
    trusting,
)

if TYPE_CHECKING:
    pass

PASS = json.dumps({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}})
HERE = f"us-east-1:{ACCOUNT}"
_numbers = itertools.count()


def name() -> str:
    return f"made-{next(_numbers)}"


# ── IAM ────────────────────────────────────────────────────────────────────────────────────────────────────


def create(iam: Any, **given: Any) -> dict[str, Any]:
    trust = trusting({"Service": "batchoperations.s3.amazonaws.com"})
    return dict(iam.create_role(**{"RoleName": name(), "AssumeRolePolicyDocument": trust, **given})["Role"])


def test_a_role_is_made_under_the_path_allowed(cloud: LocalCloud) -> None:
    iam = acting(cloud, allow("iam:CreateRole", resource=f"arn:aws:iam::{ACCOUNT}:role/seeder/*"))("iam")
    create(iam, Path="/seeder/jobs/")
    for path in ({}, {"Path": "/other/"}):
        with refused(
            "is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/"
        ):
            create(iam, **path)


def test_a_role_is_made_and_changed_under_the_boundary_wanted(cloud: LocalCloud) -> None:
    boundary = cloud.client("iam").create_policy(
        PolicyName=name(), PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*")]})
    )["Policy"]["Arn"]
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    iam = acting(cloud, allow("iam:CreateRole", "iam:PutRolePolicy", Condition=condition))("iam")
    bound = create(iam, PermissionsBoundary=boundary)
    with refused("iam:CreateRole"):
        create(iam)
    free = create(cloud.client("iam"))
    policy = {
        "PolicyName": "p",
        "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [allow("*")]}),
    }
    iam.put_role_policy(RoleName=bound["RoleName"], **policy)
    with refused("iam:PutRolePolicy"):
        iam.put_role_policy(RoleName=free["RoleName"], **policy)


def test_a_role_is_made_with_the_tags_wanted(cloud: LocalCloud) -> None:
    condition = {
        "StringEquals": {"aws:RequestTag/app": "seeder"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["app"]},
    }
    iam = acting(cloud, allow("iam:CreateRole", "iam:TagRole", Condition=condition))("iam")
    tag = {"Key": "app", "Value": "seeder"}
    create(iam, Tags=[tag])
    for tags in ([], [{"Key": "app", "Value": "other"}], [tag, {"Key": "more", "Value": "m"}]):
        with refused("iam:CreateRole"):
            create(iam, Tags=tags)
    with refused("iam:TagRole"):
        create(acting(cloud, allow("iam:CreateRole"))("iam"), Tags=[tag])


def test_only_roles_with_a_tag_may_be_touched(cloud: LocalCloud) -> None:
    mine = create(cloud.client("iam"), Tags=[{"Key": "app", "Value": "seeder"}])["RoleName"]
    other = create(cloud.client("iam"))["RoleName"]
    condition = {"StringEquals": {"aws:ResourceTag/app": "seeder"}}
    iam = acting(cloud, allow("iam:GetRole", "iam:DeleteRole", Condition=condition))("iam")
    iam.get_role(RoleName=mine)
    iam.delete_role(RoleName=mine)
    with refused("iam:GetRole"):
        iam.get_role(RoleName=other)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("get_role", {}),
        ("get_role_policy", {"PolicyName": "inline"}),
        ("list_role_policies", {}),
        ("list_attached_role_policies", {}),
        ("list_role_tags", {}),
        ("tag_role", {"Tags": [{"Key": "k", "Value": "v"}]}),
        ("untag_role", {"TagKeys": ["k"]}),
        ("update_assume_role_policy", {"PolicyDocument": trusting({"Service": "s3.amazonaws.com"})}),
        ("delete_role_policy", {"PolicyName": "inline"}),
    ],
)
def test_an_operation_on_a_role_needs_its_action_on_that_role(
    cloud: LocalCloud, operation: str, given: dict[str, Any]
) -> None:
    role = make_role(cloud, allow("s3:GetObject"))
    action = "iam:" + "".join(word.capitalize() for word in operation.split("_"))
    call = {"RoleName": role.rpartition("/")[2], **given}
    getattr(acting(cloud, allow(action, resource=role))("iam"), operation)(**call)
    with refused(action):
        getattr(acting(cloud, allow(action, resource=f"{role}x"), all_but(action))("iam"), operation)(**call)


def test_listing_roles_needs_all_resources(cloud: LocalCloud) -> None:
    acting(cloud, allow("iam:ListRoles"))("iam").list_roles(PathPrefix="/seeder/")
    with refused("iam:ListRoles on resource: *"):
        acting(cloud, allow("iam:ListRoles", resource=f"arn:aws:iam::{ACCOUNT}:role/*"))("iam").list_roles()


def test_simulating_needs_its_action_on_the_role_simulated(cloud: LocalCloud) -> None:
    role = make_role(cloud)
    asked = {"PolicySourceArn": role, "ActionNames": ["s3:GetObject"]}
    acting(cloud, allow("iam:SimulatePrincipalPolicy", resource=role))("iam").simulate_principal_policy(
        **asked
    )
    with refused("iam:SimulatePrincipalPolicy"):
        acting(cloud, allow("iam:GetRole"))("iam").simulate_principal_policy(**asked)


# ── STS ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_everybody_may_ask_who_they_are(cloud: LocalCloud) -> None:
    role = make_role(cloud)
    arn = acting_as(cloud, role)("sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/test"


def test_a_role_is_taken_on_by_whom_it_trusts(cloud: LocalCloud) -> None:
    target = make_role(cloud)
    assume = {"RoleArn": target, "RoleSessionName": "session"}
    acting(cloud, allow("sts:AssumeRole", resource=target))("sts").assume_role(**assume)
    with refused("sts:AssumeRole"):
        acting(cloud)("sts").assume_role(**assume)
    closed = make_role(cloud, trust=trusting({"Service": "lambda.amazonaws.com"}))
    with refused("sts:AssumeRole"):
        acting(cloud, allow("sts:AssumeRole"))("sts").assume_role(RoleArn=closed, RoleSessionName="session")


# ── S3 Batch Operations ────────────────────────────────────────────────────────────────────────────────────


def create_job(client: Any, role: str, **given: Any) -> Any:
    manifest = {
        "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
        "Location": {"ObjectArn": "arn:aws:s3:::b/m.csv", "ETag": "e"},
    }
    return client.create_job(
        AccountId=ACCOUNT,
        Operation={"S3ReplicateObject": {}},
        Report={"Enabled": False},
        ClientRequestToken=name(),
        Manifest=manifest,
        Priority=1,
        RoleArn=role,
        ConfirmationRequired=False,
        **given,
    )


TAGS = {"Tags": [{"Key": "seeder", "Value": "run"}]}


@pytest.mark.parametrize("missing", ["s3:CreateJob", "s3:PutJobTagging", "iam:PassRole"])
def test_a_job_with_tags_needs_three_actions(cloud: LocalCloud, missing: str) -> None:
    role = make_role(cloud)
    with refused(missing):
        create_job(acting(cloud, all_but(missing))("s3control"), role, **TAGS)


def test_a_job_takes_only_roles_that_may_be_passed(cloud: LocalCloud) -> None:
    mine, other = make_role(cloud), make_role(cloud)
    client = acting(cloud, allow("s3:CreateJob"), allow("iam:PassRole", resource=mine))("s3control")
    job = create_job(client, mine)["JobId"]
    with refused(f'iam:PassRole on resource: "{other}"'):
        create_job(client, other)
    resource = f"arn:aws:s3:{HERE}:job/{job}"
    described = acting(cloud, allow("s3:DescribeJob", resource=resource))("s3control")
    assert described.describe_job(AccountId=ACCOUNT, JobId=job)["Job"]["JobId"] == job
    with refused("s3:DescribeJob"):
        client.describe_job(AccountId=ACCOUNT, JobId=job)


def test_a_job_does_not_say_which_service_its_role_is_passed_to(cloud: LocalCloud) -> None:
    role = make_role(cloud)
    condition = {"StringEquals": {"iam:PassedToService": "batchoperations.s3.amazonaws.com"}}
    client = acting(cloud, allow("s3:CreateJob"), allow("iam:PassRole", Condition=condition))("s3control")
    with refused("iam:PassRole"):
        create_job(client, role)


def test_a_job_may_be_tied_to_an_operation_and_to_tags(cloud: LocalCloud) -> None:
    role = make_role(cloud)
    condition = {
        "StringEquals": {"s3:RequestJobOperation": "S3ReplicateObject", "aws:RequestTag/seeder": "run"}
    }
    client = acting(
        cloud, allow("s3:CreateJob", Condition=condition), allow("iam:PassRole", "s3:PutJobTagging")
    )("s3control")
    create_job(client, role, **TAGS)
    with refused("s3:CreateJob"):
        create_job(client, role)


# ── the others ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_execution_needs_its_machine(cloud: LocalCloud) -> None:
    role = make_role(cloud, trust=trusting({"Service": "states.amazonaws.com"}))
    machine = cloud.client("stepfunctions").create_state_machine(name=name(), definition=PASS, roleArn=role)
    arn = machine["stateMachineArn"]
    execution = acting(cloud, allow("states:StartExecution", resource=arn))("stepfunctions").start_execution(
        stateMachineArn=arn
    )["executionArn"]
    of_machine = arn.replace(":stateMachine:", ":execution:") + ":*"
    client = acting(cloud, allow("states:GetExecutionHistory", resource=of_machine))("stepfunctions")
    client.get_execution_history(executionArn=execution)
    with refused("states:DescribeExecution", code="AccessDeniedException", status=400):
        client.describe_execution(executionArn=execution)


def test_a_message_needs_its_topic(cloud: LocalCloud) -> None:
    topics = [cloud.client("sns").create_topic(Name=name())["TopicArn"] for _ in range(2)]
    sns = acting(cloud, allow("sns:Publish", resource=topics[0]))("sns")
    sns.publish(TopicArn=topics[0], Message="m")
    with refused("sns:Publish", code="AuthorizationError"):
        sns.publish(TopicArn=topics[1], Message="m")


def test_events_need_their_bus_and_may_be_tied_to_a_source(cloud: LocalCloud) -> None:
    condition = {"StringEquals": {"events:source": "seeder", "events:detail-type": "Done"}}
    bus = f"arn:aws:events:{HERE}:event-bus/default"
    events = acting(cloud, allow("events:PutEvents", resource=bus, Condition=condition))("events")
    mine = {"Source": "seeder", "DetailType": "Done", "Detail": "{}"}
    events.put_events(Entries=[mine])
    for other in ({"Source": "aws.s3"}, {"EventBusName": "another"}):
        with refused("events:PutEvents", code="AccessDeniedException", status=400):
            events.put_events(Entries=[mine, {**mine, **other}])


def test_an_invocation_needs_its_function(cloud: LocalCloud) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return event\n")
    function = cloud.client("lambda").create_function(
        FunctionName=name(),
        Runtime="python3.13",
        Handler="app.handler",
        Role=make_role(cloud, trust=trusting({"Service": "lambda.amazonaws.com"})),
        Code={"ZipFile": code.getvalue()},
    )
    arn = function["FunctionArn"]
    client = acting(cloud, allow("lambda:InvokeFunction", resource=arn))("lambda")
    for named in (arn, function["FunctionName"]):
        assert client.invoke(FunctionName=named, Payload=b"1")["Payload"].read() == b"1"
    with refused("lambda:InvokeFunction", code="AccessDeniedException"):
        acting(cloud, allow("lambda:InvokeFunction", resource=f"{arn}:*"))("lambda").invoke(FunctionName=arn)


def test_a_key_needs_its_own_permission(cloud: LocalCloud) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    acting(cloud, allow("kms:DescribeKey", resource=key))("kms").describe_key(KeyId=key)
    with refused("kms:DescribeKey", code="AccessDeniedException", status=400):
        acting(cloud, all_but("kms:DescribeKey"))("kms").describe_key(KeyId=key)


@pytest.mark.parametrize("service", ["dynamodb", "iam", "stepfunctions"])
def test_what_is_not_known_is_refused_loudly(cloud: LocalCloud, service: str) -> None:
    client = acting(cloud, allow("*"))(service)
    ask = {"dynamodb": "list_tables", "iam": "list_users", "stepfunctions": "list_activities"}[service]
    with refused("not supported by the local cloud", code="NotImplemented", status=501):
        getattr(client, ask)()


def test_a_session_with_a_policy_of_its_own_is_refused_loudly(cloud: LocalCloud) -> None:
    narrowed = {"Policy": document(allow("s3:GetObject"))}
    sns = acting_as(cloud, make_role(cloud, allow("*")), **narrowed)("sns")
    with refused("a session policy: not supported", code="NotImplemented", status=501):
        sns.publish(TopicArn=f"arn:aws:sns:{HERE}:t", Message="m")


# ── what is recorded ───────────────────────────────────────────────────────────────────────────────────────


def test_what_a_role_does_is_recorded_with_its_conditions(cloud: LocalCloud) -> None:
    role = make_role(cloud, allow("events:PutEvents"))
    entry = {"Source": "seeder", "DetailType": "Done", "Detail": "{}"}
    client = acting_as(cloud, role)
    client("events").put_events(Entries=[entry, entry])
    with refused(code="AuthorizationError"):
        client("sns").publish(TopicArn=f"arn:aws:sns:{HERE}:t", Message="m")
    put, publish = [each for each in cloud.recorded() if each.role == role]
    assert (put.kind, put.action, put.allowed) == ("sts.amazonaws.com", "events:PutEvents", True)
    assert put.resource == f"arn:aws:events:{HERE}:event-bus/default"
    assert {"events:source": "seeder", "aws:SecureTransport": "true"}.items() <= put.context.items()
    assert (publish.action, publish.allowed) == ("sns:Publish", False)


def test_repetition_takes_no_room() -> None:
    recorder = Recorder()
    for number in range(10 * EXAMPLES):
        recorder.note("r", "k", "s3:GetObject", f"arn:aws:s3:::b/{number}", True, {"s3:VersionId": None}, {})
        recorder.note("r", "k", "s3:GetObject", "arn:aws:s3:::b/0", False, {"s3:VersionId": "v"}, {})
    assert len(recorder.all()) == EXAMPLES + 1

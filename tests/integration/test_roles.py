"""Roles made, widened and given, on the local cloud's IAM."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.iam_roles import read_role
from seeder import roles
from seeder.buckets import Bucket
from seeder.clients import Clients
from seeder.errors import Conflict, InvalidRequest, NotYetVisible
from seeder.roles import Roles, policies
from seeder.roles.making import SETTLE_SECONDS
from seeder.roles.plans import covers_key, job_plan, key_arn, replication_plan, tag_value
from seeder.roles.pruning import Made, examine, remove
from seeder.run import Run
from seeder.settings import Settings
from tests.keys import TRAPS
from tests.runs import ACCOUNT, EUROPE, HOME, SETTINGS, run_of

PATH = f"/seeder/{HOME}/"
KEY = "12345678-90ab-cdef-1234-567890abcdef"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
numbers = count(1)


@pytest.fixture(scope="module")
def iam(cloud: LocalCloud) -> Any:
    return cloud.client("iam")


@pytest.fixture(scope="module")
def settings(iam: Any) -> Settings:
    document = policies.document(policies.allow("All", ["*"], ["*"]))
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    return replace(SETTINGS, job_role_arn="", stack_name="seeder", role_path=PATH, boundary_arn=boundary)


@pytest.fixture(scope="module")
def clients(cloud: LocalCloud) -> Clients:
    return Clients(boto3.Session("test", "test", region_name=HOME))


def pair(cloud: LocalCloud, operation: Any = "copy", run_id: str = "run", key: str = "", **asked: Any) -> Run:
    """Return a run of two buckets that are there."""
    number = next(numbers)
    names = f"source-{number}", f"destination-{number}"
    for name in names:
        cloud.client("s3").create_bucket(Bucket=name)
    return run_between(*names, operation, run_id, key, **asked)


def run_between(
    source: str, destination: str, operation: Any = "copy", run_id: str = "run", key: str = "", **asked: Any
) -> Run:
    run = run_of(operation, run_id=run_id, **asked)
    request = run.request.model_copy(update={"source": source, "destination": destination})
    return run.model_copy(
        update={
            "request": request,
            "source": Bucket(name=source, region=HOME, versioning="Enabled", key=key),
            "destination": Bucket(name=destination, region=HOME, versioning="Enabled", key=key),
        }
    )


def role_of(iam: Any, arn: str) -> dict[str, Any]:
    return dict(iam.get_role(RoleName=arn.rpartition("/")[2])["Role"])


def policies_of(iam: Any, arn: str) -> dict[str, Any]:
    name = arn.rpartition("/")[2]
    return {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }


def tags_of(iam: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in role_of(iam, arn)["Tags"]}


# Made.


def test_a_copy_gets_a_role_for_its_pair_under_the_path_and_boundary(
    cloud: LocalCloud, iam: Any, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud, prefix="logs/ä+b*")
    made = roles.ensure(run, settings, clients)
    assert made == Roles(job=made.job, replication="", settle_seconds=SETTLE_SECONDS, made=True)
    role = role_of(iam, made.job)
    assert (role["Path"], role["RoleName"][:12]) == (f"{PATH}jobs/", "seeder-jobs-")
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == settings.boundary_arn
    assert role["AssumeRolePolicyDocument"] == policies.job_trust(ACCOUNT)
    assert policies_of(iam, made.job) == job_plan(run, settings, HOME).policies
    assert sorted(policies_of(iam, made.job)) == ["copy", "large"]
    assert tags_of(iam, made.job) == {
        "seeder-stack": "seeder",
        "seeder-source": run.source.name,
        "seeder-destination": run.destination.name,
        "seeder-prefix": "logs/ä+b_",
        "seeder-run": "run",
    }


def test_a_replication_gets_no_replication_role_unless_it_adds_a_rule(
    cloud: LocalCloud, iam: Any, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud, "replicate")
    made = roles.ensure(run, settings, clients)
    assert made.replication == ""
    assert list(policies_of(iam, made.job)) == ["replicate"]
    started = run.model_copy(
        update={
            "request": run.request.model_copy(update={"enable_replication": True, "trigger": "rule-added"})
        }
    )
    assert roles.ensure(started, settings, clients).replication == ""


def test_who_adds_a_rule_gets_a_replication_role_of_the_source(
    cloud: LocalCloud, iam: Any, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud, "replicate", enable_replication=True, replicate_delete_markers=False, prefix="a/")
    made = roles.ensure(run, settings, clients)
    role = role_of(iam, made.replication)
    assert role["Path"] == f"{PATH}replication/"
    assert role["AssumeRolePolicyDocument"] == policies.replication_trust(ACCOUNT, run.source.name)
    ((name, document),) = policies_of(iam, made.replication).items()
    assert name.startswith(f"{run.destination.name}-")
    assert "s3:ReplicateDelete" not in json.dumps(document)
    other = run_between(run.source.name, "elsewhere", "replicate", enable_replication=True)
    again = roles.ensure(other, settings, clients)
    assert again.replication == made.replication
    assert again.job != made.job
    assert len(policies_of(iam, made.replication)) == 2


def test_a_restoration_and_locations_widen_what_the_jobs_may(
    cloud: LocalCloud, iam: Any, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud)
    arn = roles.ensure(run, settings, clients).job
    asked = {"restore": True, "manifest_location": "source", "report_location": "destination"}
    wider = run.model_copy(update={"request": run.request.model_copy(update=asked)})
    made = roles.ensure(wider, settings, clients)
    assert (made.job, made.made) == (arn, True)
    document = json.dumps(policies_of(iam, arn)["copy"])
    for place in (
        "state/runs/*/manifests/*",
        f"{run.source.name}/seeder/runs/*/manifests/*",
        "state/runs/*/reports/*",
        f"{run.destination.name}/seeder/runs/*/reports/*",
    ):
        assert f"arn:aws:s3:::{place}" in document
    assert sorted(policies_of(iam, arn)) == ["copy", "large", "restore"]
    assert roles.ensure(run.model_copy(update={"run_id": "third"}), settings, clients).made is False


# Repeated.


def test_a_second_run_of_a_pair_uses_the_role_and_waits_for_nothing(
    cloud: LocalCloud, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud, run_id="first")
    made = roles.ensure(run, settings, clients)
    again = roles.ensure(run.model_copy(update={"run_id": "second"}), settings, clients)
    assert again == Roles(job=made.job, settle_seconds=0, made=False)


def test_a_call_that_is_repeated_knows_what_the_one_before_has_changed(
    cloud: LocalCloud, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud, "replicate", run_id="run (1)!", enable_replication=True)
    first = roles.ensure(run, settings, clients)
    assert roles.ensure(run, settings, clients) == first
    assert roles.ensure(run.model_copy(update={"run_id": "other"}), settings, clients).made is False


CALLS = ("CreateRole", "TagRole", "UpdateAssumeRolePolicy", "PutRolePolicy")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("after", [False, True])
def test_a_call_that_died_anywhere_is_made_good_by_the_next(
    cloud: LocalCloud, iam: Any, settings: Settings, call: str, after: bool
) -> None:
    class Died(Exception):
        pass

    def die(**_: Any) -> None:
        raise Died

    run = pair(cloud, "replicate", enable_replication=True, restore=True)
    healthy = Clients(boto3.Session("test", "test", region_name=HOME))
    if call in {"TagRole", "UpdateAssumeRolePolicy"}:
        # These are made only where something else is there.
        arn = roles.ensure(run.model_copy(update={"run_id": "before"}), settings, healthy).job
        name = arn.rpartition("/")[2]
        iam.update_assume_role_policy(
            RoleName=name, PolicyDocument=json.dumps(policies.job_trust("999999999999"))
        )
    session = boto3.Session("test", "test", region_name=HOME)
    session.events.register(f"{'after' if after else 'before'}-call.iam.{call}", die)
    with pytest.raises(Died):
        roles.ensure(run, settings, Clients(session))
    made = roles.ensure(run, settings, healthy)
    assert made.made
    assert policies_of(iam, made.job) == job_plan(run, settings, HOME).policies
    assert role_of(iam, made.job)["AssumeRolePolicyDocument"] == policies.job_trust(ACCOUNT)
    assert policies_of(iam, made.replication) == replication_plan(run, settings, HOME).policies


def test_runs_that_make_one_role_at_the_same_time_all_get_it(
    cloud: LocalCloud, iam: Any, settings: Settings
) -> None:
    run, together = pair(cloud), threading.Barrier(8)

    def ensure(number: int) -> Roles:
        session, looks = boto3.Session("test", "test", region_name=HOME), count(1)

        def wait_for_all(**_: Any) -> None:
            if next(looks) == 1:
                together.wait(30)

        session.events.register("after-call.iam.GetRole", wait_for_all)
        return roles.ensure(run.model_copy(update={"run_id": str(number)}), settings, Clients(session))

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(ensure, range(8)))
    assert len({item.job for item in made}) == 1
    assert all(item.made for item in made)
    assert policies_of(iam, made[0].job) == job_plan(run, settings, HOME).policies


# Not ours.


def test_a_role_outside_the_path_or_the_boundary_is_not_touched(
    cloud: LocalCloud, iam: Any, clients: Clients, settings: Settings
) -> None:
    for place in ({"Path": "/"}, {"Path": f"{PATH}jobs/"}):
        run = pair(cloud)
        plan = job_plan(run, settings, HOME)
        iam.create_role(RoleName=plan.name, AssumeRolePolicyDocument=json.dumps(plan.trust), **place)
        with pytest.raises(Conflict, match=f"{plan.name} is not within the path {PATH}jobs/ and the perm"):
            roles.ensure(run, settings, clients)
        assert iam.list_role_policies(RoleName=plan.name)["PolicyNames"] == []


def fails(session: boto3.Session, call: str, code: str, message: str = "no") -> None:
    def answer(**_: Any) -> Any:
        parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return type("Http", (), {"status_code": 400})(), parsed

    session.events.register(f"before-call.iam.{call}", answer)


@pytest.mark.parametrize(
    ("call", "code", "error", "text"),
    [
        ("CreateRole", "LimitExceeded", InvalidRequest, "job_role_arn: no role can be made.*seeder prune"),
        ("PutRolePolicy", "LimitExceeded", InvalidRequest, "job_role_arn: .*give one"),
        ("PutRolePolicy", "ConcurrentModification", NotYetVisible, "is just being changed"),
        ("PutRolePolicy", "NoSuchEntity", NotYetVisible, "is just being changed"),
        ("CreateRole", "AccessDenied", ClientError, "AccessDenied"),
    ],
)
def test_what_iam_refuses_says_what_to_do(
    cloud: LocalCloud, settings: Settings, call: str, code: str, error: type[Exception], text: str
) -> None:
    session = boto3.Session("test", "test", region_name=HOME)
    fails(session, call, code)
    with pytest.raises(error, match=text):
        roles.ensure(pair(cloud), settings, Clients(session))


def test_iam_that_denies_to_look_at_a_role_which_is_not_there_is_understood(
    cloud: LocalCloud, settings: Settings
) -> None:
    session = boto3.Session("test", "test", region_name=HOME)
    denied: list[bool] = []

    def deny_once(**_: Any) -> Any:
        if denied:
            return None
        denied.append(True)
        parsed = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return type("Http", (), {"status_code": 403})(), parsed

    session.events.register("before-call.iam.GetRole", deny_once)
    assert roles.ensure(pair(cloud), settings, Clients(session)).made


# Given.


def test_given_roles_are_returned_untouched_and_iam_is_not_asked(
    cloud: LocalCloud, settings: Settings
) -> None:
    session, called = boto3.Session("test", "test", region_name=HOME), []
    session.events.register("before-call.iam.*", lambda **_: called.append(1))
    stack = replace(SETTINGS, job_role_arn="arn:j", replication_role_arn="arn:r")
    run = pair(cloud, "replicate", enable_replication=True)
    assert roles.ensure(run, stack, Clients(session)) == Roles(job="arn:j", replication="arn:r")
    own = f"arn:aws:iam::{ACCOUNT}:role{PATH}"
    asked = {"job_role_arn": f"{own}jobs/mine", "replication_role_arn": f"{own}replication/mine"}
    run = pair(cloud, "replicate", enable_replication=True, **asked)
    made = roles.ensure(run, settings, Clients(session))
    assert made == Roles(job=asked["job_role_arn"], replication=asked["replication_role_arn"])
    assert called == []


@pytest.mark.parametrize("field", ["job_role_arn", "replication_role_arn"])
@pytest.mark.parametrize("path", ["/", "/seeder/", f"/other{PATH}jobs/", "/seeder/eu-west-1/jobs/"])
def test_a_role_that_the_stack_may_not_pass_is_refused_before_anything_is_made(
    cloud: LocalCloud, clients: Clients, settings: Settings, field: str, path: str
) -> None:
    run = pair(cloud, **{field: f"arn:aws:iam::{ACCOUNT}:role{path}mine"})
    with pytest.raises(InvalidRequest, match=f"^{field}: this stack may not pass .*under the path {PATH}"):
        roles.ensure(run, settings, clients)


def test_a_stack_that_was_given_a_role_passes_no_other(
    cloud: LocalCloud, clients: Clients, settings: Settings
) -> None:
    stack = replace(settings, job_role_arn=f"arn:aws:iam::{ACCOUNT}:role/theirs")
    run = pair(cloud, job_role_arn=f"arn:aws:iam::{ACCOUNT}:role{PATH}jobs/mine")
    with pytest.raises(InvalidRequest, match=r"^job_role_arn: this stack passes one role alone, .*/theirs"):
        roles.ensure(run, stack, clients)
    same = pair(cloud, job_role_arn=stack.job_role_arn)
    assert roles.ensure(same, stack, clients).job == stack.job_role_arn


# One role for all rules of a bucket.


def put_rule(cloud: LocalCloud, source: str, destination: str, role: str) -> None:
    s3 = cloud.client("s3")
    for name in (source, destination):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "theirs",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": "x/"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
    }
    s3.put_bucket_replication(Bucket=source, ReplicationConfiguration={"Role": role, "Rules": [rule]})


def test_rules_of_somebody_elses_role_are_not_added_to_unless_it_can_be_passed(
    cloud: LocalCloud, iam: Any, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud, "replicate", enable_replication=True)
    theirs = f"arn:aws:iam::{ACCOUNT}:role/theirs"
    put_rule(cloud, run.source.name, run.destination.name, theirs)
    with pytest.raises(
        InvalidRequest, match=f"^enable_replication: .*one role, {theirs}, .*ReplicationRoleArn"
    ):
        roles.ensure(run, settings, clients)
    stack = replace(settings, replication_role_arn=theirs)
    assert roles.ensure(run, stack, clients).replication == theirs
    covered = run.model_copy(update={"request": run.request.model_copy(update={"prefix": "x/y"})})
    assert roles.ensure(covered, settings, clients).replication == theirs
    names = [role["RoleName"] for role in iam.list_roles(PathPrefix=f"{PATH}replication/")["Roles"]]
    assert replication_plan(run, settings, HOME).name not in names


def test_rules_of_a_role_made_there_by_hand_keep_it(
    cloud: LocalCloud, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud, "replicate", enable_replication=True)
    mine = f"arn:aws:iam::{ACCOUNT}:role{PATH}replication/mine"
    put_rule(cloud, run.source.name, run.destination.name, mine)
    assert roles.ensure(run, settings, clients).replication == mine


def test_rules_of_our_role_go_on_with_it_widened(
    cloud: LocalCloud, iam: Any, clients: Clients, settings: Settings
) -> None:
    run = pair(cloud, "replicate", enable_replication=True)
    arn = roles.ensure(run, settings, clients).replication
    put_rule(cloud, run.source.name, run.destination.name, arn)
    other = run_between(run.source.name, "third", "replicate", enable_replication=True)
    made = roles.ensure(other, settings, clients)
    assert (made.replication, made.made) == (arn, True)
    assert len(policies_of(iam, arn)) == 2


# Names, tags and keys.


def test_names_differ_by_what_they_are_for_and_fit_iam(settings: Settings) -> None:
    runs = [
        run_between("a", "b"),
        run_between("a", "c"),
        run_between("b", "a"),
        *(run_between("a", "b", prefix=prefix) for prefix in TRAPS[:5]),
    ]
    long = replace(settings, stack_name="s" * 128)
    for stack in (settings, long, replace(settings, role_path="/seeder/eu-west-1/")):
        for region in (HOME, EUROPE):
            names = {job_plan(run, stack, region).name for run in runs}
            assert len(names) == len({(r.source.name, r.destination.name, r.request.prefix) for r in runs})
            assert all(len(name) <= 64 for name in names)
    assert job_plan(runs[0], settings, HOME).name != job_plan(runs[0], settings, EUROPE).name
    assert len(replication_plan(runs[0], long, HOME).name) <= 64


def test_any_prefix_has_a_tag_that_iam_takes(
    cloud: LocalCloud, iam: Any, clients: Clients, settings: Settings
) -> None:
    for prefix in TRAPS:
        made = roles.ensure(pair(cloud, prefix=prefix), settings, clients)
        assert len(tags_of(iam, made.job)["seeder-prefix"]) <= 256
    assert tag_value("a*b\n\x00,é日-_.:/=+@") == "a_b___é日-_.:/=+@"


@pytest.mark.parametrize(
    ("key", "parameter", "arn", "covered"),
    [
        (KEY, "*", f"arn:aws:kms:{HOME}:{ACCOUNT}:key/{KEY}", True),
        (KEY, KEY, f"arn:aws:kms:{HOME}:{ACCOUNT}:key/{KEY}", True),
        (KEY, "none", f"arn:aws:kms:{HOME}:{ACCOUNT}:key/{KEY}", False),
        (KEY, KEY[:-1] + "0", f"arn:aws:kms:{HOME}:{ACCOUNT}:key/{KEY}", False),
        ("arn:aws:kms:eu-west-1:999999999999:key/x", "*", "arn:aws:kms:eu-west-1:999999999999:key/x", True),
        ("alias/mine", "none", "", False),
    ],
)
def test_a_key_is_covered_by_the_stacks_parameter(
    settings: Settings, key: str, parameter: str, arn: str, covered: bool
) -> None:
    bucket = Bucket(name="b", region=HOME, versioning="", key=key)
    assert key_arn(bucket, ACCOUNT) == arn
    assert covers_key(replace(settings, kms_key_id=parameter), arn) == covered


@pytest.mark.parametrize(
    ("key", "parameter", "source", "destination"),
    [
        ("", "none", (), ()),
        (KEY, "none", (), ()),
        ("", KEY, (KEY,), (KEY,)),
        (KEY, "*", ("*",), (KEY,)),
        ("alias/mine", "*", ("*",), ("*",)),
    ],
)
def test_a_role_may_use_the_keys_that_the_stack_allows_and_write_by_the_buckets_own(
    settings: Settings, key: str, parameter: str, source: tuple[str, ...], destination: tuple[str, ...]
) -> None:
    run = run_between("source", "destination", key=key)
    document = json.dumps(job_plan(run, replace(settings, kms_key_id=parameter), HOME).policies["copy"])
    statements = {item["Sid"]: item for item in json.loads(document)["Statement"]}
    for sid, keys in (("DecryptSource", source), ("EncryptDestination", destination)):
        named = statements.get(sid, {}).get("Resource", [])
        wanted = [f"arn:aws:kms:{HOME}:{ACCOUNT}:key/{key}" for key in keys]
        assert ([named] if isinstance(named, str) else named) == wanted


def test_the_key_of_the_replicas_and_only_it_makes_replication_decrypt(settings: Settings) -> None:
    stack = replace(settings, kms_key_id="*")
    replica = f"arn:aws:kms:{EUROPE}:999999999999:key/{KEY}"
    plain = run_between("source", "destination", "replicate", enable_replication=True)
    asked = run_between(
        "source", "destination", "replicate", enable_replication=True, replica_kms_key=replica
    )
    (without,) = replication_plan(plain, stack, HOME).policies.values()
    (document,) = replication_plan(asked, stack, HOME).policies.values()
    assert "DecryptSource" not in json.dumps(without)
    assert replica in json.dumps(document)
    assert "DecryptSource" in json.dumps(document)


def test_the_local_clouds_iam_reads_what_was_made(
    cloud: LocalCloud, clients: Clients, settings: Settings
) -> None:
    role = read_role(roles.ensure(pair(cloud, prefix="a*"), settings, clients).job)
    assert role
    assert role.boundary
    assert role.trusts("batchoperations.s3.amazonaws.com", {"aws:SourceAccount": ACCOUNT})
    assert not role.trusts("batchoperations.s3.amazonaws.com", {"aws:SourceAccount": "999999999999"})


# Removed.

Judged = Callable[..., dict[str, Made]]


@pytest.fixture
def alone(settings: Settings) -> Settings:
    """A stack whose path holds the roles of one test."""
    return replace(settings, role_path=f"/seeder/{next(numbers)}/")


@pytest.fixture
def judged(clients: Clients, alone: Settings) -> Judged:
    def call(days: int | None = None, now: datetime | None = None) -> dict[str, Made]:
        moment = now or datetime.now(UTC)
        return {made.name: made for made in examine(clients, alone.role_path, "seeder", moment, days)}

    return call


def test_the_roles_of_a_pair_are_needless_once_a_bucket_is_gone(
    cloud: LocalCloud, iam: Any, clients: Clients, alone: Settings, judged: Judged
) -> None:
    gone, kept = pair(cloud, "replicate", enable_replication=True), pair(cloud)
    made, stays = roles.ensure(gone, alone, clients), roles.ensure(kept, alone, clients)
    cloud.client("s3").delete_bucket(Bucket=gone.source.name)
    seen = judged()
    for arn in (made.job, made.replication):
        role = seen[arn.rpartition("/")[2]]
        assert (role.is_needless, role.reason) == (True, f"bucket {gone.source.name} is gone")
        for _ in range(2):
            remove(clients, role.name)
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            role_of(iam, arn)
    assert not seen[stays.job.rpartition("/")[2]].is_needless


def test_a_role_is_needless_if_unused_for_so_long_but_not_while_rules_have_it(
    cloud: LocalCloud, iam: Any, clients: Clients, alone: Settings, judged: Judged
) -> None:
    run = pair(cloud, "replicate", enable_replication=True)
    made = roles.ensure(run, alone, clients)
    job, replication = (arn.rpartition("/")[2] for arn in (made.job, made.replication))
    put_rule(cloud, run.source.name, run.destination.name, made.replication)
    later = datetime.now(UTC) + timedelta(days=91)
    assert not judged(None, now=later)[job].is_needless
    assert not judged(90)[job].is_needless
    assert judged(90, now=later)[job].is_needless
    assert judged(0)[job].is_needless
    for days in (0, 90):
        role = judged(days, now=later)[replication]
        assert (role.is_needless, role.reason) == (False, f"the rules of {run.source.name} have it")


def test_what_cannot_be_seen_is_not_taken_for_gone(cloud: LocalCloud, alone: Settings) -> None:
    session = boto3.Session("test", "test", region_name=HOME)
    clients = Clients(session)
    name = roles.ensure(pair(cloud), alone, clients).job.rpartition("/")[2]

    def deny(**_: Any) -> Any:
        parsed = {"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return type("Http", (), {"status_code": 403})(), parsed

    session.events.register("before-call.s3", deny)
    seen = {made.name: made for made in examine(clients, alone.role_path, "seeder", NOW, 0)}
    assert not seen[name].is_needless


def test_roles_of_another_path_or_stack_are_not_looked_at(
    cloud: LocalCloud, iam: Any, clients: Clients, alone: Settings, judged: Judged
) -> None:
    other = replace(alone, stack_name="other")
    elsewhere = replace(alone, role_path="/seeder/eu-west-1/")
    theirs = [roles.ensure(pair(cloud), stack, clients).job for stack in (other, elsewhere)]
    trust = json.dumps(policies.job_trust(ACCOUNT))
    iam.create_role(RoleName="by-hand", Path=f"{alone.role_path}jobs/", AssumeRolePolicyDocument=trust)
    names = judged(0)
    assert not {arn.rpartition("/")[2] for arn in theirs} & set(names)
    assert "by-hand" not in names


def test_a_role_to_which_others_attached_a_policy_is_kept_whole(
    cloud: LocalCloud, iam: Any, clients: Clients, alone: Settings
) -> None:
    arn = roles.ensure(pair(cloud), alone, clients).job
    name = arn.rpartition("/")[2]
    iam.attach_role_policy(RoleName=name, PolicyArn=alone.boundary_arn)
    with pytest.raises(Conflict, match=f"attached policies to role {name}"):
        remove(clients, name)
    assert sorted(policies_of(iam, arn)) == ["copy", "large"]

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from seeder.buckets import Bucket, describe
from seeder.clients import Clients
from seeder.errors import AccessDenied, InvalidRequest, NotYetVisible, aws_errors
from seeder.replication import Rule, ensure, id_for
from seeder.run import Run
from tests.runs import ACCOUNT, EUROPE, HOME, run_of

names = count(1)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ours"
KEY = f"arn:aws:kms:{EUROPE}:{ACCOUNT}:key/12345678-90ab-cdef-1234-567890abcdef"


@pytest.fixture(scope="module")
def clients(cloud: LocalCloud) -> Clients:
    return Clients(boto3.Session("test", "test", region_name=HOME))


def bucket(cloud: LocalCloud, region: str = HOME, versioned: bool = True) -> str:
    s3, name = cloud.client("s3", region), f"adding-{next(names)}"
    place = {} if region == HOME else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **place)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def run_between(clients: Clients, source: str, destination: str, **asked: Any) -> Run:
    """Return a run of two buckets, as they are."""
    run = run_of("replicate", **{"enable_replication": True, **asked})
    pair = {"source": source, "destination": destination}
    seen = {name: describe(clients, name, bucket) for name, bucket in pair.items()}
    return run.model_copy(update={"request": run.request.model_copy(update=pair), **seen})


@pytest.fixture
def run(cloud: LocalCloud, clients: Clients) -> Run:
    return run_between(clients, bucket(cloud), bucket(cloud, EUROPE))


def configuration(cloud: LocalCloud, run: Run) -> dict[str, Any]:
    answer = cloud.client("s3").get_bucket_replication(Bucket=run.source.name)
    found: dict[str, Any] = answer["ReplicationConfiguration"]
    return found


def put(cloud: LocalCloud, run: Run, **members: Any) -> dict[str, Any]:
    """Put a rule from the run's source to its destination, as somebody else would; return the configuration."""
    rule = {
        "ID": "theirs",
        "Priority": 3,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{run.destination.name}"},
        **members,
    }
    given = {"Role": f"arn:aws:iam::{ACCOUNT}:role/theirs", "Rules": [rule]}
    cloud.client("s3").put_bucket_replication(Bucket=run.source.name, ReplicationConfiguration=given)
    return configuration(cloud, run)


@contextmanager
def answering(clients: Clients, call: str, answer: Callable[..., None]) -> Iterator[None]:
    """Have a function see to one of the calls of S3, as an event of botocore."""
    events = clients.s3(HOME).meta.events
    events.register(call, answer)
    try:
        yield
    finally:
        events.unregister(call, answer)


def refusal(code: str, message: str) -> Callable[..., None]:
    """Return what has S3 refuse a call."""

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "PutBucketReplication")

    return refuse


PUT, READ = "before-call.s3.PutBucketReplication", "after-call.s3.GetBucketReplication"


def test_versioning_is_turned_on_for_both_and_the_rule_is_read_back(
    cloud: LocalCloud, clients: Clients
) -> None:
    run = run_between(clients, bucket(cloud, versioned=False), bucket(cloud, EUROPE, versioned=False))
    answer = ensure(run, ROLE, clients)
    assert answer == {"rule_id": id_for(run.request), "added": True, "note": ""}
    for item in (run.source, run.destination):
        assert clients.s3(item.region).get_bucket_versioning(Bucket=item.name)["Status"] == "Enabled"
    found = configuration(cloud, run)
    assert (found["Role"], [rule["ID"] for rule in found["Rules"]]) == (ROLE, [answer["rule_id"]])


def test_s3_takes_a_rule_with_every_option(cloud: LocalCloud, clients: Clients) -> None:
    source, destination = bucket(cloud), bucket(cloud, EUROPE)
    run = run_between(
        clients,
        source,
        destination,
        prefix="😀 a+b/",
        tags={"k": "v", "l": ""},
        replica_storage_class="STANDARD_IA",
        replica_kms_key=KEY,
        replication_time_control=True,
        replica_owner="destination",
        destination_account="999988887777",
    )
    abroad = run.destination.model_copy(update={"is_ours": False})
    ensure(run.model_copy(update={"destination": abroad}), ROLE, clients)
    (rule,) = configuration(cloud, run)["Rules"]
    assert rule["Filter"]["And"]["Prefix"] == "😀 a+b/"
    assert {tag["Key"]: tag["Value"] for tag in rule["Filter"]["And"]["Tags"]} == {"k": "v", "l": ""}
    assert rule["DeleteMarkerReplication"] == {"Status": "Disabled"}
    assert rule["SourceSelectionCriteria"] == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    assert rule["Destination"] == {
        "Bucket": f"arn:aws:s3:::{destination}",
        "StorageClass": "STANDARD_IA",
        "EncryptionConfiguration": {"ReplicaKmsKeyID": KEY},
        "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
        "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
        "Account": "999988887777",
        "AccessControlTranslation": {"Owner": "Destination"},
    }


def test_asking_again_adds_nothing(cloud: LocalCloud, clients: Clients, run: Run) -> None:
    first = ensure(run, ROLE, clients)
    before = configuration(cloud, run)
    again = ensure(run, ROLE, clients)
    assert (first["added"], again["added"]) == (True, False)
    assert first["rule_id"] == again["rule_id"]
    assert configuration(cloud, run) == before


def test_rules_that_are_there_and_their_role_stay_as_they_are(
    cloud: LocalCloud, clients: Clients, run: Run
) -> None:
    before = put(cloud, run, Filter={"Prefix": "logs/"})
    answer = ensure(run, ROLE, clients)
    after = configuration(cloud, run)
    assert (after["Role"], after["Rules"][0]) == (before["Role"], before["Rules"][0])
    assert [rule["Priority"] for rule in after["Rules"]] == [3, 2]
    assert f"the role that the other rules have, {before['Role']}" in answer["note"]
    assert (
        "where 'theirs' (3) apply too, the highest priority decides; the added rule has 2" in answer["note"]
    )


def test_a_rule_that_covers_the_pair_is_used_as_it_is_and_what_it_says_is_told(
    cloud: LocalCloud, clients: Clients, run: Run
) -> None:
    before = put(cloud, run, DeleteMarkerReplication={"Status": "Disabled"})
    answer = ensure(run, ROLE, clients)
    assert answer == {
        "rule_id": "theirs",
        "added": False,
        "note": "rule 'theirs' was there and stays as it is: replicate_delete_markers False",
    }
    assert configuration(cloud, run) == before


def test_an_option_that_a_covering_rule_does_not_have_is_refused(
    cloud: LocalCloud, clients: Clients, run: Run
) -> None:
    before = put(cloud, run)
    request = run.request.model_copy(update={"replica_storage_class": "GLACIER_IR"})
    with pytest.raises(
        InvalidRequest, match=r"^replica_storage_class: 'GLACIER_IR' is asked for, and rule 'theirs'"
    ):
        ensure(run.model_copy(update={"request": request}), ROLE, clients)
    assert configuration(cloud, run) == before


def test_of_rules_that_cover_the_pair_the_one_of_highest_priority_counts(
    cloud: LocalCloud, clients: Clients, run: Run
) -> None:
    there = put(cloud, run)
    higher = there["Rules"][0] | {"ID": "higher", "Priority": 9}
    cloud.client("s3").put_bucket_replication(
        Bucket=run.source.name, ReplicationConfiguration=there | {"Rules": [*there["Rules"], higher]}
    )
    assert ensure(run, ROLE, clients)["rule_id"] == "higher"


def test_what_will_be_added_is_announced_before_it_is(cloud: LocalCloud, clients: Clients, run: Run) -> None:
    there = put(cloud, run, Filter={"Prefix": "logs/"})
    told: list[tuple[str, list[Rule], dict[str, Any]]] = []
    ensure(
        run, ROLE, clients, lambda name, rules: told.append((name, list(rules), configuration(cloud, run)))
    )
    theirs = Rule("theirs", run.destination.name, "logs/", enabled=True, priority=3)
    assert told == [(id_for(run.request), [theirs], there)]


def test_nothing_is_announced_where_nothing_is_added(cloud: LocalCloud, clients: Clients, run: Run) -> None:
    put(cloud, run)
    told: list[str] = []
    ensure(run, ROLE, clients, lambda name, rules: told.append(name))
    assert told == []


def test_a_rule_that_can_not_be_read_back_yet_is_tried_again(
    cloud: LocalCloud, clients: Clients, run: Run
) -> None:
    with (
        answering(clients, READ, _forget),
        pytest.raises(NotYetVisible, match="does not show the rule that was just added"),
    ):
        ensure(run, ROLE, clients)
    assert ensure(run, ROLE, clients)["rule_id"] == id_for(run.request)
    assert len(configuration(cloud, run)["Rules"]) == 1


def _forget(parsed: dict[str, Any], **_: Any) -> None:
    """What S3 answers while the last configuration is not to be seen everywhere."""
    parsed["ReplicationConfiguration"] = {"Rules": []}


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        (
            "InvalidRequest",
            "Destination bucket must exist.",
            r"^enable_replication: S3 refuses .*must exist\.$",
        ),
        ("InvalidArgument", "Invalid role ARN.", r"^enable_replication: S3 refuses .*Invalid role ARN"),
        ("MalformedXML", "The XML is bad.", r"^enable_replication: S3 refuses"),
    ],
)
def test_what_s3_refuses_is_one_clear_error(
    clients: Clients, run: Run, code: str, message: str, told: str
) -> None:
    with answering(clients, PUT, refusal(code, message)), pytest.raises(InvalidRequest, match=told):
        ensure(run, ROLE, clients)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidRequest", "Destination bucket must have versioning enabled."),
        ("OperationAborted", "A conflicting conditional operation is currently in progress."),
    ],
)
def test_what_s3_may_take_later_is_tried_again(clients: Clients, run: Run, code: str, message: str) -> None:
    with (
        answering(clients, PUT, refusal(code, message)),
        pytest.raises(NotYetVisible, match="does not take the rule"),
    ):
        ensure(run, ROLE, clients)


def test_a_missing_permission_is_no_bad_request(clients: Clients, run: Run) -> None:
    denied = refusal("AccessDenied", "not authorized to perform: iam:PassRole")
    with (
        answering(clients, PUT, denied),
        pytest.raises(AccessDenied, match="iam:PassRole"),
        aws_errors(),
    ):
        ensure(run, ROLE, clients)


def test_a_destination_abroad_must_have_versioning_already(clients: Clients, run: Run) -> None:
    abroad = Bucket(name=run.destination.name, region=EUROPE, versioning="", is_ours=False)
    with pytest.raises(InvalidRequest, match=r"^destination: .*has versioning off, .*put-bucket-versioning"):
        ensure(run.model_copy(update={"destination": abroad}), ROLE, clients)


@pytest.mark.parametrize("selection", [{"Prefix": ""}, {"Tag": {"Key": "k", "Value": "v"}}])
def test_a_run_that_a_rule_started_only_checks_that_it_is_there(
    cloud: LocalCloud, clients: Clients, run: Run, selection: dict[str, Any]
) -> None:
    before = put(cloud, run, Filter=selection, DeleteMarkerReplication={"Status": "Disabled"})
    fields = {"trigger": "rule-added", "enable_replication": False}
    request = run.request.model_copy(update=fields | {"rule_id": "theirs"})
    answer = ensure(run.model_copy(update={"request": request}), ROLE, clients)
    assert (answer["rule_id"], answer["added"]) == ("theirs", False)
    assert configuration(cloud, run) == before
    gone = run.request.model_copy(update=fields | {"rule_id": "gone"})
    with pytest.raises(InvalidRequest, match=r"^rule_id: rule 'gone' is not there"):
        ensure(run.model_copy(update={"request": gone}), ROLE, clients)


def test_who_asks_for_no_rule_gets_none(cloud: LocalCloud, clients: Clients) -> None:
    run = run_between(clients, bucket(cloud), bucket(cloud, EUROPE), enable_replication=False)
    assert ensure(run, ROLE, clients) == {"rule_id": "", "added": False, "note": ""}
    with pytest.raises(ClientError, match="ReplicationConfigurationNotFound"):
        configuration(cloud, run)

"""Many pairs at once on the deployed stack: what they come from, and what is told of them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from localcloud import schedules
from localcloud.faults import Fault
from tests.e2e.deployed import Deployed

EVENTS = Path(__file__).parents[2] / "events"


def fleet(deployed: Deployed, **document: Any) -> dict[str, Any]:
    ended = deployed.wait(deployed.start("Fleet", document))
    assert ended["status"] == "SUCCEEDED", ended
    output: dict[str, Any] = ended["output"]
    return output


def pair(deployed: Deployed, *keys: str, **fields: Any) -> dict[str, Any]:
    return {"source": deployed.bucket(keys=list(keys)), "destination": deployed.bucket(), **fields}


def by_source(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {run["source"]: run for run in summary["runs"]}


def sample(name: str, **names: str) -> str:
    """Return a sample of events/, with the buckets of a test in the place of its own."""
    text = (EVENTS / name).read_text("utf-8")
    for number, bucket in names.items():
        assert f"foghorn{number[1:]}.bucket" in text
        text = text.replace(f"foghorn{number[1:]}.bucket", bucket)
    return text


def test_the_summary_counts_what_became_of_each_pair_and_says_why(deployed: Deployed) -> None:
    seeded, failed = pair(deployed, "a"), pair(deployed, "a") | {"destination": "not-there-at-all"}
    equal = pair(deployed, resync=True)
    summary = fleet(deployed, pairs=[seeded, failed, equal])
    counts = {name: summary[name] for name in ("pairs", "seeded", "failed", "equal", "skipped")}
    assert counts == {"pairs": 3, "seeded": 1, "failed": 1, "equal": 1, "skipped": 0}
    assert (summary["state"], summary["subject"]) == (
        "Failed",
        "Failed: 3 pairs: 1 failed, 1 seeded, 1 equal",
    )
    assert "bucket 'not-there-at-all' does not exist" in by_source(summary)[failed["source"]]["why"]
    stands = json.loads(deployed.read(summary["address"]))
    assert stands["runs"] == summary["runs"]


def test_the_registry_is_seeded_again_by_comparing_first_and_makes_no_job_for_nothing(
    deployed: Deployed,
) -> None:
    asked = pair(deployed, "a", "b")
    deployed.next_second()
    deployed.seed(asked)
    before = len(deployed.jobs("us-east-1"))
    summary = fleet(deployed, trigger="schedule", registry={"names": asked["source"]})
    assert (summary["pairs"], summary["equal"], summary["state"]) == (1, 1, "Complete")
    assert len(deployed.jobs("us-east-1")) == before
    deployed.cloud.client("s3").put_object(Bucket=asked["source"], Key="c", Body=b"c")
    deployed.next_second()
    assert fleet(deployed, trigger="schedule", registry={"names": asked["source"]})["seeded"] == 1
    assert sorted(deployed.contents(asked["destination"])) == ["a", "b", "c"]


def test_the_schedule_as_it_is_deployed_seeds_the_registry(deployed: Deployed) -> None:
    asked = pair(deployed, "a")
    deployed.seed(asked)
    schedules.fire(f"{deployed.stack.name}-resync", "us-east-1")
    runs = deployed.runs_of(asked["source"])
    assert len(runs) == 1
    deployed.quiet()
    assert [run["output"]["run"]["request"]["resync"] for run in deployed.runs_of(asked["source"])] == [True]


def test_rules_that_are_older_than_the_deployment_are_seeded_when_chosen(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    deployed.next_second()
    with deployed.no_events():
        deployed.add_rule(source, destination)
    summary = fleet(deployed, rules=[source])
    assert summary["seeded"] == 1
    assert sorted(deployed.contents(destination)) == ["a"]


def test_a_pair_that_another_run_has_is_skipped(deployed: Deployed) -> None:
    asked = pair(deployed, "a", confirm=True)
    first = deployed.start("Seed", asked)
    deployed.job_of(first.rpartition(":")[2], "us-east-1", "Suspended")
    summary = fleet(deployed, pairs=[asked | {"confirm": False}])
    assert summary["skipped"] == 1
    assert f"the run '{first.rpartition(':')[2]}' is seeding" in summary["runs"][0]["why"]
    by_hand = deployed.seed(asked)
    assert (by_hand["status"], by_hand["error"]) == ("FAILED", "PairBusy")
    deployed.states.stop_execution(executionArn=first)
    assert fleet(deployed, pairs=[asked | {"confirm": False}])["seeded"] == 1


def test_a_detached_fleet_starts_its_runs_and_ends(deployed: Deployed) -> None:
    asked = pair(deployed, "a")
    summary = fleet(deployed, pairs=[asked], detached=True)
    assert (summary["started"], summary["seeded"]) == (1, 0)
    (run,) = deployed.runs_of(asked["source"])
    assert run["status"] == "SUCCEEDED"


def test_a_run_whose_tasks_fail_is_a_failed_pair(deployed: Deployed) -> None:
    asked = pair(deployed, "a", operation="copy")
    with deployed.faults(Fault(status=403, code="AccessDenied", key_prefix="a")):
        summary = fleet(deployed, pairs=[asked])
    assert summary["failed"] == 1
    assert "AccessDenied" in summary["runs"][0]["why"]


@pytest.mark.parametrize(
    ("document", "cause"),
    [
        ({"registry": {"nmes": "a"}}, "registry.nmes: unknown field"),
        ({"csv": "s3://no-such-bucket-at-all/pairs.csv"}, "csv: "),
        ({"buckets": "no-such-*"}, "buckets: 'no-such-*' matches no bucket"),
        ({"rules": ["no-such-*"]}, "rules: 'no-such-*' names no replication rule"),
    ],
)
def test_a_wrong_fleet_is_refused_with_its_field(
    deployed: Deployed, document: dict[str, Any], cause: str
) -> None:
    ended = deployed.wait(deployed.start("Fleet", document))
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert ended["cause"].startswith(cause)


# ── the samples ──


def test_the_sample_of_names_seeds_each_bucket_that_matches_to_the_one_named_after_it(
    deployed: Deployed,
) -> None:
    s3, app = deployed.cloud.client("s3"), f"app-{uuid.uuid4().hex[:8]}"
    for name in (app, f"{app}-replica"):
        s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=app, Key="a", Body=b"a")
    document = json.loads(sample("fleet-buckets.json").replace("app-*", f"{app}*"))
    summary = fleet(deployed, **document)
    assert [(run["source"], run["outcome"]) for run in summary["runs"]] == [(app, "seeded")]
    assert sorted(deployed.contents(f"{app}-replica")) == ["a"]


def test_the_sample_of_a_csv_file_seeds_a_pair_for_each_row_with_its_fields(deployed: Deployed) -> None:
    source, whole, logs = deployed.bucket(keys=["a"]), deployed.bucket(), deployed.bucket()
    s3 = deployed.cloud.client("s3")
    for key, tags in (("logs/mine", "team=finance"), ("logs/other", "team=web")):
        s3.put_object(Bucket=source, Key=key, Body=b"a", Tagging=tags)
    document = json.loads(sample("fleet-csv.json", n1=source))
    listed = sample("pairs.csv", n1=source, n2=whole, n3=logs)
    s3.put_object(Bucket=source, Key="pairs.csv", Body=listed.encode())
    deployed.next_second()
    assert fleet(deployed, **document)["seeded"] == 2
    assert sorted(deployed.contents(whole)) == ["a", "logs/mine", "logs/other", "pairs.csv"]
    assert sorted(deployed.contents(logs)) == ["logs/mine"]


def test_the_sample_of_the_registry_starts_the_pairs_whose_source_has_the_name_and_the_tags(
    deployed: Deployed,
) -> None:
    asked = pair(deployed, "a")
    deployed.seed(asked)
    document = json.loads(sample("fleet-registry.json").replace("foghorn1.*", asked["source"]))
    assert fleet(deployed, **document) == {"pairs": 0, "runs": []}
    tags = {"TagSet": [{"Key": "team", "Value": "finance"}]}
    deployed.cloud.client("s3").put_bucket_tagging(Bucket=asked["source"], Tagging=tags)
    assert fleet(deployed, **document)["started"] == 1
    assert [run["status"] for run in deployed.runs_of(asked["source"])] == ["SUCCEEDED"]


def test_the_sample_of_rules_seeds_the_rule_that_it_names(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    with deployed.no_events():
        deployed.add_rule(source, destination, ID="everything")
    assert fleet(deployed, **json.loads(sample("fleet-rules.json", n1=source)))["seeded"] == 1
    assert sorted(deployed.contents(destination)) == ["a"]

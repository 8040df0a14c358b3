"""A rule added by a run, with options, on the deployed stack."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.deployed import EUROPE, Deployed

EVENTS = Path(__file__).parents[2] / "events"


def test_a_rule_with_options_is_added_and_seeded_once(deployed: Deployed) -> None:
    s3 = deployed.cloud.client("s3")
    source, destination = deployed.bucket(keys=["a", "logs/b", "logs/c"]), deployed.bucket(EUROPE)
    tags = {"TagSet": [{"Key": "team", "Value": "finance"}]}
    for key in ("a", "logs/b"):
        s3.put_object_tagging(Bucket=source, Key=key, Tagging=tags)
    ended = deployed.seed(
        {
            "source": source,
            "destination": destination,
            "prefix": "logs/",
            "tags": {"team": "finance"},
            "enable_replication": True,
            "replica_storage_class": "STANDARD_IA",
            "replication_time_control": True,
        }
    )
    assert (ended["status"], ended["output"]["replication"]["added"]) == ("SUCCEEDED", True)
    (rule,) = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]["Rules"]
    assert rule["Filter"] == {"And": {"Prefix": "logs/", "Tags": tags["TagSet"]}}
    assert rule["Destination"]["ReplicationTime"]["Time"] == {"Minutes": 15}
    assert list(deployed.contents(destination, EUROPE)) == ["logs/b"]
    head = deployed.cloud.client("s3", EUROPE).head_object(Bucket=destination, Key="logs/b")
    assert head["StorageClass"] == "STANDARD_IA"


def test_an_option_that_the_rule_there_does_not_have_is_refused(deployed: Deployed) -> None:
    pair = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket(EUROPE)}
    deployed.seed({**pair, "enable_replication": True})
    before = deployed.cloud.client("s3").get_bucket_replication(Bucket=pair["source"])
    ended = deployed.seed({**pair, "enable_replication": True, "replica_storage_class": "GLACIER_IR"})
    assert ended["error"] == "InvalidRequest"
    assert ended["cause"].startswith("replica_storage_class: 'GLACIER_IR' is asked for, and rule 'seeder-")
    after = deployed.cloud.client("s3").get_bucket_replication(Bucket=pair["source"])
    assert after["ReplicationConfiguration"] == before["ReplicationConfiguration"]


def test_the_sample_with_every_field_works_as_it_is_pasted(deployed: Deployed) -> None:
    sample = json.loads((EVENTS / "manual-all-options.json").read_text())
    sample |= {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()}
    assert deployed.seed(sample)["status"] == "SUCCEEDED"
    assert deployed.contents(sample["destination"]) == {"a": b"a"}

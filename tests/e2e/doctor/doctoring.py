"""What the tests of `seeder doctor` share: one check asked at a time, and what they make."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from seeder_cli.checks.aws import Aws
from seeder_cli.checks.finding import Finding, find
from seeder_cli.checks.plan import Names, plan
from tests.e2e.deployed import HOME, Deployed

Act = Callable[[], Any]


class Doctor(NamedTuple):
    """Asks one check at a time, of a session whose clients are made once."""

    deployed: Deployed
    aws: Aws

    def look(self, name: str, *pair: str, prefix: str = "") -> Finding:
        findings, checks = plan(self.aws, Names("seeder", *pair)._replace(prefix=prefix))
        found = next((item for item in findings if f"{item.group}/{item.name}" == name), None)
        check = next((item for item in checks if f"{item.group}/{item.name}" == name), None)
        finding = find(check) if check else found
        assert finding is not None, f"no check {name}"
        return finding

    def client(self, service: str, region: str = HOME) -> Any:
        return self.deployed.cloud.client(service, region)

    @property
    def outputs(self) -> dict[str, str]:
        return self.deployed.stack.outputs

    @property
    def state_bucket(self) -> dict[str, str]:
        return {"Bucket": self.deployed.state_bucket}

    def miss_then_ok(
        self,
        name: str,
        says: str,
        break_it: Act,
        repair: Act,
        *pair: str,
        outcome: str = "miss",
        prefix: str = "",
    ) -> None:
        break_it()
        finding = self.look(name, *pair, prefix=prefix)
        assert (finding.outcome, says in finding.found, bool(finding.todo)) == (outcome, True, True), finding
        repair()
        repaired = self.look(name, *pair, prefix=prefix)
        assert (repaired.outcome, repaired.todo) == ("ok", ""), repaired


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def make_role(doctor: Doctor, pair: tuple[str, str], service: str = "s3.amazonaws.com") -> str:
    """Give the pair's rule a role of its own, that trusts a service and may nothing; return its name."""
    name = f"role-{pair[0]}"
    arn = doctor.deployed.role(name, service, "s3:Nothing")
    doctor.deployed.add_rule(*pair, role=arn)
    return name


def make_key(doctor: Doctor, region: str) -> str:
    return str(doctor.client("kms", region).create_key()["KeyMetadata"]["Arn"])


def encrypt(doctor: Doctor, bucket: str, key: str, region: str = HOME) -> None:
    given: Any = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    doctor.client("s3", region).put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": given}]},
    )


def add_kms_rule(doctor: Doctor, pair: tuple[str, str], key: str) -> None:
    doctor.deployed.add_rule(
        *pair,
        SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        Destination={
            "Bucket": f"arn:aws:s3:::{pair[1]}",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": key},
        },
    )

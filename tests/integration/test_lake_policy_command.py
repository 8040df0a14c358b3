"""`seeder lake policy`, as somebody runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder.lake.policies import Rules, bucket_arn, merged, statements
from seeder_cli.errors import CommandError
from seeder_cli.lake_policy import policy

ROLE = "arn:aws:iam::111122223333:role/migration"


def told(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(policy, arguments, standalone_mode=False, catch_exceptions=False, **options)


def printed(*arguments: str, **options: Any) -> Any:
    return json.loads(told("lake", "--json", *arguments, **options).output)


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        ((), Rules()),
        (("--level", "bucket"), Rules(level="bucket", excluded=("runs/",))),
        (("--level", "bucket", "--exclude", "logs/"), Rules(level="bucket", excluded=("logs/",))),
        (("--prefix", "a/", "--prefix", "b/"), Rules(files=("a/", "b/"))),
        (("--registry-prefix", "r/", "--tls"), Rules(registries=("r/",), tls=True)),
        (("--exempt", ROLE, "--deletes", "never"), Rules(exempt=(ROLE,), deletes="never")),
    ],
)
def test_each_option_is_a_rule(arguments: tuple[str, ...], rules: Rules) -> None:
    assert printed(*arguments) == merged({}, statements(bucket_arn("lake"), rules))


def test_a_partition_can_be_named() -> None:
    made = printed("--partition", "aws-us-gov")
    assert made == merged({}, statements(bucket_arn("lake", "aws-us-gov"), Rules()))


def test_the_heading_says_what_is_enforced_and_how_to_keep_what_is_there() -> None:
    text = told("lake", "--exempt", ROLE).output
    heading = [line for line in text.splitlines() if line.startswith("# ")]
    assert "datasets/*" in heading[0]
    assert "metastore/*" in heading[1]
    assert ROLE in heading[2]
    assert "--merge FILE" in heading[3]
    assert json.loads(text.partition("\n{")[1] + text.partition("\n{")[2]) == printed("--exempt", ROLE)
    assert "but metastore/*, runs/*" in told("lake", "--level", "bucket").output


def test_a_policy_that_is_there_is_merged_from_a_file_or_standard_input(tmp_path: Path) -> None:
    theirs = {
        "Sid": "T",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": bucket_arn("lake"),
    }
    before = json.dumps({"Version": "2012-10-17", "Statement": [theirs]})
    (tmp_path / "before.json").write_text(before, "utf-8")
    made = printed("--merge", str(tmp_path / "before.json"))
    assert made["Statement"] == [theirs, *printed()["Statement"]]
    assert printed("--merge", "-", input=before) == made
    assert "all others kept" in told("lake", "--merge", "-", input=before).output


@pytest.mark.parametrize(
    ("arguments", "given", "problem"),
    [
        (("--prefix", "日本/"), "", r"^--prefix: .*printable ASCII"),
        (("--registry-prefix", "datasets/r/"), "", r"^--registry-prefix: .*overlaps 'datasets/'"),
        (("--exempt", "me"), "", r"^--exempt: 'me' is not the ARN"),
        (("--exclude", "runs/"), "", r"^--exclude: is for the level 'bucket'"),
        (("--level", "bucket", "--prefix", "a/"), "", r"^--prefix: .*use --exclude"),
        (("--merge", "-"), "{", r"^--merge: .*not JSON"),
        (("--merge", "-"), "[]", r"^--merge: .*no object"),
        (("--merge", "-"), '{"Statement": 1}', r"^--merge: .*give a bucket policy"),
    ],
)
def test_bad_input_is_one_error_that_names_the_option_and_the_fix(
    arguments: tuple[str, ...], given: str, problem: str
) -> None:
    with pytest.raises(CommandError, match=problem) as refused:
        told("lake", *arguments, input=given)
    assert refused.value.status == 2


def test_what_is_printed_is_a_policy_that_a_bucket_takes() -> None:
    with LocalCloud(ScaledClock(1000)) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="lake")
        s3.put_bucket_policy(Bucket="lake", Policy=json.dumps(printed("--level", "bucket", "--tls")))
        with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
            s3.put_object(Bucket="lake", Key="k", Body=b"")
        s3.put_object(Bucket="lake", Key="k", Body=b"", IfNoneMatch="*")

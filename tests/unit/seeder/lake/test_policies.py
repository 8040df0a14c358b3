from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from localcloud.iam import Access, Decision, Policy, Principal
from seeder.errors import InvalidRequest
from seeder.lake.policies import MOST_BYTES, Rules, bucket_arn, merged, statements

TEMPLATE = Path(__file__).parents[4] / "template.yaml"
LAKE = bucket_arn("lake")
ROLE = "arn:aws:iam::111122223333:role/migration"
CREATES = {"s3:ObjectCreationOperation": "true", "s3:if-match": None, "s3:if-none-match": None}
NEW, SWAP = CREATES | {"s3:if-none-match": "*"}, CREATES | {"s3:if-match": '"etag"'}
STEP = CREATES | {"s3:ObjectCreationOperation": "false"}


def denied(rules: Rules, action: str, key: str, context: dict[str, Any], who: str = "") -> bool:
    """Ask the local cloud's evaluator, which takes the characters of a key as they are."""
    arn = who or "arn:aws:iam::111122223333:role/any"
    access = Access(f"s3:{action}", f"{LAKE}/{key}", Principal(arn=arn), {"aws:PrincipalArn": arn, **context})
    return Policy(merged({}, statements(LAKE, rules))).decide(access) is Decision.DENY


def test_the_state_buckets_policy_is_what_the_function_makes() -> None:
    stated = yaml_parse(TEMPLATE.read_text("utf-8"))["Resources"]["StateBucketPolicy"]["Properties"]
    text = json.dumps(stated["PolicyDocument"])
    text = text.replace('{"Fn::GetAtt": ["StateBucket", "Arn"]}', f'"{LAKE}"')
    text = re.sub(r'\{"Fn::Sub": "\$\{StateBucket\.Arn\}([^"]*)"\}', rf'"{LAKE}\1"', text)
    assert json.loads(text) == merged({}, statements(LAKE, Rules(tls=True)))


def test_files_are_written_once_and_not_replaced() -> None:
    told = [denied(Rules(), "PutObject", "datasets/a", each) for each in (CREATES, SWAP, NEW, STEP)]
    assert told == [True, True, False, False]


def test_registries_are_swapped() -> None:
    told = [denied(Rules(), "PutObject", "metastore/a", each) for each in (CREATES, SWAP, NEW, STEP)]
    assert told == [True, False, False, False]


@pytest.mark.parametrize("key", ["datasets/a", "metastore/a"])
def test_what_is_deleted_was_read_and_versions_stay(key: str) -> None:
    assert denied(Rules(), "DeleteObject", key, {"s3:if-match": None})
    assert not denied(Rules(), "DeleteObject", key, {"s3:if-match": '"etag"'})
    assert denied(Rules(), "DeleteObjectVersion", key, {})
    assert denied(Rules(deletes="never"), "DeleteObject", key, {"s3:if-match": '"etag"'})


@pytest.mark.parametrize("key", ["runs/r/reports/job-1/manifest.json", "dataset/a", "a/datasets/b"])
def test_other_keys_are_left_alone(key: str) -> None:
    assert not denied(Rules(), "PutObject", key, CREATES)
    assert not denied(Rules(), "DeleteObject", key, {"s3:if-match": None})
    assert not denied(Rules(), "DeleteObjectVersion", key, {})


def test_at_the_buckets_level_all_is_written_once_but_registries_and_what_is_excluded() -> None:
    rules = Rules(level="bucket", excluded=("runs/", "logs/"))
    assert denied(rules, "PutObject", "anything", CREATES)
    assert denied(rules, "PutObject", "anything", SWAP)
    assert not denied(rules, "PutObject", "anything", NEW)
    assert not denied(rules, "PutObject", "metastore/a", SWAP)
    assert denied(rules, "PutObject", "metastore/a", CREATES)
    assert denied(rules, "DeleteObject", "metastore/a", {"s3:if-match": None})
    assert not denied(rules, "PutObject", "runs/r/run.json", CREATES)
    assert not denied(rules, "DeleteObject", "logs/1", {"s3:if-match": None})


@pytest.mark.parametrize("excluded", [(), ("runs/",)])
@pytest.mark.parametrize("registries", [(), ("metastore/",)])
def test_a_bucket_without_exceptions_is_enforced_whole(
    excluded: tuple[str, ...], registries: tuple[str, ...]
) -> None:
    rules = Rules(level="bucket", registries=registries, excluded=excluded)
    assert denied(rules, "PutObject", "metastore/a", CREATES)
    assert denied(rules, "PutObject", "metastore/a", SWAP) == (not registries)
    assert denied(rules, "PutObject", "runs/a", CREATES) == (not excluded)


def test_nobody_is_exempt_but_who_is_named() -> None:
    rules = Rules(exempt=(ROLE, "arn:aws:iam::111122223333:role/team/*"), deletes="never")
    for action in ("PutObject", "DeleteObject", "DeleteObjectVersion"):
        assert denied(rules, action, "datasets/a", CREATES)
        assert not denied(rules, action, "datasets/a", CREATES, ROLE)
        assert not denied(rules, action, "datasets/a", CREATES, "arn:aws:iam::111122223333:role/team/x")


@pytest.mark.parametrize("prefix", ["a*b?/", "${aws:username}/", "$", 'spaces, "quotes" + %/', "//"])
def test_a_prefix_means_itself_whatever_its_characters(prefix: str) -> None:
    rules = Rules(files=(prefix,), registries=())
    assert denied(rules, "PutObject", f"{prefix}k", CREATES)
    assert not denied(rules, "PutObject", f"x{prefix}k", CREATES)
    assert not denied(rules, "PutObject", "axbx/k", CREATES)


def test_other_partitions_have_their_own_arns() -> None:
    made = statements(bucket_arn("lake", "aws-cn"), Rules(tls=True))
    resources = re.findall(r'"(arn:[^"]+)"', json.dumps(made))
    assert resources
    assert all(arn.startswith("arn:aws-cn:s3:::lake") for arn in resources)


def test_nothing_to_enforce_is_no_statement() -> None:
    assert statements(LAKE, Rules(files=(), registries=())) == []


@pytest.mark.parametrize(
    ("rules", "field", "fix"),
    [
        (Rules(files=("",)), "files", "level 'bucket'"),
        (Rules(files=("日本/",)), "files", "printable ASCII"),
        (Rules(registries=("a\nb/",)), "registries", "printable ASCII"),
        (Rules(registries=("datasets/_registry/",)), "registries", "overlaps 'datasets/'"),
        (Rules(level="bucket", excluded=("metastore/old/",)), "registries", "overlaps 'metastore/old/'"),
        (Rules(excluded=("runs/",)), "excluded", "give the prefixes to enforce"),
        (Rules(exempt=("arn:aws:sts::111122223333:assumed-role/a/b",)), "exempt", "ARN of a role or user"),
        (Rules(exempt=("*",)), "exempt", "ARN of a role or user"),
    ],
)
def test_rules_that_can_not_be_enforced_are_refused(rules: Rules, field: str, fix: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(fix)) as refused:
        statements(LAKE, rules)
    assert refused.value.field == field


def test_merging_replaces_by_sid_and_keeps_all_else() -> None:
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": LAKE}
    unnamed = {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": "s3:GetObject",
        "Resource": f"{LAKE}/*",
    }
    before = {"Version": "2012-10-17", "Id": "mine", "Statement": [theirs, unnamed]}
    once = merged(before, statements(LAKE, Rules(deletes="never")))
    twice = merged(once, statements(LAKE, Rules()))
    assert twice["Id"] == "mine"
    assert twice["Statement"] == [theirs, unnamed, *statements(LAKE, Rules())]
    assert merged(twice, statements(LAKE, Rules())) == twice
    alone = merged({"Statement": theirs}, statements(LAKE, Rules()))
    assert alone["Statement"] == [theirs, *statements(LAKE, Rules())]


@pytest.mark.parametrize("there", [{"Statement": "x"}, {"Statement": [1]}])
def test_what_is_no_policy_is_not_merged(there: Any) -> None:
    with pytest.raises(InvalidRequest, match="give a bucket policy"):
        merged(there, statements(LAKE, Rules()))


def test_a_policy_that_s3_would_not_take_is_refused() -> None:
    few, many = ([f"datasets/{number:04}/" for number in range(count)] for count in (150, 200))
    assert len(json.dumps(merged({}, statements(LAKE, Rules(files=tuple(few)))))) <= MOST_BYTES
    with pytest.raises(InvalidRequest, match="more than the 20480 of a bucket policy"):
        merged({}, statements(LAKE, Rules(files=tuple(many))))

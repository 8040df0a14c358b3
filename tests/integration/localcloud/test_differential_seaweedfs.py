"""moto with our patches against a real S3 server: where they differ, and who is right by AWS's documentation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from localcloud import s3
from localcloud.patching import Patches
from tests.integration.localcloud.differential import Calls, Outcome
from tests.integration.localcloud.differential_scenarios import SCENARIOS
from tests.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT = Path(__file__).parents[3] / "docs" / "differences.md"

Outcomes = dict[str, Outcome]


@dataclass(frozen=True)
class Known:
    """Steps of a scenario where the other server differs from ours, and so from what AWS documents."""

    topic: str
    """What it is called in the document."""
    scenario: str
    steps: str
    """A pattern of step names."""
    ours: Outcome
    theirs: Outcome


WRITES = "(put|complete|copy), versioning (never|Enabled): "
KNOWN = (
    Known("folder markers have no content", "odd_keys", "get 'dir/'", b"dir/", b""),
    Known(
        "names of versions are not encoded",
        "odd_keys",
        "version keys encoded",
        ["%E6%97%A5%E6%9C%AC", "%F0%9F%98%80"],
        ["日本", "😀"],
    ),
    Known(
        "what was asked is not encoded",
        "odd_keys",
        "(prefix|start after) encoded",
        "%C3%A9+a%2B",
        "é a+",
    ),
    Known("spaces in folders", "odd_keys", "folder with space encoded", ["x+y/1+2"], ["x%20y/1+2"]),
    Known("backslashes become slashes", "odd_keys", "backslash", ["back\\slash"], ["back/slash"]),
    Known(
        "folders sort as folders",
        "pages",
        "folders among keys",
        ["B.x", "B/1", "B/2"],
        ["B/1", "B/2", "B.x"],
    ),
    Known(
        "common prefixes before StartAfter",
        "pages",
        ".*'StartAfter': 'B/1', 'Delimiter': '/'.*",
        (["C", "E"], ["D/"], 3, False),
        (["C", "E"], ["B/", "D/"], 4, False),
    ),
    Known("MaxKeys of zero", "versions", "no versions asked for", (True, False), (False, False)),
    Known("reading a delete marker", "versions", "get marker", "405 MethodNotAllowed", "404 NoSuchKey"),
    Known("reading a delete marker", "versions", "head marker", "405 405", "404 404"),
    Known(
        "deleting a delete marker",
        "versions",
        "delete marker among others",
        ([("k", True, True)], []),
        ([("k", True, False)], []),
    ),
    Known(
        "If-Match without an object",
        "writes",
        WRITES + "If-Match, (absent|deleted)",
        "404 NoSuchKey",
        "412 PreconditionFailed",
    ),
    Known(
        "If-None-Match with an ETag",
        "writes",
        WRITES + "If-None-Match, ETag",
        "501 NotImplemented",
        "412 PreconditionFailed",
    ),
    Known(
        "If-Match without an object",
        "deletes",
        "versioning (never|Enabled): (gone|any, never there)|versioning never: any, gone",
        "404 NoSuchKey",
        "412 PreconditionFailed",
    ),
    Known("copying an object to itself", "copies", "itself", "400 InvalidRequest", 200),
    Known("missing versions", "copies", "missing version", "404 NoSuchVersion", "404 NoSuchKey"),
    Known("copying a delete marker", "copies", "delete marker", "400 InvalidRequest", "404 NoSuchKey"),
    Known("completing without parts", "parts", "no parts", "400 MalformedXML", "404 NoSuchUpload"),
    Known(
        "copying beyond the end", "parts", "copy beyond the end", "400 InvalidArgument", "416 InvalidRange"
    ),
)


def run(client: Any, scenario: Callable[[Calls], None]) -> Outcomes:
    calls = Calls(client, scenario.__name__.replace("_", "-") + "-bucket")
    client.create_bucket(Bucket=calls.bucket)
    scenario(calls)
    return calls.outcomes


@pytest.fixture(scope="module")
def theirs(real: Server) -> dict[str, Outcomes]:
    return {scenario.__name__: run(real.s3, scenario) for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def ours() -> dict[str, Outcomes]:
    patches = Patches()
    with mock_aws():
        s3.install(patches)
        client = boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}),
        )
        outcomes = {scenario.__name__: run(client, scenario) for scenario in SCENARIOS}
    patches.undo()
    return outcomes


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_the_servers_differ_only_as_written_down(
    scenario: str, ours: dict[str, Outcomes], theirs: dict[str, Outcomes]
) -> None:
    mine, other = ours[scenario], theirs[scenario]
    found = {
        step: (mine.get(step), other.get(step))
        for step in [*mine, *other]
        if mine.get(step) != other.get(step)
    }
    known = {
        step: (entry.ours, entry.theirs)
        for entry in KNOWN
        if entry.scenario == scenario
        for step in mine
        if re.fullmatch(entry.steps, step)
    }

    assert found == known


def test_every_known_difference_is_one_step_at_least(ours: dict[str, Outcomes]) -> None:
    idle = [
        entry for entry in KNOWN if not any(re.fullmatch(entry.steps, step) for step in ours[entry.scenario])
    ]

    assert not idle


def test_every_known_difference_is_written_down() -> None:
    text = DOCUMENT.read_text()

    assert not [entry.topic for entry in KNOWN if f"**{entry.topic}**" not in text]


def test_the_servers_agree_on_most_calls(ours: dict[str, Outcomes]) -> None:
    steps = [
        (entry.scenario, step)
        for entry in KNOWN
        for step in ours[entry.scenario]
        if re.fullmatch(entry.steps, step)
    ]

    assert len(steps) < 0.15 * sum(len(outcomes) for outcomes in ours.values())

from __future__ import annotations

import re
from typing import Any

import pytest
from moto import mock_aws

from localcloud import s3
from localcloud.s3.interleaving import MARKER, VERSION, interleaved
from tests.unit.localcloud.replication_world import World

PAGE = (
    "<Result><Name>b</Name>\n<Version><Key>a</Key></Version>\n<Version><Key>b\n</Key></Version>"
    "<DeleteMarker><Key>&lt;Version&gt;</Key></DeleteMarker><CommonPrefixes/></Result>"
)


def test_entries_take_the_places_of_entries_and_nothing_else_moves() -> None:
    assert interleaved(PAGE, [VERSION, VERSION, MARKER]) == PAGE
    assert interleaved(PAGE, [MARKER, VERSION, VERSION]) == (
        "<Result><Name>b</Name>\n<DeleteMarker><Key>&lt;Version&gt;</Key></DeleteMarker>\n"
        "<Version><Key>a</Key></Version><Version><Key>b\n</Key></Version><CommonPrefixes/></Result>"
    )


@pytest.mark.parametrize(
    "kinds", [[], [VERSION, VERSION], [VERSION, MARKER, MARKER], [VERSION, VERSION, MARKER, VERSION]]
)
def test_a_page_of_other_entries_than_were_listed_is_refused(kinds: list[str]) -> None:
    with pytest.raises(ValueError, match=r"the page holds .* but .* were listed"):
        interleaved(PAGE, kinds)


@pytest.mark.parametrize(
    ("patched", "order"),
    [(True, [VERSION, MARKER, VERSION]), (False, [VERSION, VERSION, MARKER])],
    ids=["with_our_patches", "moto_itself_does_not_yet"],
)
def test_delete_markers_stand_among_versions(patched: bool, order: list[str]) -> None:
    one, bodies = World(), []

    def keep(response_dict: dict[str, Any], **_: Any) -> None:
        bodies.append(response_dict["body"].decode())

    one.s3.meta.events.register("before-parse.s3.ListObjectVersions", keep)
    try:
        with mock_aws():
            if patched:
                s3.install(one.patches)
            one.buckets("src")
            one.put("k")
            one.s3.delete_object(Bucket="src", Key="k")
            one.put("k")
            one.s3.list_object_versions(Bucket="src")
    finally:
        one.s3.meta.events.unregister("before-parse.s3.ListObjectVersions", keep)
        one.patches.undo()

    assert re.findall("<(Version|DeleteMarker)>", bodies[0]) == order

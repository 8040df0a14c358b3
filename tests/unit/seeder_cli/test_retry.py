from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.request import RULE_OPTIONS, Request, parse_request
from seeder_cli.retry import again

PAIR = {"source": "my-bucket", "destination": "my-replica"}
FILTERS = {
    "prefix": "logs/",
    "suffix": ".csv",
    "created_after": "2026-01-31T00:00:00Z",
    "size_at_least": 1,
    "storage_classes": ["STANDARD"],
    "tags": {"team": "finance"},
}


def test_filters_stay_and_what_the_replica_lacks_is_looked_for() -> None:
    assert again({**PAIR, **FILTERS}) == {**PAIR, **FILTERS, "resync": True}


def test_a_restoration_goes_on() -> None:
    asked = {**PAIR, "restore": True, "restore_days": 3, "restore_tier": "STANDARD"}
    assert again(asked) == {**asked, "resync": True}


@pytest.mark.parametrize(
    "dropped",
    [
        {"inventory": "s3://my-inventories/a/manifest.json"},
        {"enable_replication": True, "replica_owner": "destination"},
        {"enable_replication": True, "replication_time_control": True},
        {"trigger": "rule-added", "rule_id": "everything"},
        {"confirm": True},
        {"resync": False},
    ],
)
def test_what_was_of_the_first_run_alone_is_left_out(dropped: dict[str, object]) -> None:
    document = again({**PAIR, **dropped})
    assert document == {**PAIR, "resync": True}
    assert parse_request(document).resync


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "prefix": st.just("a/"),
            "inventory": st.just("s3://my-inventories/a/manifest.json"),
            "operation": st.sampled_from(["auto", "replicate"]),
            "enable_replication": st.just(True),
            "confirm": st.booleans(),
            "restore": st.booleans(),
            "rounds": st.integers(0, 10),
            "overlap": st.sampled_from(["fail", "skip", "wait"]),
            "max_cost_usd": st.just(3.5),
        },
    )
)
def test_what_is_asked_again_will_do(fields: dict[str, object]) -> None:
    first = parse_request({**PAIR, **fields})
    request = parse_request(again(first.model_dump(mode="json", exclude_defaults=True)))
    assert request.resync
    assert not request.enable_replication
    assert request.selection() == first.selection()
    assert all(getattr(request, name) == Request.model_fields[name].default for name in RULE_OPTIONS)

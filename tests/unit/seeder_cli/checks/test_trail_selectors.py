from __future__ import annotations

from typing import Any

import pytest

from seeder_cli.checks.trail import logged

MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.mark.parametrize(
    ("basic", "extent"),
    [
        ([], "all"),
        ([{}], "all"),
        ([{"ReadWriteType": "All", "IncludeManagementEvents": True}], "all"),
        ([{"ReadWriteType": "WriteOnly"}], "all"),
        ([{"ReadWriteType": "ReadOnly"}], "none"),
        ([{"IncludeManagementEvents": False, "DataResources": [{}]}], "none"),
        ([{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}], "all"),
        ([{"IncludeManagementEvents": False}, {"ReadWriteType": "WriteOnly"}], "all"),
    ],
)
def test_basic_selectors_log_management_writes(basic: list[dict[str, Any]], extent: str) -> None:
    assert logged(basic, []) == extent


@pytest.mark.parametrize(
    ("fields", "extent"),
    [
        ([MANAGEMENT], "all"),
        ([MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}], "all"),
        ([MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}], "none"),
        ([MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}], "all"),
        ([MANAGEMENT, {"Field": "eventSource", "NotEquals": ["s3.amazonaws.com"]}], "none"),
        ([MANAGEMENT, {"Field": "eventName", "StartsWith": ["Put", "Delete"]}], "all"),
        ([MANAGEMENT, {"Field": "eventName", "NotStartsWith": ["PutBucket"]}], "none"),
        ([MANAGEMENT, {"Field": "userIdentity.arn", "NotEndsWith": ["/bot"]}], "some"),
        ([{"Field": "eventCategory", "Equals": ["Data"]}], "none"),
    ],
)
def test_advanced_selectors_log_management_writes(fields: list[dict[str, Any]], extent: str) -> None:
    assert logged([], [{"FieldSelectors": fields}]) == extent


def test_one_selector_that_logs_all_is_enough() -> None:
    narrow = {"FieldSelectors": [MANAGEMENT, {"Field": "userIdentity.arn", "Equals": ["x"]}]}
    assert logged([], [narrow]) == "some"
    assert logged([], [narrow, {"FieldSelectors": [MANAGEMENT]}]) == "all"

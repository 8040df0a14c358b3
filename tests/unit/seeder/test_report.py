from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import encode_key
from seeder.report import Row, parse_row, summarise
from tests.keys import any_key

# Rows that S3 wrote, or of the forms that its user guide shows; bucket names and ids changed.
REAL_ROWS = """\
src,null-a.txt,null,succeeded,200,,success\r
src,archived.txt,MPJOm_.lSga3Q,failed,500,SrcObjectNotEligible,Object is not eligible for replication\r
src,verify-test/null-version-req2.txt,\\N,failed,500,SrcObjectNotFound,Object versionID is invalid\r
src,a/b.tiff.zst,886twyul.uJ3wIF3zzQG8196hf_SOCCW,succeeded,200,,Successful\r
src,image_14975,,failed,200,PermanentFailure,"Lambda returned function error: {""errorMessage"":""timed out""}"\r
"""


def read(text: str) -> list[Row]:
    return [parse_row(cells) for cells in csv.reader(io.StringIO(text, newline=""))]


def test_real_rows_are_understood() -> None:
    rows = read(REAL_ROWS)
    assert [row.succeeded for row in rows] == [True, False, False, True, False]
    assert [row.http_status for row in rows] == [200, 500, 500, 200, 200]
    assert [row.code for row in rows] == [
        "",
        "SrcObjectNotEligible",
        "SrcObjectNotFound",
        "",
        "PermanentFailure",
    ]
    assert rows[4].message == 'Lambda returned function error: {"errorMessage":"timed out"}'


def test_columns_in_the_order_that_the_schema_says_are_understood_too() -> None:
    assert parse_row(["b", "k", "", "failed", "AccessDenied", "403", "no"]).http_status == 403
    assert parse_row(["b", "k", "", "succeeded", "", "200", "ok"]).http_status == 200


def test_an_error_code_of_three_digits_is_no_reason_to_swap() -> None:
    row = parse_row(["b", "k", "", "failed", "403", "404", "x"])
    assert (row.http_status, row.code) == (403, "404")


@given(any_key)
def test_a_key_is_decoded_once(key: str) -> None:
    assert parse_row(["b", encode_key(key), "", "succeeded", "200", "", ""]).key == key


@pytest.mark.parametrize(
    "cells",
    [
        ["b", "k", "", "succeeded", "200", ""],
        ["b", "k", "", "done", "200", "", ""],
        ["b", "k", "", "failed", "x", "y", ""],
    ],
)
def test_a_row_that_is_not_understood_is_refused(cells: list[str]) -> None:
    with pytest.raises(UnexpectedAnswer, match="report row"):
        parse_row(cells)


def test_failures_are_grouped_by_code_most_frequent_first() -> None:
    def failed(key: str, code: str) -> Row:
        return Row("b", key, "", succeeded=False, http_status=403, code=code, message="m")

    done = Row("b", "k", "", succeeded=True, http_status=200, code="", message="")
    told = summarise([done, failed("x", "A"), failed("y", "B"), failed("z", "B"), done])
    assert (told.total, told.succeeded, told.failed) == (5, 2, 3)
    assert [(item.code, item.count, item.example_key) for item in told.failures] == [
        ("B", 2, "y"),
        ("A", 1, "x"),
    ]

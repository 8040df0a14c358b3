from __future__ import annotations

import csv
import io
import json
from collections import Counter
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.errors import UnexpectedAnswer
from seeder.listing.page import encode_key
from seeder.report import Report, check_counts
from seeder.report_rows import FailedRow, key_of, parse_row, take, text_of
from seeder.report_tally import MOST_CODES, OTHER_CODES, Tally
from tests.keys import any_key

# Rows that S3 wrote, or of the forms that its user guide shows; bucket names and ids changed.
REAL_ROWS = b"""\
src,null-a.txt,null,succeeded,200,,success\r
src,archived.txt,MPJOm_.lSga3Q,failed,500,SrcObjectNotEligible,Object is not eligible for replication\r
src,verify-test/null-version-req2.txt,\\N,failed,500,SrcObjectNotFound,Object versionID is invalid\r
src,a/b.tiff.zst,886twyul.uJ3wIF3zzQG8196hf_SOCCW,succeeded,200,,Successful\r
src,image_14975,,failed,200,PermanentFailure,"Lambda returned function error: {""errorMessage"":""timed out""}"\r
bkt,obj,,succeeded,200,,"{""checksum_base64"":""bS9TOQ\\u003d\\u003d"",""checksum_hex"":""6D2F5339""}"\r
"""

Cells = tuple[str, str, str, str, str, str, str]

succeeded = st.tuples(
    st.sampled_from(["src", "other.bucket"]),
    any_key.map(encode_key),
    st.sampled_from(["", "null", "886twyul.uJ3wIF3z"]),
    st.just("succeeded"),
    st.just("200"),
    st.just(""),
    st.one_of(st.sampled_from(["Successful", "success", "", "b,k,,succeeded,200,,success\r\n"]), any_key),
)
failed = st.tuples(
    st.sampled_from(["src", "other.bucket"]),
    any_key.map(encode_key),
    st.sampled_from(["", "null", "\\N"]),
    st.just("failed"),
    st.sampled_from(["200", "403", "500", "503"]),
    st.sampled_from(["AccessDenied", "SlowDown", "Odd", ""]),
    st.one_of(st.sampled_from(["Denied", 'a "b", c', "x\r\n,y", "a,b,,failed,200,,c\r\n"]), any_key),
)
some_rows = st.lists(st.one_of(succeeded, failed), max_size=12)


def written(rows: list[Cells]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def one_line(message: str) -> str:
    return message.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


def cells_of(row: FailedRow) -> tuple[str, ...]:
    return key_of(row[0]), *map(text_of, row[1:])


def test_real_rows_are_understood() -> None:
    taken = take(REAL_ROWS)
    assert (taken.end, taken.succeeded) == (len(REAL_ROWS), 3)
    assert [cells_of(row) for row in taken.failed] == [
        (
            "archived.txt",
            "MPJOm_.lSga3Q",
            "500",
            "SrcObjectNotEligible",
            "Object is not eligible for replication",
        ),
        (
            "verify-test/null-version-req2.txt",
            "\\N",
            "500",
            "SrcObjectNotFound",
            "Object versionID is invalid",
        ),
        (
            "image_14975",
            "",
            "200",
            "PermanentFailure",
            'Lambda returned function error: {"errorMessage":"timed out"}',
        ),
    ]


@given(some_rows, st.integers(1, 60))
def test_rows_in_pieces_of_any_size_are_each_taken_once(rows: list[Cells], size: int) -> None:
    text, rest, done, found = written(rows), b"", 0, []
    for at in range(0, len(text), size):
        taken = take(rest + text[at : at + size])
        rest = (rest + text[at : at + size])[taken.end :]
        done += taken.succeeded
        found += [cells_of(row) for row in taken.failed]
    assert rest == b""
    assert done == sum(row[3] == "succeeded" for row in rows)
    expected = [
        (unquote(key), version, status, code, one_line(message))
        for _, key, version, outcome, status, code, message in rows
        if outcome == "failed"
    ]
    assert found == expected


@given(any_key)
def test_a_key_is_decoded_once(key: str) -> None:
    row = parse_row(written([("b", encode_key(key), "", "failed", "403", "X", "m")]))
    assert row
    assert key_of(row[0]) == key


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("b", "k", "", "failed", "AccessDenied", "403", "no"), (b"403", b"AccessDenied")),
        (("b", "k", "", "failed", "403", "404", "x"), (b"403", b"404")),
        (("b", "k", "", "failed", "403", "AccessDenied", "x"), (b"403", b"AccessDenied")),
        (("b", "k", "", "failed", "600", "500", "x"), (b"500", b"600")),
    ],
)
def test_status_and_code_are_told_apart_by_content(cells: Cells, told: tuple[bytes, bytes]) -> None:
    taken = take(written([cells]))
    assert [row[2:4] for row in taken.failed] == [told]


def test_a_success_in_the_order_of_the_schema_is_one() -> None:
    assert take(b"b,k,,succeeded,,200,ok\r\n").succeeded == 1


def test_a_quoted_key_is_encoded_where_a_manifest_would_need_quotes() -> None:
    row = parse_row(b'"b","a,b ""c""",,failed,403,X,m\r\n')
    assert row
    assert row[0] == b"b,a%2Cb %22c%22"


@pytest.mark.parametrize(
    "text",
    [
        b"b,k,,succeeded,200,\r\n",
        b"b,k,,succeeded,200,,a,b\r\n",
        b"b,k,,done,200,,\r\n",
        b"b,k,,failed,x,y,\r\n",
        b"b,,,failed,403,X,m\r\n",
        b",k,,succeeded,200,,success\r\n",
        b'b,k"k,,"succeeded",200,,success"\r\n',
        b"b,k\r\n",
        b"\r\n",
        b"b,k\rk,,succeeded,200,,success\r\n",
        b"b,k\rk,,failed,403,X,m\r\n",
        b"b,k,,failed,403,X,m\rm\r\n",
        b"b,k,,failed,403,X,m,m\r\n",
        b"b,k,x\r\nb,failed,403,X,m\r\n",
        b"b,k,,failed,40,X,m\r\n",
        b"b,k,x\r\nb,succeeded,200,,success\r\n",
        b"b,k\r\nb,k,,succeeded,200,,success\r\n",
    ],
)
@pytest.mark.parametrize("before", [b"", b"b,k,,succeeded,200,,success\r\n", b"b,k,,failed,500,X,m\r\n"])
@pytest.mark.parametrize("after", [b"", b"b,k,,succeeded,200,,Successful\r\n"])
def test_a_row_that_is_not_understood_is_refused_wherever_it_stands(
    text: bytes, before: bytes, after: bytes
) -> None:
    with pytest.raises(UnexpectedAnswer, match="report row"):
        take(before + text + after)


@pytest.mark.parametrize("text", [b"b,k,,succeeded,200,,success", b'b,k,,failed,500,X,"a\r\n', b"b,k"])
def test_a_row_that_has_not_ended_is_left(text: bytes) -> None:
    before = b"b,k,,succeeded,200,,success\r\n"
    assert take(before + text).end == len(before)


def row(key: str, code: str, message: str = "m", version: str = "", status: int = 403) -> FailedRow:
    return f"b,{key}".encode(), version.encode(), str(status).encode(), code.encode(), message.encode()


def test_failures_are_grouped_by_code_most_frequent_first() -> None:
    tally = Tally([], [], "copy", 0)
    tally.add([row("x", "A"), row("y", "B"), row("z", "B")])
    assert [(one.code, one.count, one.example_key) for one in tally.failures()] == [
        ("B", 2, "y"),
        ("A", 1, "x"),
    ]


def test_one_code_whose_messages_need_different_things_makes_two_groups() -> None:
    tally = Tally([], [], "copy", 0)
    tally.add(
        [
            row("x", "InvalidRequest", "copy source is larger than the maximum allowable size", status=400),
            row("y", "InvalidRequest", "other", status=400),
            row("z", "InvalidRequest", "other", status=400),
        ]
    )
    assert [(one.count, one.kind) for one in tally.failures()] == [(2, "person"), (1, "permanent")]


def test_only_retryable_rows_go_to_the_retry_manifest_and_all_to_the_failures() -> None:
    tally = Tally([], [], "copy", 2)
    lines, again, retried = tally.add([row("a%20b", "SlowDown", "busy", status=503), row("k", "NoSuchKey")])
    assert lines == b"b,a%20b,,SlowDown,503,busy,copy,2\nb,k,,NoSuchKey,403,m,copy,2\n"
    assert (again, retried, tally.fields) == (b"b,a%20b\n", 1, ["Bucket", "Key"])


def test_versions_go_to_the_retry_manifest_as_they_are() -> None:
    tally = Tally([], [], "copy", 0)
    _, again, _ = tally.add([row("k", "SlowDown", version="null"), row("k", "SlowDown", version="v1")])
    assert (again, tally.fields) == (b"b,k,null\nb,k,v1\n", ["Bucket", "Key", "VersionId"])


def test_a_row_whose_manifest_had_an_empty_version_is_never_retried() -> None:
    tally = Tally([], [], "replicate", 0)
    _, again, retried = tally.add([row("k", "SlowDown", version="v"), row("k", "SlowDown", version="\\N")])
    assert (again, retried) == (b"b,k,v\n", 1)
    assert {(one.kind, one.count) for one in tally.failures()} == {("retryable", 1), ("person", 1)}


@pytest.mark.parametrize("known", [[], ["Bucket", "Key"]])
def test_rows_with_and_without_versions_are_no_manifest(known: list[str]) -> None:
    with pytest.raises(UnexpectedAnswer, match="no manifest can hold both"):
        Tally([], known, "copy", 0).add([row("k", "SlowDown"), row("k", "SlowDown", version="v")])


def test_groups_go_on_from_those_of_an_earlier_call() -> None:
    rows = [row("a", "AccessDenied"), row("b", "SlowDown"), row("c", "AccessDenied"), row("d", "")]
    whole = Tally([], [], "copy", 0)
    whole.add(rows)
    first = Tally([], [], "copy", 0)
    first.add(rows[:2])
    then = Tally(first.failures(), first.fields, "copy", 0)
    then.add(rows[2:])
    assert then.failures() == whole.failures()


def test_many_codes_with_the_worst_keys_and_messages_stay_small_and_are_all_counted() -> None:
    tally = Tally([], [], "copy", 0)
    key = encode_key("\x01" * 1024)
    tally.add([row(key, f"Code{number}", "\x01" * 5000) for number in range(200)] + [row("k", "Code7")])
    told = tally.failures()
    assert sum(one.count for one in told) == 201
    assert len(told) == MOST_CODES + 1
    assert (told[0].code, told[0].count) == (OTHER_CODES, 200 - MOST_CODES)
    assert told[1].code == "Code7"
    assert len(json.dumps([one.model_dump() for one in told])) < 64 * 1024
    assert told[1].example_key.endswith("…")


def test_the_rest_of_many_codes_is_retried_by_its_own_kind() -> None:
    tally = Tally([], [], "copy", 0)
    _, _, retried = tally.add([row("k", f"Code{number}", status=503) for number in range(MOST_CODES + 5)])
    assert retried == MOST_CODES + 5


def test_lines_of_the_failures_file_are_csv_that_has_one_line_a_row() -> None:
    tally = Tally([], [], "copy", 0)
    taken = take(written([("b", "k", "", "failed", "500", "X", 'a\r\nb "c", d')]))
    lines, _, _ = tally.add(taken.failed)
    assert lines.count(b"\n") == 1
    cells = [*csv.reader(io.StringIO((tally.header + lines).decode()))]
    assert dict(zip(*cells, strict=True))["message"] == 'a b "c", d'
    assert Counter(map(len, cells)) == Counter({8: 2})


@pytest.mark.parametrize("told", [(3, 2, 1), (None, None, None), (3, None, 1)])
def test_counts_that_agree_say_nothing(told: tuple[int | None, int | None, int | None]) -> None:
    assert check_counts(Report(total=3, succeeded=2, failed=1), *told) == ""


@pytest.mark.parametrize("told", [(4, 3, 1), (3, 3, 0), (4, None, None), (None, None, 2)])
def test_counts_that_differ_are_told(told: tuple[int | None, int | None, int | None]) -> None:
    said = check_counts(Report(total=3, succeeded=2, failed=1), *told)
    assert said.startswith(
        "the completion report has 3 rows, 2 of success and 1 of failure, but the job counted"
    )
    assert (str(told[2]) if told[2] is not None else "an unknown number failed") in said

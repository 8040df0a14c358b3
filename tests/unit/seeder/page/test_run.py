from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings

from seeder.page import render_run
from seeder.page.markup import exact
from seeder.record import Record
from tests.unit.seeder.page.read import Element, read
from tests.unit.seeder.page.samples import any_record, any_text, record

MOST_BYTES = 1_000_000
ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body a svg symbol path use rect header main footer section nav h1 h2 p ul li dl dt "
        "dd div span strong code time table caption thead tbody tfoot tr th td",
    )
)


def page_of(**members: Any) -> Element:
    return read(render_run(record(**members), "state"))


def rows(page: Element, name: str) -> list[list[str]]:
    """Return the texts of the cells of a section's table."""
    section = page.get("section", aria_labelledby=name)
    return [[cell.text for cell in row.all() if cell.name in ("th", "td")] for row in section.all("tr")]


# ── what comes from users ──


@settings(max_examples=60, deadline=None)
@given(any_record, any_text)
def test_whatever_the_record_holds_the_page_is_whole_and_none_of_it_is_markup(
    told: Record, bucket: str
) -> None:
    text = render_run(told, bucket)
    page = read(text)
    assert {element.name for element in page.all()} <= ELEMENTS
    for element in page.all():
        assert not [name for name in element.attributes if name.startswith("on") or name in ("style", "src")]
        assert (element.attributes.get("href") or "#").startswith("#")
    assert text.replace("\n", "").isprintable()


@settings(max_examples=60, deadline=None)
@given(any_text)
def test_a_key_is_shown_as_it_is(name: str) -> None:
    failures = [{"code": "C", "count": 1, "example_key": name, "message": "", "kind": "person"}]
    told = {"run_id": "r", "state": "Failed", "event": "", "subject": "", "failures": failures}
    page = read(render_run(Record.model_validate(told)))
    assert exact(name) in [code.text for code in page.all("code")]


def test_the_same_record_gives_the_same_page() -> None:
    assert render_run(record(), "state") == render_run(record(), "state")


# ── what it tells ──


def test_the_head_tells_pair_state_counts_replica_time_cost_and_cause() -> None:
    page = page_of()
    assert page.get("h1").text == "foghorn1.bucket → foghorn2.bucket"
    assert page.get("title").text == "Failed: foghorn1.bucket → foghorn2.bucket"
    header = page.get("header")
    assert "Failed12 of 836 objects were not copied" in header.text
    figures = dict(
        zip((item.text for item in header.all("dt")), (item.text for item in header.all("dd")), strict=True)
    )
    assert figures == {
        "Objects to seed": "836",
        "Success": "824",
        "Failed": "12",
        "Replica": "differs",
        "Took": "26 min 12 s",
        "Cost, USD": "0.51+",
    }
    assert "seeder failures manual-foghorn --keys" in header.text


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (
            {"replica": "equal", "verification": {"equal": 836}},
            "The replica is proven: 836 objects were compared",
        ),
        (
            {"replica": "extra", "verification": {"equal": 5, "extra": 1234}},
            "It holds 1,234 more of its own.",
        ),
        ({"replica": "", "verification": {}}, "The replica was not compared."),
        ({"error": "States.Timeout"}, "The run ended in an error: States.Timeout."),
        ({"cause": "the run 'x' has the pair"}, "the run 'x' has the pair"),
    ],
)
def test_a_sentence_says_what_became_of_it(members: dict[str, Any], sentence: str) -> None:
    page = page_of(**({"state": "Complete", "cause": "", "error": "", "failures": []} | members))
    assert sentence in page.get("div", class_="verdict").text


def test_an_estimate_is_not_told_as_what_a_run_has_cost() -> None:
    figures = page_of(actual_usd="").get("header").get("dl").text
    assert "Estimated, USD0.26" in figures
    assert "Cost" not in figures


def test_the_foot_tells_the_times_and_how_names_are_written() -> None:
    foot = page_of().get("footer").text
    assert "Started 2026-01-31 09:05 UTC. Ended 2026-01-31 09:31 UTC." in foot
    assert r"a line feed as \n, a backslash as \\." in foot


def test_failures_have_code_count_advice_and_example() -> None:
    assert rows(page_of(), "failures")[1] == [
        "AccessDenied",
        "12",
        "Needs a change by you. Add s3:GetObject to the job's role, then run again.",
        "logs/a bAccess Denied",
    ]


def test_the_comparison_has_each_kind_with_its_count_and_example() -> None:
    found = {row[0]: row[2] for row in rows(page_of(), "comparison")[1:]}
    assert found == {
        "EqualThe same in both buckets": "824",
        "MissingIn the source, not in the replicalogs/a b": "12",
        "DifferentIn both, with other content": "0",
        "ArchivedIn the source alone, and archived": "4",
        "ExtraIn the replica alone": "0",
        "MeanwhileWritten by others while the run went on": "0",
    }


def test_the_stages_stand_in_the_order_of_the_flow_without_those_that_took_no_time() -> None:
    told = rows(page_of(), "time")[1:]
    assert [(row[0], row[2]) for row in told] == [
        ("Checks the request ResolveRequest", "0.8 s"),
        ("Lists the source PaginateKeys", "12 s"),
        ("Waits for S3 Batch Operations AwaitJob", "23 min"),
    ]
    section = page_of().get("section", aria_labelledby="time")
    assert (
        section.get("caption").text == "23 min 13 s in all, of which 23 min waiting, in the order of the flow"
    )


def test_a_stage_of_a_newer_release_is_told_by_its_name() -> None:
    assert rows(page_of(stages={"Newer": 3}), "time")[1][0] == "Newer"


def test_the_jobs_have_round_status_tasks_and_failures() -> None:
    assert rows(page_of(), "jobs")[1] == [
        "Copy, round 07d65913e",
        "Complete",
        "eu-west-1",
        "836",
        "824",
        "12",
    ]


def test_objects_and_bytes_are_drawn_by_storage_class_and_prefix_the_most_bytes_first() -> None:
    page = page_of()
    assert [[row[0], row[2], row[4]] for row in rows(page, "classes")[1:]] == [
        ["STANDARD", "800", "2.0 GiB"],
        ["STANDARD_IA", "36", "1.0 GiB"],
        ["GLACIER archived, apart", "4", "1.0 KiB"],
    ]
    assert [[row[0], row[2], row[4]] for row in rows(page, "prefixes")[1:]] == [
        ["no / in the key", "2", "1.0 GiB"],
        ["logs/", "830", "1.0 KiB"],
        ["All others", "4", "10 bytes"],
    ]


def test_a_prefix_that_was_cut_says_so() -> None:
    page = page_of(census={"prefixes": {"x" * 128: [1, 1]}})
    assert rows(page, "prefixes")[1][0] == "x" * 128 + "…"


def test_costs_stand_line_by_line_estimated_beside_actual() -> None:
    assert rows(page_of(), "costs")[1:] == [
        ["Jobs", "2 jobs", "0.2500", "0.5000"],
        ["Tasksprice known at second hand", "836 objects", "0.0009", "–"],  # noqa: RUF001
        ["Transfer", "2.0 KiB", "–", "0.0001"],  # noqa: RUF001
        ["In all", "", "0.26", "0.51+"],
    ]


def test_the_request_and_the_addresses_of_the_files_are_there() -> None:
    page = page_of()
    asked = page.get("section", aria_labelledby="request")
    names = [item.text for item in asked.all("dt")]
    assert dict(zip(names, (item.text for item in asked.all("dd")), strict=True)) == {
        "source": "foghorn1.bucket",
        "prefix": "logs/",
        "rounds": "3",
        "tags": "team = a",
        "operation": "copy",
    }
    folder = "s3://state/runs/manual-foghorn/"
    assert [code.text for code in page.get("section", aria_labelledby="files").all("code")] == [
        f"{folder}run.json",
        f"{folder}report.html",
        folder,
        "s3://state/datasets/seeding_failures/manual-foghorn-copy-0.csv",
        f"{folder}verification/1.csv",
        f"{folder}manifests/archived.csv",
    ]


def test_of_what_is_not_known_nothing_is_drawn() -> None:
    skipped = Record(run_id="r", state="Skipped", event="", subject="", cause="another has the pair")
    page = read(render_run(skipped))
    assert page.all("section") == page.all("nav") == page.all("table") == []
    assert "another has the pair" in page.get("header").text


# ── how it is made ──


def test_the_page_has_landmarks_headings_in_order_and_named_tables() -> None:
    page = page_of()
    assert [len(page.all(name)) for name in ("header", "main", "footer", "nav", "h1")] == [1, 1, 1, 1, 1]
    assert page.get("html").attributes["lang"] == "en"
    levels = [element.name for element in page.all() if re.fullmatch(r"h\d", element.name)]
    assert levels[0] == "h1"
    assert set(levels[1:]) == {"h2"}
    for table in page.all("table"):
        assert table.get("caption").text
        assert {cell.attributes.get("scope") for cell in table.all("th")} == {"col", "row"}
        assert all(cell.text for cell in table.all("th"))
    for drawn in page.all("svg"):
        assert drawn.attributes["aria-hidden"] == "true", "what it draws stands beside it as text"


def test_a_table_that_becomes_cards_keeps_its_roles_and_the_names_of_its_columns() -> None:
    stacking = [table for table in page_of().all("table") if table.attributes.get("class") == "stacks"]
    assert len(stacking) == 5
    for table in stacking:
        names = [cell.text for cell in table.get("thead").all("th")]
        assert table.attributes["role"] == "table"
        for row in table.get("tbody").all("tr"):
            assert row.attributes["role"] == "row"
            cells = [cell for cell in row.all() if cell.name in ("th", "td")]
            assert [cell.attributes["role"] for cell in cells] == ["rowheader"] + ["cell"] * (len(cells) - 1)
            assert [cell.attributes["data-name"] for cell in cells[1:]] == names[1:]


def test_every_link_of_the_page_leads_somewhere_and_no_id_is_there_twice() -> None:
    page = page_of()
    ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    targets = [element.attributes["href"] for element in page.all() if "href" in element.attributes]
    assert {str(target).removeprefix("#") for target in targets} <= set(ids)


def test_a_bar_is_as_long_as_its_share_and_never_invisible() -> None:
    page = page_of(census={"classes": {"A": [1000, 1], "B": [500, 1], "C": [1, 1], "D": [0, 1]}})
    section = page.get("section", aria_labelledby="classes")
    bars = [row.all("svg")[0] for row in section.all("tr")[1:]]
    assert [[rect.attributes["width"] for rect in bar.all("rect")] for bar in bars] == [
        ["1000"],
        ["500"],
        ["8"],
        [],
    ]


def test_a_page_is_small_even_where_a_record_is_full() -> None:
    key = "\x01" * 250
    failures = [
        {
            "code": f"Code{n}",
            "count": 1,
            "example_key": key,
            "message": key,
            "kind": "person",
            "advice": "a" * 300,
        }
        for n in range(30)
    ]
    told = record(
        failures=failures,
        failure_files=[f"s3://state/{'x' * 200}{n}" for n in range(200)],
        jobs=record().jobs * 80,
        census={"prefixes": {f"{n}{key[:125]}/": [n, n] for n in range(40)}},
    )
    assert len(render_run(told, "state").encode()) < MOST_BYTES / 3
    assert len(render_run(record(), "state").encode()) < MOST_BYTES / 25

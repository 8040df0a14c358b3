from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.fleet.overview import PairRow
from seeder.page import render_fleet
from tests.unit.seeder.page.read import Element, read
from tests.unit.seeder.page.samples import MARKUP, NOW, any_row, row
from tests.unit.seeder.page.test_run import ELEMENTS

OF_THE_FLEET = {"label", "input", "output", "script"}


def page_of(rows: Sequence[PairRow], links: bool = False) -> Element:
    return read(render_fleet(rows, NOW, name="seeder", links=links))


def cells(page: Element) -> list[list[str]]:
    rows = page.get("tbody").all("tr")
    return [[cell.text for cell in each.all() if cell.name in ("th", "td")] for each in rows]


@settings(max_examples=60, deadline=None)
@given(st.lists(any_row, max_size=4))
def test_whatever_the_rows_hold_the_page_is_whole_and_none_of_it_is_markup(rows: list[PairRow]) -> None:
    text = render_fleet(rows, NOW, name=MARKUP[0], links=True)
    page = read(text)
    assert {element.name for element in page.all()} <= ELEMENTS | OF_THE_FLEET
    assert len(page.all("script")) == 1
    for element in page.all():
        assert not [name for name in element.attributes if name.startswith("on") or name in ("style", "src")]
        assert (element.attributes.get("href") or "#").startswith(("#", "runs/"))
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("states", "answer"),
    [
        ([], "No pair has been seeded yet."),
        (["Complete"], "The replica is proven."),
        (["Complete"] * 3, "All 3 replicas are proven."),
        (["Complete", "Running", "Waiting"], "1 of 3 replicas are proven, the others are under way."),
        (["Complete", "Failed", "Running"], "1 of 3 pairs needs a look."),
        (["Failed", "Skipped", "Running"], "2 of 3 pairs need a look."),
    ],
)
def test_the_heading_answers_whether_all_is_there(states: list[str], answer: str) -> None:
    page = page_of([row(number, state) for number, state in enumerate(states)])
    assert page.get("h1").text == page.get("title").text == answer


def test_the_counts_stand_on_top() -> None:
    page = page_of([row(1), row(2), row(3, "Failed"), row(4, "Running", total=0)])
    header = page.get("header")
    names = [item.text for item in header.all("dt")]
    assert dict(zip(names, (item.text for item in header.all("dd")), strict=True)) == {
        "Pairs": "4",
        "Complete": "2",
        "Running": "1",
        "Failed": "1",
        "Objects": "300",
        "Objects failed": "10",
    }


def test_what_needs_a_look_comes_first() -> None:
    states = ["Complete", "Waiting", "Running", "Skipped", "Failed"]
    page = page_of([row(number, state) for number, state in enumerate(states)])
    assert [each[1].split("1")[0] for each in cells(page)] == states[::-1]


def test_a_row_tells_pair_scope_state_cause_counts_replica_and_age() -> None:
    page = page_of([row(1, "Failed", scope="prefix logs/")])
    assert cells(page) == [
        [
            "source-001→ replica-001prefix logs/",
            "Failed10 of 100 objects were not copied: SlowDown 10",
            "100",
            "10",
            "differs",
            "2 h",
        ]
    ]


def test_of_a_run_that_goes_on_no_counts_are_told() -> None:
    assert cells(page_of([row(1, "Running", total=0)]))[0][2:5] == ["–", "–", "–"]  # noqa: RUF001


def test_bars_are_drawn_to_the_largest_pair() -> None:
    page = page_of(
        [row(1, total=1000, succeeded=1000), row(2, "Failed", total=500, succeeded=400, failed=100)]
    )
    failed, complete = page.get("tbody").all("tr")
    widths = [
        [rect.attributes["width"] for rect in each.all("svg")[1].all("rect")] for each in (failed, complete)
    ]
    assert widths == [["400", "100"], ["1000"]]


def test_runs_that_ended_lead_to_their_pages_if_asked_whatever_they_are_called() -> None:
    rows = [row(1, run_id="a/../b c?#%é"), row(2, "Running", run_id="going")]
    links = [link.attributes["href"] for link in page_of(rows, links=True).get("tbody").all("a")]
    assert links == ["runs/a%2F..%2Fb%20c%3F%23%25%C3%A9/report.html"]
    assert page_of(rows).get("tbody").all("a") == []


def test_every_column_is_sorted_by_a_value_that_stands_in_its_cells() -> None:
    page = page_of([row(1, "Failed", total=1234567)])
    (told,) = page.get("tbody").all("tr")
    numbers = [
        cell.attributes["data-value"] for cell in told.all("td") if cell.attributes.get("class") == "number"
    ]
    assert numbers == ["1234567", "10", "7200"]


def test_the_policy_allows_this_style_and_this_script_and_nothing_else() -> None:
    page = page_of([row(1)])
    policy = page.get("meta", http_equiv="Content-Security-Policy").attributes["content"]

    def digest(name: str) -> str:
        return base64.b64encode(hashlib.sha256(page.get(name).text.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest('style')}'; script-src 'sha256-{digest('script')}'; "
        "base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("name", ["page.css", "fleet.js"])
def test_what_stands_in_the_page_loads_nothing_and_makes_no_markup(name: str) -> None:
    page = page_of([row(1)])
    text = page.get("style" if name.endswith("css") else "script").text
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval",
        "url(",
        "@import",
        "</",
    ):
        assert forbidden not in text


def test_five_hundred_pairs_that_failed_stay_under_a_megabyte() -> None:
    rows = [
        row(
            number,
            "Failed",
            source=f"{number:03}{'s' * 60}",
            destination=f"{number:03}{'d' * 60}",
            scope=f"prefix {'p' * 80}/",
            run_id=f"fleet-{number:03}{'r' * 70}",
            cause="12 of 836 objects were not copied: " + "because " * 100,
        )
        for number in range(500)
    ]
    assert len(render_fleet(rows, NOW, links=True).encode()) < 1_000_000

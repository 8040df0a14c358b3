"""The pages as Chromium shows them: on a phone, in the dark, by keyboard, on paper; no network, and no complaint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seeder.page import render_fleet, render_run
from tests.browser.chromium import ABSENT, Browser, Scheme, find
from tests.keys import TRAPS
from tests.unit.seeder.page.samples import MARKUP, NOW, record, row

PHONE, DESK = 360, 1100
LEAST_CONTRAST = 4.5
PIXELS = 2
TAB, ENTER = 9, 13
STATES = ("Failed", "Skipped", "Running", "Waiting", "Complete")
HOSTILE = [*MARKUP, *TRAPS, "W" * 1024, "\u05d0" * 300]
# Pictures of all pages are left where this names a folder.
PICTURES = os.environ.get("SEEDER_PICTURES", "")

CONTRASTS = Path(__file__).with_name("contrasts.js").read_text("utf-8")


def _hostile(name: str) -> dict[str, Any]:
    return {
        "code": "C" * 64,
        "count": 3,
        "example_key": name,
        "message": name,
        "kind": "person",
        "advice": name,
    }


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    many = [
        row(number, STATES[number % 5], scope="prefix logs/" if number % 7 else "") for number in range(500)
    ]
    hostile = [
        row(number, STATES[number % 5], source=name, destination=name, scope=name, cause=name, run_id=name)
        for number, name in enumerate(HOSTILE)
    ]
    texts = {
        "run": render_run(record(), "state"),
        "complete": render_run(
            record(
                state="Complete",
                cause="",
                error="",
                failures=[],
                replica="equal",
                verification={"equal": 836},
            )
        ),
        "hostile-run": render_run(
            record(
                run_id=MARKUP[0],
                source="W" * 63,
                destination="W" * 63,
                cause=" ".join(HOSTILE)[:3000],
                failures=[_hostile(name) for name in HOSTILE],
                request={"prefix": "W" * 1024, "tags": {name: name for name in HOSTILE}},
                failure_files=["s3://" + "W" * 900],
                total=10**15,
                succeeded=10**15,
                failed=10**15,
                census={"prefixes": {name: [10**15, 10**18] for name in HOSTILE}},
                stages=dict.fromkeys(HOSTILE, 10.0**9),
            ),
            "W" * 63,
        ),
        "fleet": render_fleet(
            [row(number, state) for number, state in enumerate(STATES * 2)], NOW, links=True
        ),
        "many": render_fleet(many, NOW, name="seeder", links=True),
        "hostile-fleet": render_fleet(hostile, NOW, name=MARKUP[0], links=True),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = find()
    if program is None:
        pytest.fail(ABSENT, pytrace=False)
    with Browser(program) as browser:
        yield browser


NAMES = ["run", "complete", "hostile-run", "fleet", "many", "hostile-fleet"]


# ── each page, in each scheme, narrow and wide ──


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_asks_for_nothing_and_can_be_read(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: Scheme
) -> None:
    with browser.page(pages[name], width, scheme) as page:
        if PICTURES and not name.startswith("many"):
            page.screenshot(Path(PICTURES) / f"{name}-{width}-{scheme}.png")
        assert page.run("document.documentElement.scrollWidth") <= width
        assert page.run(
            "[...document.querySelectorAll('section')].every(s => s.scrollWidth <= s.clientWidth + 1)"
        )
        faint = [told for told in page.run(CONTRASTS) if told["contrast"] < LEAST_CONTRAST]
        assert faint == []
        assert page.requests() == [pages[name].as_uri()]
        assert page.complaints() == []


@pytest.mark.parametrize("name", ["run", "fleet"])
def test_the_schemes_differ(browser: Browser, pages: dict[str, Path], name: str) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        with browser.page(pages[name], scheme="dark" if scheme == "dark" else "light") as page:
            grounds.add(page.run("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_bars_are_drawn_as_long_as_they_say(browser: Browser, pages: dict[str, Path]) -> None:
    script = """[...document.querySelectorAll('#classes ~ table tbody tr')].map(row => {
        const bar = row.querySelector('svg.bar').getBoundingClientRect();
        const part = row.querySelector('svg.bar rect').getBoundingClientRect();
        return [bar.left, bar.width, part.width];
    })"""
    with browser.page(pages["run"]) as page:
        found = page.run(script)
    lefts, widths, drawn = zip(*found, strict=True)
    assert len(set(lefts)) == len(set(widths)) == 1, "bars of a column begin and end together"
    assert min(widths) > 100
    assert drawn[0] == pytest.approx(widths[0], abs=PIXELS)
    assert drawn[1] == pytest.approx(widths[0] * 36 / 800, abs=PIXELS)


def test_a_state_is_told_by_shape_and_word_and_not_by_colour_alone(
    browser: Browser, pages: dict[str, Path]
) -> None:
    script = """[...document.querySelectorAll('tbody .state')].map(
        state => [state.textContent, document.querySelector(state.querySelector('use').href.baseVal).innerHTML])"""
    with browser.page(pages["fleet"]) as page:
        found = {tuple(item) for item in page.run(script)}
    assert {word for word, _ in found} == set(STATES)
    assert len({shape for _, shape in found}) == len(STATES)


# ── the fleet's script ──


def order(page: Any) -> list[str]:
    shown = "[...document.querySelectorAll('tbody tr')].filter(row => !row.hidden).map(row => row.cells[0].textContent)"
    return [str(text)[7:10] for text in page.run(shown)]


def test_a_click_on_a_heading_sorts_and_another_turns_it(browser: Browser, tmp_path: Path) -> None:
    rows = [row(number, total=total) for number, total in enumerate([5, 1000, 20])]
    path = tmp_path / "fleet.html"
    path.write_text(render_fleet(rows, NOW), "utf-8")
    heading = "document.querySelectorAll('thead th')[2]"
    with browser.page(path) as page:
        assert order(page) == ["000", "001", "002"]
        page.click(f"{heading}.querySelector('button')")
        assert order(page) == ["001", "002", "000"]
        assert page.run(f"{heading}.getAttribute('aria-sort')") == "descending"
        page.click(f"{heading}.querySelector('button')")
        assert order(page) == ["000", "002", "001"]
        assert page.run(f"{heading}.getAttribute('aria-sort')") == "ascending"
        assert page.run("document.querySelectorAll('[aria-sort]').length") == 1
        assert page.complaints() == []


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_keyboard_alone_skips_filters_and_sorts(
    browser: Browser, pages: dict[str, Path], width: int
) -> None:
    focus = "document.activeElement.textContent || document.activeElement.id"
    with browser.page(pages["fleet"], width) as page:
        page.press("Tab", TAB)
        assert page.run(focus) == "Skip to the content"
        page.press("Tab", TAB)
        assert page.run(focus) == "search"
        page.type("fail")
        assert page.run("document.getElementById('said').textContent") == "2 of 10 pairs"
        assert order(page) == ["000", "005"]
        page.press("Tab", TAB)
        assert page.run(focus) == "Pair"
        assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.press("Enter", ENTER, "\r")
        page.press("Enter", ENTER, "\r")
        assert order(page) == ["005", "000"]


def test_the_filter_takes_several_words_and_gives_all_back(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.page(pages["fleet"]) as page:
        page.run("document.getElementById('search').focus()")
        page.type("SKIPPED 006")
        assert order(page) == ["006"]
        page.run("document.execCommand('selectAll')")
        page.press("Backspace", 8)
        assert len(order(page)) == 10
        assert page.run("document.getElementById('said').textContent") == ""


def test_without_script_the_page_is_whole_and_offers_nothing_that_does_not_work(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with browser.page(pages["fleet"], PHONE, scripts=False) as page:
        assert len(order(page)) == 10
        assert page.run("document.querySelectorAll('button').length") == 0
        assert page.run("document.getElementById('search').checkVisibility()") is False


# ── heard, and on paper ──


def test_tables_stay_tables_to_those_who_listen_on_a_phone_too(
    browser: Browser, pages: dict[str, Path]
) -> None:
    for name in ("run", "fleet"):
        told = []
        for width in (PHONE, DESK):
            with browser.page(pages[name], width) as page:
                nodes = page.call("Accessibility.getFullAXTree")["nodes"]
            roles = [node.get("role", {}).get("value") for node in nodes if not node["ignored"]]
            told.append({role: roles.count(role) for role in ("table", "row", "rowheader", "columnheader")})
            assert {"banner", "main", "contentinfo"} <= set(roles)
        assert told[0] == told[1]
        assert all(told[0].values())


def test_on_paper_there_are_no_controls_and_the_ground_is_white(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with browser.page(pages["fleet"], 720, "dark", media="print") as page:
        assert page.run("document.getElementById('search').checkVisibility()") is False
        assert page.run("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from seeder_cli.graph import PAGE, graph_of, with_graphs

ROOT = Path(__file__).parents[3]


def test_the_page_of_the_architecture_is_up_to_date() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    assert with_graphs(page, ROOT) == page, "run make docs"
    assert page.count("```mermaid") == 2


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="has no lines"):
        with_graphs("text", ROOT)


def test_each_kind_of_state_has_its_shape_and_each_way_its_arrow() -> None:
    machine: dict[str, Any] = {
        "StartAt": "Look",
        "States": {
            "Look": {
                "Type": "Task",
                "Next": "Which",
                "Catch": [{"ErrorEquals": ["A.Busy"], "Next": "Pause"}],
            },
            "Which": {
                "Type": "Choice",
                "Choices": [{"Comment": "all is there", "Next": "Good"}],
                "Default": "Each",
            },
            "Pause": {"Type": "Wait", "Next": "Look"},
            "Each": {
                "Type": "Map",
                "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Task", "End": True}}},
                "Next": "Good",
            },
            "Good": {"Type": "Succeed"},
        },
    }
    assert graph_of(machine).splitlines() == [
        "flowchart TD",
        "  start((start)) --> Look",
        "  Look --> Which{Which}",
        "  Look -. Busy .-> Pause([Pause])",
        '  Which -- "all is there" --> Good(((Good)))',
        "  Which -- otherwise --> Each",
        "  Pause --> Look",
        '  subgraph Each["Each: for each item"]',
        "    One",
        "  end",
        "  Each --> Good(((Good)))",
    ]


@pytest.mark.parametrize("name", ["seed", "fleet"])
def test_every_state_is_in_the_graph(name: str) -> None:
    machine = yaml_parse((ROOT / f"statemachine/{name}.asl.yaml").read_text("utf-8"))
    graph = graph_of(machine)
    words = set(graph.replace("(", " ").replace("{", " ").replace("[", " ").split())
    assert set(machine["States"]) <= words


def test_what_most_tasks_catch_to_is_drawn_once() -> None:
    task = {"Type": "Task", "Next": "End", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failure"}]}
    states = dict.fromkeys("ABC", task) | {"End": {"Type": "Succeed"}, "Failure": {"Type": "Fail"}}
    graph = graph_of({"StartAt": "A", "States": states})
    assert graph.count("Failure") == 3
    assert '"any of 3 tasks"] -. error .-> Failure(((Failure)))' in graph

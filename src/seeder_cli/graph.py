"""The graphs of docs/architecture.md: the state machines of statemachine/ as Mermaid flowcharts, which GitHub draws.

`make docs` writes them; a test tells when they are not up to date.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

PAGE = "docs/architecture.md"
# A target that so many tasks catch to is drawn once for all of them.
FEW = 2
_GRAPH = re.compile(
    r"(<!-- graph of (\w+): made by `make docs` -->\n)(.*?)(<!-- end of graph -->)", re.DOTALL
)
_SHAPES = {"Choice": "{name}{{{name}}}", "Wait": "{name}([{name}])"}
_SHAPES |= dict.fromkeys(("Succeed", "Fail"), "{name}((({name})))")

State = dict[str, Any]


def page() -> str:
    """Return docs/architecture.md with its graphs as the state machines are now."""
    root = Path(__file__).parents[2]
    return with_graphs((root / PAGE).read_text("utf-8"), root)


def with_graphs(page: str, root: Path) -> str:
    """Return a text with the graph between each pair of marks anew. Raises ValueError where it has no marks."""

    def drawn(match: re.Match[str]) -> str:
        machine = yaml_parse((root / f"statemachine/{match[2]}.asl.yaml").read_text("utf-8"))
        return f"{match[1]}```mermaid\n{graph_of(machine)}```\n{match[4]}"

    page, count = _GRAPH.subn(drawn, page)
    if not count:
        raise ValueError(f"{PAGE} has no lines '<!-- graph of seed: made by `make docs` -->' and so on")
    return page


def graph_of(machine: dict[str, Any]) -> str:
    """Return a state machine, `{"StartAt", "States"}`, as the text of a Mermaid flowchart.

    Choices are labelled by their comments; what follows errors is dotted, and drawn once where most tasks do the same.
    """
    first = _drawn(machine["StartAt"], machine["States"])
    return (
        "\n".join(["flowchart TD", f"  start((start)) --> {first}", *_lines(machine["States"], "  ")]) + "\n"
    )


def _lines(states: dict[str, State], indent: str) -> Iterator[str]:
    shared = _shared(states)
    for name, state in states.items():
        if state["Type"] == "Map":
            yield f'{indent}subgraph {name}["{name}: for each item"]'
            inner = state["ItemProcessor"]
            yield f"{indent}  {_drawn(inner['StartAt'], inner['States'])}"
            yield from _lines(inner["States"], f"{indent}  ")
            yield f"{indent}end"
        for arrow, target in _edges(state, shared):
            yield f"{indent}{name} {arrow} {_drawn(target, states)}"
    for target, count in shared.items():
        yield f'{indent}each{target}["any of {count} tasks"] -. error .-> {_drawn(target, states)}'


def _drawn(name: str, states: dict[str, State]) -> str:
    """Return a state's name with its shape; a rectangle needs none, and a Map is drawn with its states."""
    return _SHAPES.get(states[name]["Type"], "{name}").format(name=name)


def _edges(state: State, shared: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the arrows that leave a state, each with its target."""
    for choice in state.get("Choices", ()):
        yield f'-- "{choice["Comment"]}" -->', choice["Next"]
    if "Default" in state:
        yield "-- otherwise -->", state["Default"]
    if "Next" in state:
        yield "-->", state["Next"]
    for target, error in _caught(state).items():
        if target not in shared and target != state.get("Next"):
            yield f"-. {error} .->", target


def _shared(states: dict[str, State]) -> dict[str, int]:
    """Return the targets that many states catch to, with their number."""
    counts = Counter(target for state in states.values() for target in _caught(state))
    return {target: count for target, count in counts.items() if count > FEW}


def _caught(state: State) -> dict[str, str]:
    """Return the targets of a state's errors, each with the error's name, or "error" where it is any."""
    return {
        catcher["Next"]: "error" if name.startswith("States.") else name.rpartition(".")[2]
        for catcher in state.get("Catch", ())
        for name in catcher["ErrorEquals"]
    }

"""Scenes drawn from their seeds."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from tests.chaos.kinds import (
    CALLS_OF,
    CONDITIONS,
    DENIED,
    INTERPRETED,
    KINDS,
    LASTING,
    NOT_INTERPRETED,
    OF_FLEETS,
    PREFIX,
    SWAPPING,
    TRIGGERS,
    WRITING,
)
from tests.chaos.scene import Item, Scene
from tests.chaos.strikes import CALLS, DEATHS, INVOCATIONS, Strike
from tests.keys import TRAPS


def draw(seed: int) -> Scene:
    """Draw the scene of a seed."""
    luck = random.Random(seed)  # noqa: S311
    through_step_functions = seed % INTERPRETED == 0
    trigger = (
        "by hand" if through_step_functions else luck.choices([*TRIGGERS], weights=[*TRIGGERS.values()])[0]
    )
    operation = "replicate" if trigger == "a rule is added" else luck.choice(["copy", "replicate", "auto"])
    enables = operation != "copy" and trigger == "by hand" and luck.random() < 0.35
    has_rule = (operation == "replicate" and not enables) or (operation == "auto" and luck.random() < 0.5)
    request = _request(luck, operation, enables, trigger)
    items = _items(luck, operation, has_rule or enables, request)
    kinds = _kinds(luck, trigger)
    if through_step_functions:
        kinds = [kind for kind in kinds if not any(one in kind for one in NOT_INTERPRETED)]
    functions = _functions(trigger, items)
    strikes = _strikes(luck, functions, kinds)
    overlaps = [luck.choice(["wait", "wait", "skip", "fail"]) for _ in range(luck.choice([2, 2, 3]))]
    if "job suspended" in " ".join(kinds):
        request["confirm"] = True
    return Scene(
        seed=seed,
        trigger=trigger,
        operation=operation,
        items=items,
        request=request,
        strikes=strikes,
        kinds=kinds,
        through_step_functions=through_step_functions,
        has_rule=has_rule,
        overlaps=overlaps if trigger == "overlapping runs" else [],
    )


def _request(luck: random.Random, operation: str, enables: bool, trigger: str) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if trigger == "a rule is added":
        return asked
    if operation != "auto":
        asked["operation"] = operation
    if enables:
        asked["enable_replication"] = True
    if luck.random() < 0.3:
        asked["resync"] = True
    if luck.random() < 0.15:
        asked["prefix"] = PREFIX
    if luck.random() < 0.25:
        asked["restore"] = True
    if luck.random() < 0.3:
        asked["rounds"] = luck.choice([2, 4])
    for field_name in ("manifest_location", "report_location"):
        if luck.random() < 0.12:
            asked[field_name] = luck.choice(["source", "destination"])
    return asked


def _items(luck: random.Random, operation: str, replicates: bool, request: dict[str, Any]) -> list[Item]:
    count = luck.choice([0, 1, 3, 5, 5, 8, 12])
    keys = luck.sample([key for key in TRAPS if key != DENIED], count)
    keys = [f"{PREFIX}{key}" if luck.random() < 0.25 and len(key) < 512 else key for key in keys]
    kept = ["STANDARD"] * 12 + ["STANDARD_IA"] + (["GLACIER"] * 4 if luck.random() < 0.12 else [])
    made = [
        Item(
            key,
            versions=luck.choice([1, 1, 1, 2, 3]),
            deleted=luck.random() < 0.1,
            storage_class=luck.choice(kept),
            tagged=luck.random() < 0.1,
            there=not replicates and luck.random() < 0.15,
        )
        for key in keys
    ]
    if count:
        made.append(Item(DENIED))
    if count and operation == "copy" and luck.random() < 0.12 and not request.get("prefix"):
        made.append(Item("large", large=True))
    return made


def _kinds(luck: random.Random, trigger: str) -> list[str]:
    """Draw none to five kinds, each once."""
    only = {
        "StartExecution throttled": trigger not in ("by hand", "overlapping runs"),
        "event delivered twice": trigger == "a rule is added",
        "events delivered late and out of order": trigger == "a rule is added",
    }
    possible = [kind for kind in KINDS if only.get(kind, True)]
    weights = [0.4 if kind in (LASTING, "job vanished", "report missing") else 1.0 for kind in possible]
    drawn = luck.choices(possible, weights=weights, k=luck.choice([0, 1, 2, 2, 3, 3, 4, 5]))
    if trigger == "a rule is added" and luck.random() < 0.5:
        drawn.append(luck.choice([kind for kind in CONDITIONS if kind.startswith("event")]))
    alone: set[str] = set()
    kept = []
    for kind in dict.fromkeys(drawn):
        group = (
            "suspended" if kind.startswith("job suspended") else "places" if "active job" in kind else kind
        )
        if group not in alone:
            kept.append(kind)
        alone.add(group)
    return kept


def _functions(trigger: str, items: list[Item]) -> list[str]:
    left_out = OF_FLEETS if trigger in ("by hand", "overlapping runs") else ()
    if not any(item.large for item in items):
        left_out = (*left_out, "CopyLargeObject")
    return [name for name in CALLS_OF if name not in left_out]


def _strikes(luck: random.Random, functions: list[str], kinds: list[str]) -> list[Strike]:
    strikes = [
        strike
        for kind in kinds
        if kind in DEATHS or kind in CALLS or kind in INVOCATIONS
        for strike in _some(luck, functions, kind)
    ]
    if LASTING in kinds:
        function = luck.choice([name for name in functions if name not in ("RecordFailure", "RecordFleet")])
        strikes.append(_one(luck, function, luck.choice([*DEATHS]), lasting=True))
    return strikes


def _some(luck: random.Random, functions: list[str], kind: str) -> list[Strike]:
    """Draw one to three strikes of a kind, at different functions that it can befall."""
    fit: tuple[str, ...] = (
        WRITING if kind.startswith("409") else SWAPPING if "412" in kind else tuple(CALLS_OF)
    )
    least = 1 if kind in CALLS else 0
    possible = [name for name in functions if name in fit and CALLS_OF[name] >= least]
    return [_one(luck, name, kind) for name in luck.sample(possible, luck.choice([1, 1, 2, 3]))]


def _one(luck: random.Random, function: str, kind: str, lasting: bool = False) -> Strike:
    first_that_fits = kind.startswith("409") or "412" in kind
    return Strike(
        kind=kind,
        function=function,
        invocation=1 if lasting else luck.choice([1, 1, 1, 1, 2, 3]),
        call=luck.choice([1, 1, 2]) if first_that_fits else luck.randint(1, CALLS_OF[function] + 1),
        times=luck.choice([1, 1, 1, 2, 6]),
        lasting=lasting,
    )


def counted(scene: Scene) -> Counter[str]:
    """Return how often each kind was drawn."""
    each = Counter(strike.kind for strike in scene.strikes if not strike.lasting)
    return each + Counter(kind for kind in scene.kinds if kind not in each)

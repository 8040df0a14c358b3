from __future__ import annotations

from seeder_cli.checks.finding import Finding
from seeder_cli.doctor import document, lines

FOUND = [
    Finding("Account", "credentials", "ok", "account 111122223333"),
    Finding("Trail", "trail", "miss", "no trail", "make one"),
    Finding("Account", "other", "unknown", "may not look"),
    Finding("Trail", "more", "warning", "some"),
]


def test_findings_stand_below_their_group_in_ascii() -> None:
    assert list(lines(FOUND, plain=True)) == [
        "Account",
        "  + credentials: account 111122223333",
        "  ? other: may not look",
        "",
        "Trail",
        "  x trail: no trail",
        "    -> make one",
        "  ! more: some",
        "",
        "1 ok, 1 missed, 1 warned of, 1 not seen",
    ]


def test_a_terminal_is_shown_signs_and_colours() -> None:
    shown = "\n".join(lines(FOUND, plain=False))
    assert all(sign in shown for sign in ("\x1b[32m✓\x1b[0m", "\x1b[31m✗\x1b[0m", "→ make one"))


def test_json_holds_all_that_is_shown() -> None:
    result = document(FOUND)
    assert result["summary"] == {"ok": 1, "miss": 1, "warning": 1, "unknown": 1}
    assert result["checks"] == [
        {
            "group": item.group,
            "name": item.name,
            "outcome": item.outcome,
            "found": item.found,
            "todo": item.todo,
        }
        for item in FOUND
    ]

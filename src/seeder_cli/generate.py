"""What is made from the code: JSON Schema, page, sample and README's table of a request; pages of commands and library.

`make docs` writes them; a test tells when they are not up to date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seeder.request import schema
from seeder.request.schema import Field
from seeder_cli import api_page, commands_page, graph
from seeder_cli.options import option_name

BEGIN, END = "<!-- fields of a request: made by `make docs` -->", "<!-- end of fields -->"
SOURCE, DESTINATION = "foghorn1.bucket", "foghorn2.bucket"

EXAMPLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("The smallest there is:", {}),
    (
        "Add a rule for the logs first, with replicas in a cheaper class and under a key of their own:",
        {
            "prefix": "logs/",
            "enable_replication": True,
            "replica_storage_class": "STANDARD_IA",
            "replica_kms_key": "arn:aws:kms:eu-west-1:111122223333:key/12345678-90ab-cdef-1234-567890abcdef",
        },
    ),
    (
        "Add a rule to a bucket of another account, which shall own its replicas:",
        {"enable_replication": True, "replica_owner": "destination", "destination_account": "111122223333"},
    ),
    (
        "Copy what was written in January, of a few kinds only, if it does not cost more than 20 USD:",
        {
            "operation": "copy",
            "suffix": ".parquet",
            "created_after": "2026-01-01T00:00:00Z",
            "created_before": "2026-02-01T00:00:00Z",
            "storage_classes": ["STANDARD", "INTELLIGENT_TIERING"],
            "max_cost_usd": 20,
        },
    ),
    (
        "Compare both buckets and seed only what the replica lacks, after a run that may be going on:",
        {"resync": True, "overlap": "wait"},
    ),
    (
        "Seed what is tagged so, with a role of your own:",
        {
            "tags": {"team": "finance"},
            "job_role_arn": "arn:aws:iam::111122223333:role/my-jobs",
        },
    ),
)

_INTRODUCTION = """\
# What a run can be asked

<!-- Made by `make docs` from src/seeder/request/. -->

The input of the state machine `seed`, as one JSON object. `source` and `destination` are required; everything else has
a default, an unknown field is refused. Each of the `pairs` of `fleet` is the same object, and `seeder run SRC DST` has
an option for every field: `restore_days` is `--restore-days`, `confirm` is `--confirm` (or `--no-confirm`), and lists
are given by repetition: `--storage-class STANDARD --storage-class STANDARD_IA --tag team=finance`.

[`schema/request.schema.json`](../schema/request.schema.json) is the same as JSON Schema, for an editor or a pipeline;
[`events/manual-all-options.json`](../events/manual-all-options.json) has every field at its default, to be pasted into
the Step Functions console.
"""

_ENDING = """\
`trigger` and `rule_id` are set by `fleet`, and say what asked for the run: somebody, a rule that was added, or the
schedule.
"""


def main() -> None:
    """Write what is made into the checkout."""
    root = Path(__file__).parents[2]
    for name, text in made((root / "README.md").read_text("utf-8")).items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, "utf-8")


def made(readme: str) -> dict[str, str]:
    """Return each file that is made, by its path in the checkout; of the README, its table is."""
    return {
        "schema/request.schema.json": _json(schema.document()),
        "events/manual-all-options.json": _json(schema.defaults(SOURCE, DESTINATION)),
        graph.PAGE: graph.page(),
        "docs/api.md": "\n".join(api_page.page()),
        "docs/commands.md": "\n".join(commands_page.page()),
        "docs/request.md": "\n".join(page()),
        "README.md": with_table(readme),
    }


def with_table(readme: str) -> str:
    """Return README with its table of fields anew. Raises ValueError where the marks that enclose it are missing."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md has no lines '{BEGIN}' and '{END}' around its table of fields")
    return "".join([before, begin, "\n", *(f"{line}\n" for line in short_table()), end, after])


def short_table() -> Iterator[str]:
    """Yield the lines of a table of all fields, a group a line."""
    yield "| | fields | |"
    yield "|---|---|---|"
    for group in schema.GROUPS:
        yield f"| {group.title} | {', '.join(f'`{name}`' for name in group.fields)} | {group.about} |"


def page() -> Iterator[str]:
    """Yield the parts of docs/request.md."""
    fields = schema.fields()
    yield _INTRODUCTION
    for group in schema.GROUPS:
        yield f"## {group.title}\n\n{group.about}\n"
        yield "| field | type | default | |\n|---|---|---|---|"
        yield from (_row(fields[name]) for name in group.fields)
        yield ""
    yield _ENDING
    yield "## Examples\n"
    pair = {"source": "my-bucket", "destination": "my-replica"}
    for title, given in EXAMPLES:
        yield f"{title}\n\n```json\n{json.dumps(pair | given, indent=2)}\n```\n\n```\n{command_line(given)}\n```\n"


def command_line(given: dict[str, Any]) -> str:
    """Return the call of `seeder run` that asks for the same."""
    words = ["seeder run my-bucket my-replica"]
    fields = schema.fields()
    for name, value in given.items():
        option = option_name(fields[name])
        if value is True:
            words.append(option)
        elif isinstance(value, dict):
            words += [f"{option} {key}={text}" for key, text in value.items()]
        else:
            words += [f"{option} {item}" for item in (value if isinstance(value, list) else [value])]
    return " \\\n  ".join(words) if len(words) > 4 else " ".join(words)


def _row(field: Field) -> str:
    default = "required" if field.required else f"`{json.dumps(field.default)}`"
    example = field.example if isinstance(field.example, str) else json.dumps(field.example)
    told = field.description + ("" if field.example is None else f" Such as `{example}`.")
    return f"| `{field.name}` | {_type(field)} | {default} | {told} |"


def _type(field: Field) -> str:
    choices = ", ".join(f"`{choice}`" for choice in field.choices)
    if field.choices:
        return f"list of {choices}" if field.kind == "list" else f"one of {choices}"
    name = {
        "flag": "`true` or `false`",
        "integer": "whole number",
        "list": "list of texts",
        "map": "object of texts",
        "number": "number",
        "text": "text",
    }[field.kind]
    bounds = (("from", field.minimum), ("to", field.maximum))
    return " ".join([name, *(f"{word} {bound}" for word, bound in bounds if bound is not None)])


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()

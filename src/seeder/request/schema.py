"""The schema of a request, made from `seeder.request.Request`: as JSON Schema, and field by field for people.

The dialect is JSON Schema 2020-12. What the model accepts the schema accepts; what it says beyond the schema (times
that are none, fields that exclude each other) is checked by `parse_request` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic.json_schema import GenerateJsonSchema

from seeder.request import Request

Kind = Literal["text", "number", "integer", "flag", "list", "map"]
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_KINDS: dict[str, Kind] = {
    "string": "text",
    "number": "number",
    "integer": "integer",
    "boolean": "flag",
    "array": "list",
    "object": "map",
}


@dataclass(frozen=True)
class Group:
    """Fields that belong together: `fields` are their names, in the order of the model."""

    title: str
    about: str
    fields: tuple[str, ...]


GROUPS = (
    Group(
        "What to seed",
        "The two buckets, and which objects of the source; without filters, all of them.",
        (
            "source",
            "destination",
            "prefix",
            "suffix",
            "created_after",
            "created_before",
            "size_at_least",
            "size_at_most",
            "storage_classes",
            "tags",
            "inventory",
        ),
    ),
    Group(
        "How",
        "By copies or by the pair's replication rule, all or only what the replica lacks, archived objects too or not.",
        ("operation", "resync", "overlap", "restore", "restore_days", "restore_tier"),
    ),
    Group(
        "Replication rule",
        "Whether a rule is added before anything is listed, and what it says.",
        (
            "enable_replication",
            "replicate_delete_markers",
            "replica_storage_class",
            "replica_kms_key",
            "replication_time_control",
            "replica_owner",
            "destination_account",
        ),
    ),
    Group(
        "Jobs",
        "How the jobs of S3 Batch Operations are run, and where their manifests and reports stand.",
        ("rounds", "priority", "confirm", "manifest_location", "report_location"),
    ),
    Group(
        "Roles",
        "Roles of your own, instead of those made for the pair.",
        ("job_role_arn", "replication_role_arn"),
    ),
    Group("Cost", "What the run may cost at most.", ("max_cost_usd",)),
)


@dataclass(frozen=True)
class Field:
    """A field of the request. `choices` are the values it (or an item of its list) may have; empty: any of its kind.

    `minimum` and `maximum` are of a number, and None where there is no bound. `default` and `example` are as in JSON;
    the example is None where the choices or the kind say enough.
    """

    name: str
    kind: Kind
    default: Any
    description: str
    required: bool
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    example: Any
    internal: bool


class _WithoutTitles(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document() -> dict[str, Any]:
    """Return the JSON Schema of a request."""
    made = Request.model_json_schema(schema_generator=_WithoutTitles)
    made |= {
        "title": "A run of seeder",
        "description": "What one run is asked: a pair of buckets, and how to seed it.",
    }
    return {"$schema": DIALECT, **{name: made[name] for name in ("title", "description")}, **made}


def fields() -> dict[str, Field]:
    """Return all fields by name, in the order of the model."""
    schema = document()
    return {name: _field(name, member, schema["required"]) for name, member in schema["properties"].items()}


def defaults(source: str, destination: str) -> dict[str, Any]:
    """Return a request with every field that a person may give, each at its default."""
    given = {field.name: field.default for field in fields().values() if not field.internal}
    return given | {"source": source, "destination": destination}


def _field(name: str, member: dict[str, Any], required: list[str]) -> Field:
    # What may be left out is the type itself, or null.
    said = member.get("anyOf", [member])[0]
    return Field(
        name=name,
        kind=_KINDS[said["type"]],
        default=member.get("default"),
        description=member["description"],
        required=name in required,
        choices=tuple(said.get("enum") or said.get("items", {}).get("enum", ())),
        minimum=said.get("minimum"),
        maximum=said.get("maximum"),
        example=member.get("examples", [None])[0],
        internal=member.get("x-internal", False),
    )

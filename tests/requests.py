"""Requests that are taken, drawn field by field."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from seeder.request import schema
from seeder.request.schema import Field
from tests.keys import any_key

PAIR = {"source": "my-bucket", "destination": "my-replica"}

_moments = st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='seconds')}Z")
_parts = any_key.filter(lambda key: len(key.encode()) <= 1024)
_TEXTS: dict[str, st.SearchStrategy[Any]] = {
    "prefix": _parts,
    "suffix": _parts,
    "created_after": _moments,
    "created_before": _moments,
}
_NUMBERS = {"size_at_least": 2**40, "size_at_most": 2**50, "max_cost_usd": 10**6}


def _values(field: Field) -> st.SearchStrategy[Any]:
    if field.name in _TEXTS:
        return _TEXTS[field.name]
    if field.kind == "flag":
        return st.booleans()
    if field.kind == "map":
        texts = st.text(st.characters(codec="utf-8"), max_size=8)
        return st.dictionaries(
            texts.filter(lambda key: bool(key) and "=" not in key), texts, min_size=1, max_size=3
        )
    if field.kind in ("integer", "number"):
        least, most = int(field.minimum or 0), int(field.maximum or _NUMBERS[field.name])
        return st.floats(least, most) if field.kind == "number" else st.integers(least, most)
    choices = st.sampled_from(field.choices) if field.choices else st.just(field.example)
    return st.lists(choices, min_size=1, max_size=3) if field.kind == "list" else choices


def _agreeing(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what does not go together with the rest."""
    fields = fields | ({"enable_replication": True} if fields.keys() & set(_RULE) else {})
    if fields.get("enable_replication"):
        fields.pop("operation", None)
    if fields.get("resync"):
        fields.pop("inventory", None)
    for least, most in (("created_after", "created_before"), ("size_at_least", "size_at_most")):
        if least in fields and most in fields and fields[least] >= fields[most]:
            del fields[most]
    return fields


_RULE = schema.GROUPS[2].fields
given = {
    name: _values(field) for name, field in schema.fields().items() if not (field.internal or field.required)
}
wholes = st.fixed_dictionaries({}, optional=given).map(lambda fields: PAIR | _agreeing(fields))

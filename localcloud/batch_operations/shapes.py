"""Values checked against botocore's shapes: required members, lengths, ranges, enums, patterns."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG_PUNCTUATION = "_.:/=+-@"


@lru_cache(maxsize=1)
def model() -> Any:
    """Return botocore's s3control model."""
    return botocore.session.Session().get_service_model("s3control")


def is_modelled(code: str) -> bool:
    """Return whether the model knows an error of this code."""
    return any(shape.name == code for shape in model().error_shapes)


def problems(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Yield what is wrong with a parsed value, worded as AWS words it, one sentence each."""
    if isinstance(shape, StructureShape):
        yield from _structure(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _size(shape, len(value), path, "length")
        for place, item in enumerate(value):
            yield from problems(shape.member, item, f"{path}[{place}]")
    elif isinstance(shape, MapShape):
        yield from _size(shape, len(value), path, "length")
        for key, item in value.items():
            yield from problems(shape.key, key, f"{path} key")
            yield from problems(shape.value, item, f"{path}.{key}")
    elif shape.type_name in ("integer", "long"):
        yield from _size(shape, value, path, "value")
    elif shape.type_name == "string":
        yield from _string(shape, value, path)


def _structure(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in value.items():
        if member is not None:
            yield from problems(shape.members[name], member, _join(path, name))


def _string(shape: Shape, value: str, path: str) -> Iterator[str]:
    yield from _size(shape, len(value), path, "length")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(allowed)}]"
        )
    pattern = shape.metadata.get("pattern")
    if pattern and not _fits(pattern, value):
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )


def _fits(pattern: str, value: str) -> bool:
    if r"\p{L}" in pattern:
        return all(unicodedata.category(char)[0] in "LZN" or char in _TAG_PUNCTUATION for char in value)
    return bool(re.fullmatch(pattern, value))


def _size(shape: Shape, size: int, path: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    for word, limit, broken in (
        ("greater", least, least is not None and size < least),
        ("less", most, most is not None and size > most),
    ):
        if broken:
            yield (
                f"Value at '{path}' failed to satisfy constraint: "
                f"Member must have {what} {word} than or equal to {limit}"
            )


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

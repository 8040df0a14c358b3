"""The shapes of what a lake keeps in its registries and lists, as `seeder.lake.changelog` writes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from seeder.documents import parsed, problem_of
from seeder.errors import UnexpectedAnswer


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _File(_Shape):
    key: str
    size: int = Field(ge=0)
    etag: str
    records: int = Field(ge=0)
    schema_version: int
    partition: dict[str, str]


class _Change(_Shape):
    revision: int = Field(ge=1)
    at: str
    added: _File | None = None
    removed: _File | None = None

    @model_validator(mode="after")
    def _is_one(self) -> _Change:
        if (self.added is None) == (self.removed is None):
            raise ValueError("a change adds a file or removes one")
        return self


class _Pointer(_Shape):
    id: str = Field(alias="list", pattern="^[0-9a-f]{32}$")
    level: int = Field(ge=0)
    first: int
    last: int


class _Dataset(_Shape):
    partition_names: list[str]
    files: int
    records: int
    bytes: int
    schema_version: int
    updated_at: str
    lists: list[_Pointer]
    recent: list[_Change]


class Body(_Shape):
    """The body of a registry: of all datasets, of one, or the root of a lake that is split."""

    schema_version: int = 1
    revision: int = Field(default=0, ge=0)
    updated_at: str = ""
    datasets: dict[str, _Dataset] = Field(default={})
    registries: dict[str, str] = Field(default={})


_LIST: TypeAdapter[Any] = TypeAdapter(list[_Pointer] | list[_Change])


def read_list(url: str, data: bytes) -> list[Any]:
    """Return the list that stands at `url`. Raises UnexpectedAnswer where that is none."""
    problem = f"{url} is no list of changes; restore it, the registry leads to it"
    try:
        items: list[Any] = parsed(data)
        _LIST.validate_python(items)
    except ValidationError as error:
        raise UnexpectedAnswer(f"{problem_of(error)}: {problem}") from error
    except ValueError as error:
        raise UnexpectedAnswer(f"{error}: {problem}") from error
    return items

"""Versions of a registry's body, declared by its caller: older ones are migrated, newer ones refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from seeder.documents import problem_of, shown
from seeder.errors import InvalidRequest

MEMBER = "schema_version"
"""The member of a body that holds its version; a body without one has version 1."""

Body = dict[str, Any]


def _accept(body: Body) -> None:
    """Accept any body."""


def _trust(url: str, body: Body) -> None:
    """Take any body that stands at `url`."""


@dataclass(frozen=True)
class Schema:
    """The version of the body that a caller writes, counted from 1; 0 where bodies have none.

    `migrations[n]` returns the body of version n + 1 for one of version n. `validate` raises, as its caller wishes, for
    a body that must not be written; the registry is then left as it was. `check` raises, given where it stands, for a
    body that was read, and migrated, and is none of this version.
    """

    version: int = 0
    migrations: Mapping[int, Callable[[Body], Body]] = field(default_factory=dict)
    validate: Callable[[Body], None] = _accept
    check: Callable[[str, Body], None] = _trust

    def migrated(self, url: str, body: Body) -> Body:
        """Return the body in this version.

        Raises InvalidRequest for a newer one, or where a migration lacks, and what `check` raises.
        """
        body = self._migrated(url, body) if self.version else body
        self.check(url, body)
        return body

    def _migrated(self, url: str, body: Body) -> Body:
        version = body.get(MEMBER, 1)
        if type(version) is not int or not 0 < version <= self.version:
            raise InvalidRequest(
                MEMBER,
                f"{url} has version {shown(version)}, and this writer knows up to {self.version}; upgrade it",
            )
        while version < self.version:
            if version not in self.migrations:
                raise InvalidRequest(
                    MEMBER,
                    f"{url} has version {version}, from which nothing migrates; give migrations[{version}]",
                )
            body = self.migrations[version](body)
            version += 1
        return {**body, MEMBER: version}

    def checked(self, body: Body) -> Body:
        """Return the body with its version. Raises what `validate` raises."""
        if not self.version or not isinstance(body, dict):
            return body
        self.validate(body)
        return {**body, MEMBER: self.version}


def shaped(model: type[BaseModel]) -> Callable[[str, Body], None]:
    """Return a `check` that raises InvalidRequest for a body which the model refuses."""

    def check(url: str, body: Body) -> None:
        try:
            model.model_validate(body)
        except ValidationError as error:
            told = f"{url} is not one of this release: {problem_of(error)}"
            raise InvalidRequest(
                "registry", f"{told}; upgrade s3-seeder, or restore its last good version"
            ) from error

    return check


ANY = Schema()
"""Bodies without versions."""

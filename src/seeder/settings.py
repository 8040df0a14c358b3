"""What a deployed function is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The typed environment of the functions; ARNs are empty where a function has no use for them."""

    state_bucket: str
    job_role_arn: str
    replication_role_arn: str
    copy_function_arn: str

    @property
    def copier(self) -> str:
        """How S3 tells that the function for large objects began an upload: its role's session has its name."""
        name = self.copy_function_arn.rpartition(":")[2]
        return f"/{name}" if name else ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables. Raises KeyError naming a required one that is missing."""
        values = os.environ if environment is None else environment
        return cls(
            state_bucket=values["STATE_BUCKET"],
            job_role_arn=values.get("JOB_ROLE_ARN", ""),
            replication_role_arn=values.get("REPLICATION_ROLE_ARN", ""),
            copy_function_arn=values.get("COPY_FUNCTION_ARN", ""),
        )

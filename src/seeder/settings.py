"""What a deployed function is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The typed environment of the functions; what a function has no use for is empty.

    `job_role_arn` and `replication_role_arn` are roles that the stack was given; where it was not, roles are made
    under `role_path`, with slashes at both ends, within the permissions boundary `boundary_arn`. `kms_key_id` is the
    id of the one KMS key that roles may use; "*" is all keys, "none" none.
    """

    state_bucket: str
    job_role_arn: str
    replication_role_arn: str
    copy_function_arn: str
    stack_name: str = ""
    role_path: str = ""
    boundary_arn: str = ""
    kms_key_id: str = "none"

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
            stack_name=values.get("STACK_NAME", ""),
            role_path=values.get("ROLE_PATH", ""),
            boundary_arn=values.get("BOUNDARY_ARN", ""),
            kms_key_id=values.get("KMS_KEY_ID", "none"),
        )

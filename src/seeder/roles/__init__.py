"""The roles that S3 takes on for a pair: their policies, and how they are made, found and removed."""

from seeder.roles.making import Roles, ensure, given_job_role, given_replication_role

__all__ = ["Roles", "ensure", "given_job_role", "given_replication_role"]

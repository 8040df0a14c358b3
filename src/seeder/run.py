"""One run: what it was asked, where its buckets are, and where its own objects stand."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from seeder.buckets import Bucket, describe, require_versioning
from seeder.clients import Clients
from seeder.request import Request, parse_request


class Run(BaseModel):
    """A resolved run; the first member of every state's document."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    started_at: str
    account_id: str
    request: Request
    source: Bucket
    destination: Bucket
    operation: Literal["copy"] = "copy"

    @property
    def job_region(self) -> str:
        """Where the job belongs: a copy job in the destination's region (S3 User Guide, "Copy objects")."""
        return self.destination.region

    @property
    def folder(self) -> str:
        """The run's prefix in the state bucket, with a slash at its end."""
        return f"runs/{self.run_id}/"

    @property
    def report_prefix(self) -> str:
        """Where S3 Batch Operations puts its reports; without a slash at the end, for S3 adds one."""
        return f"{self.folder}reports"


def resolve(document: object, run_id: str, started_at: str, account_id: str, clients: Clients) -> Run:
    """Check a request and its buckets, and return the run. Changes nothing.

    Raises InvalidRequest naming the field, AccessDenied, ClientError.
    """
    request = parse_request(document)
    source = describe(clients, "source", request.source)
    destination = describe(clients, "destination", request.destination)
    if request.trigger == "rule-added":
        require_versioning("source", source)
        require_versioning("destination", destination)
    return Run(
        run_id=run_id,
        started_at=started_at,
        account_id=account_id,
        request=request,
        source=source,
        destination=destination,
    )

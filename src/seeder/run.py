"""One run: what it was asked, where its buckets are, and where its own objects stand."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from seeder.buckets import Bucket
from seeder.request import Location, Request

Kind = Literal["copy", "replicate", "large", "restore"]
"""What a job of a run does: `large` copies objects over 5 GiB, `restore` begins the restoration of archived ones."""

FAILURES = "datasets/seeding_failures"


class Run(BaseModel):
    """A resolved run; the first member of every state's document. `state_bucket` is this application's own."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    started_at: str
    account_id: str
    request: Request
    source: Bucket
    destination: Bucket
    state_bucket: str
    operation: Literal["copy", "replicate"] = "copy"

    @property
    def folder(self) -> str:
        """The run's prefix in the state bucket, with a slash at its end."""
        return f"runs/{self.run_id}/"

    def failures_key(self, name: str) -> str:
        """Return where a file of failures stands in the state bucket."""
        year, month, day = self.started_at[:10].split("-")
        return f"{FAILURES}/year={year}/month={month}/day={day}/{self.run_id}-{name}.csv"

    @property
    def manifest_bucket(self) -> Bucket | None:
        """The bucket of the pair that holds the manifests; None where it is the state bucket."""
        return self._located(self.request.manifest_location)

    @property
    def report_bucket(self) -> Bucket | None:
        """The bucket of the pair that the reports are written to; None where it is the state bucket."""
        return self._located(self.request.report_location)

    def _located(self, location: Location) -> Bucket | None:
        return {"state": None, "source": self.source, "destination": self.destination}[location]

    @property
    def manifest_folder(self) -> str:
        """The prefix of the run's manifests in their bucket, with a slash at its end."""
        return f"seeder/{self.folder}" if self.manifest_bucket else self.folder

    @property
    def report_prefix(self) -> str:
        """Where S3 Batch Operations puts its reports; without a slash at the end, for S3 adds one."""
        return f"seeder/{self.folder}reports" if self.report_bucket else f"{self.folder}reports"

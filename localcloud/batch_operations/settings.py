"""What can be set, and every fact of AWS that no source confirms, one named field each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from localcloud.clock import Clock, ScaledClock
from localcloud.faults import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcloud.batch_operations.data_plane import DataPlane
    from localcloud.batch_operations.job_session import JobIdentity, JobSession


@dataclass(frozen=True)
class FailureCodes:
    """FailureCode of a failed job. Only `content` is confirmed; the texts beside them mostly are."""

    content: str = "InvalidManifestContent"
    manifest_forbidden: str = "AccessDenied"
    manifest_missing: str = "ManifestNotFound"
    manifest_changed: str = "ManifestETagMismatch"
    manifest_encrypted: str = "InvalidManifestEncryption"
    report_forbidden: str = "ReportNotWritable"
    generator_empty: str = "ManifestGenerationFoundNoKeys"
    generator_write: str = "ManifestGenerationFailed"
    generator_forbidden: str = "AccessDenied"
    role: str = "RoleNotAssumable"
    policy: str = "UnsupportedPolicy"
    region: str = "InvalidRegion"
    owner: str = "BucketOwnerMismatch"
    bucket_missing: str = "NoSuchBucket"
    failure_rate: str = "TaskFailureRateExceeded"
    suspended: str = "JobSuspendedTooLong"
    internal: str = "InternalError"


@dataclass
class Settings:
    """The service's inputs. Times are seconds of the injected clock."""

    clock: Clock = field(default_factory=ScaledClock)
    faults: list[Fault] = field(default_factory=list)
    active_jobs: int = 6
    """Jobs of one account that run at once (confirmed)."""
    beyond_active_jobs: Literal["wait", "refuse"] = "wait"
    """What becomes of further ones: they wait as Ready, or CreateJob answers TooManyRequestsException while as many
    jobs are neither suspended nor ended (unconfirmed which)."""
    emit: Callable[[dict[str, Any], str], None] | None = None
    """Gets each event and its region; None drops them."""
    replicate: Callable[[str, str, str | None], None] | None = None
    """Replicates (bucket, key, version id); None is `localcloud.replication.replicate_version`."""
    data_plane: DataPlane | None = None
    """What carries tasks out; None is S3 itself."""
    begin_session: Callable[[JobIdentity], JobSession] | None = None
    """Begins what a job reads, works and writes with; None assumes the job's role."""
    report_encryption: dict[str, str] = field(default_factory=lambda: {"ServerSideEncryption": "AES256"})
    """Parameters of PutObject for reports; S3 encrypts them so."""
    new_id: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))

    role_settling_seconds: float = 0.0
    """For how long jobs can't take on a role that was made or changed (unconfirmed: AWS says that it takes time)."""
    preparing_seconds: float = 0.0
    completing_seconds: float = 0.0
    tasks_per_second: float | None = None
    """Pace of one job; None is as fast as this machine."""
    task_attempts: int = 3
    """Tries of a task that S3 answers with 500, 503 or nothing (unconfirmed)."""
    retry_seconds: float = 0.1
    lambda_attempts: int = 3
    """How often a task is given to a function that answers TemporaryFailure (unconfirmed)."""
    lambda_batch: int = 1
    """Tasks in one invocation (unconfirmed; AWS's samples show one)."""

    failed_job_tasks: int = 1000
    """From this many tasks on, a job with too many failures fails (confirmed)."""
    failed_job_rate: float = 0.5
    suspended_days: int = 30
    retention_days: int = 90
    list_page: int = 1000
    """Page of ListJobs without MaxResults (unconfirmed)."""

    confirmation_when_absent: bool = False
    """ConfirmationRequired left out (unconfirmed: the API reference says false, the user guide true)."""
    invalid_request_code: str = "BadRequestException"
    """Code of a refused CreateJob, as modelled; on the wire it may be `InvalidRequest` (unconfirmed)."""
    missing_job_code: str = "NotFoundException"
    """As modelled; the troubleshooting page says NoSuchJobException (unconfirmed)."""
    suspended_cause: str = "AWAITING_CONFIRMATION"
    cancellable: frozenset[str] = frozenset(
        ("New", "Preparing", "Suspended", "Ready", "Active", "Pausing", "Paused")
    )
    """States that accept Cancelled (only Suspended and Active are confirmed)."""
    plus_is_space: bool = True
    """A raw `+` in a manifest's key means a space, as S3 Inventory writes it (unconfirmed)."""
    undecodable_key: tuple[int, str, str] = (
        400,
        "InvalidRequest",
        "Task failed due to undecodable object key",
    )
    """Status, code and message of a task whose key is not URL-encoded UTF-8 (unconfirmed)."""
    replicate_without_version: tuple[int, str, str] = (
        400,
        "InvalidRequest",
        "Task failed due to missing VersionId",
    )
    """A replicate task from a manifest without version ids (unconfirmed; the user guide requires them)."""
    max_tasks: int = 20_000_000_000
    """Rows of a manifest (confirmed for copy, replicate and Lambda jobs)."""
    max_copy_bytes: int = 5 * 1024**3
    """Largest object that a copy takes (confirmed); smaller in tests."""
    checksum_algorithm: str = "CRC64NVME"
    """Of S3ComputeObjectChecksum without ChecksumAlgorithm (unconfirmed)."""
    generator_all_versions: bool = False
    """Whether generated manifests, but for replicate jobs, hold noncurrent versions (unconfirmed)."""
    md5_sidecar: Callable[[str], str] = field(default=lambda digest: digest)
    """Body of manifest.json.md5 from the hex digest (unconfirmed)."""
    empty_report_manifest: bool = True
    """Whether FailedTasksOnly without failures still writes manifest.json (unconfirmed)."""
    failure_codes: FailureCodes = field(default_factory=FailureCodes)
    event_version: str = "1.05"
    copy_success_message: str = "Successful"
    """ResultMessage of S3PutObjectCopy (unconfirmed; it is that of other S3 API operations)."""
    target_prefix_separator: str = "/"
    """Between TargetKeyPrefix and the key (unconfirmed; the API reference calls the prefix a folder name)."""

    def __post_init__(self) -> None:
        self.strikes = Faults(self.faults)


_current = Settings()


def configure(settings: Settings) -> None:
    """Replace the settings in force, for jobs created from now on."""
    global _current
    _current = settings


def settings() -> Settings:
    """Return the settings in force."""
    return _current

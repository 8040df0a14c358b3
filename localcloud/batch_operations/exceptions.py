"""What the service answers when it refuses (modelled in S3 Control), and why a job fails."""

from __future__ import annotations

from moto.core.exceptions import ServiceException

from localcloud.batch_operations.settings import settings


class BadRequest(ServiceException):
    """The request breaks a rule of the API."""

    code = "BadRequestException"

    def __init__(self, message: str) -> None:
        super().__init__(settings().invalid_request_code, message)


class IdempotencyError(ServiceException):
    """A ClientRequestToken was used before with other parameters."""

    code = "IdempotencyException"
    message = "The ClientRequestToken was used before with different parameters."


class JobNotFound(ServiceException):
    """No job of this id in this account and region."""

    def __init__(self) -> None:
        super().__init__(settings().missing_job_code, "The specified job does not exist")


class JobStatusError(ServiceException):
    """The job's status does not allow the change."""

    code = "JobStatusException"


class InvalidListRequest(ServiceException):
    """ListJobs was asked wrongly."""

    code = "InvalidRequestException"


class InvalidNextToken(ServiceException):
    """A NextToken that ListJobs never gave."""

    code = "InvalidNextTokenException"
    message = "The nextToken provided is invalid"


class TooManyJobs(ServiceException):
    """As many jobs of the account are active as may be."""

    code = "TooManyRequestsException"
    message = "The account has the maximum number of active S3 Batch Operations jobs"


class TooManyTags(ServiceException):
    """More than 50 tags on a job."""

    code = "TooManyTagsException"
    message = "A job can have at most 50 tags."


class AccessDenied(ServiceException):
    """The caller's account is not the account of the request."""

    code = "AccessDenied"
    message = "Access Denied"


class JobFailedError(Exception):
    """A job cannot go on. `code` and `reason` become its FailureReasons (64 and 256 characters at most)."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code[:64]
        self.reason = reason[:256]


class JobStopped(Exception):
    """The local cloud is being stopped, or moto was reset: the job's thread ends where it stands."""


class JobCancelled(Exception):
    """The job was cancelled while it ran."""

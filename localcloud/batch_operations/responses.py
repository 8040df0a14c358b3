"""The eight API operations: parse, check, ask the backend, answer.

Shapes are those of botocore's s3control model.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from localcloud.batch_operations import exceptions, lifecycle
from localcloud.batch_operations.models import BatchOperationsBackend, batch_operations_backends
from localcloud.batch_operations.scheduler import scheduler
from localcloud.batch_operations.settings import settings
from localcloud.batch_operations.shapes import is_modelled
from localcloud.batch_operations.validation import MAX_TAGS, check_create_job, check_shape

_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/s3/")


_STATUS = {"AccessDenied": 403}


class BatchOperationsResponse(BaseResponse):
    """Answers S3 Control requests about jobs."""

    def __init__(self) -> None:
        super().__init__(service_name="s3control")
        self.automated_parameter_parsing = True
        self._malformed: Exception | None = None

    def parse_parameters(self, request: Any) -> None:
        """Parse by the model; what does not parse is answered as a bad request, not as a crash."""
        try:
            super().parse_parameters(request)
        except Exception as error:
            self.params: dict[str, Any] = {}
            self._malformed = error

    def serialized(self, action_result: ActionResult) -> Any:
        """Serialise by the model, and errors that are not in it in the same form."""
        error = action_result.result
        if not isinstance(error, ServiceException) or is_modelled(error.code):
            return super().serialized(action_result)
        body = (
            f"<ErrorResponse><Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
            "<RequestId></RequestId></ErrorResponse>"
        )
        return _STATUS.get(error.code, 400), {**self.response_headers, "Content-Type": "text/xml"}, body

    @property
    def backend(self) -> BatchOperationsBackend:
        """Return the jobs of the caller's account in the region the request was signed for."""
        scope = _SCOPE.search(self.headers.get("Authorization", ""))
        region = scope["region"] if scope else self.region
        backend: BatchOperationsBackend = batch_operations_backends[self.current_account][region]
        return backend

    def _checked(self, operation: str, error: type[Exception] = exceptions.BadRequest) -> dict[str, Any]:
        if self._malformed:
            raise error(f"The request is malformed: {self._malformed}")
        check_shape(operation, self.params, error)
        if self.params["AccountId"] != self.current_account:
            raise exceptions.AccessDenied
        return dict(self.params)

    def create_job(self) -> ActionResult:
        """CreateJob."""
        request = self._checked("CreateJob")
        check_create_job(request, self.current_account)
        request.pop("AccountId")
        job, is_new = self.backend.create_job(request, self.current_account)
        if is_new:
            job.announce()
            lifecycle.start(job)
        return ActionResult({"JobId": job.id})

    def describe_job(self) -> ActionResult:
        """DescribeJob."""
        request = self._checked("DescribeJob")
        return ActionResult({"Job": self.backend.job(request["JobId"]).describe()})

    def list_jobs(self) -> ActionResult:
        """ListJobs."""
        request = self._checked("ListJobs", exceptions.InvalidListRequest)
        jobs, token = self.backend.list_jobs(
            request.get("JobStatuses") or [],
            request.get("NextToken"),
            request.get("MaxResults") or settings().list_page,
        )
        return ActionResult({"Jobs": jobs, "NextToken": token})

    def update_job_status(self) -> ActionResult:
        """UpdateJobStatus."""
        request = self._checked("UpdateJobStatus")
        reason = request.get("StatusUpdateReason")
        status = self.backend.job(request["JobId"]).request_status(request["RequestedJobStatus"], reason)
        return ActionResult({"JobId": request["JobId"], "Status": status, "StatusUpdateReason": reason})

    def update_job_priority(self) -> ActionResult:
        """UpdateJobPriority."""
        request = self._checked("UpdateJobPriority")
        job = self.backend.job(request["JobId"])
        job.priority = request["Priority"]
        scheduler(job.account).wake()
        return ActionResult({"JobId": job.id, "Priority": job.priority})

    def get_job_tagging(self) -> ActionResult:
        """GetJobTagging."""
        request = self._checked("GetJobTagging")
        return ActionResult({"Tags": self.backend.job(request["JobId"]).tags})

    def put_job_tagging(self) -> EmptyResult:
        """PutJobTagging: replaces all tags; an empty set deletes them."""
        request = self._checked("PutJobTagging")
        if len(request["Tags"]) > MAX_TAGS:
            raise exceptions.TooManyTags
        self.backend.job(request["JobId"]).tags = request["Tags"]
        return EmptyResult()

    def delete_job_tagging(self) -> EmptyResult:
        """DeleteJobTagging."""
        request = self._checked("DeleteJobTagging")
        self.backend.job(request["JobId"]).tags = []
        return EmptyResult()

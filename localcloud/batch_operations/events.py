"""JobCreated and JobStatusChanged as EventBridge delivers them.

Contract: S3 User Guide, "Tracking an S3 Batch Operations job in Amazon EventBridge through AWS CloudTrail".
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.batch_operations.job import Job


def event(job: Job, name: str) -> dict[str, Any]:
    """Return the envelope of an event of this name for a job as it is."""
    inputs = job.settings
    time = inputs.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    event_id = inputs.new_id()
    return {
        "version": "0",
        "id": inputs.new_id(),
        "detail-type": "AWS Service Event via CloudTrail",
        "source": "aws.s3",
        "account": job.account,
        "time": time,
        "region": job.region,
        "resources": [],
        "detail": {
            "eventVersion": inputs.event_version,
            "userIdentity": {"accountId": job.account, "invokedBy": "s3.amazonaws.com"},
            "eventTime": time,
            "eventSource": "s3.amazonaws.com",
            "eventName": name,
            "awsRegion": job.region,
            "sourceIPAddress": "s3.amazonaws.com",
            "userAgent": "s3.amazonaws.com",
            "eventID": event_id,
            "readOnly": False,
            "eventType": "AwsServiceEvent",
            "serviceEventDetails": {
                "jobId": job.id,
                "jobArn": job.arn,
                "status": job.status,
                "jobEventId": hashlib.md5(event_id.encode(), usedforsecurity=False).hexdigest(),
                "failureCodes": [failure.code for failure in job.failures],
                "statusChangeReason": [job.status_reason] if job.status_reason else [],
            },
        },
    }

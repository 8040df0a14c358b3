"""The page of a run, left beside its record as `runs/<run id>/report.html`: once, and never at the run's cost."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from seeder import page
from seeder.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.record import Record

CONTENT_TYPE = "text/html; charset=utf-8"
_STANDS = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_log = logging.getLogger(__name__)


def leave(s3: S3Client, bucket: str, ended: Record) -> None:
    """Write the page of a run that has ended, unless it stands there or is being written.

    Raises nothing: what went wrong is logged, for the record tells all that the page would. `s3` should not wait long.
    """
    key = f"runs/{ended.run_id}/report.html"
    # Whatever it is: a page is not worth a run.
    try:
        body = page.render_run(ended, bucket).encode()
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=CONTENT_TYPE, IfNoneMatch="*")
    except ClientError as error:
        if code_of(error) not in _STANDS:
            _log.warning("s3://%s/%s was not written: %s", bucket, key, error)
    except Exception:
        _log.warning("s3://%s/%s was not written", bucket, key, exc_info=True)

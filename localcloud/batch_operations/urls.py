"""URL patterns, added to moto's S3 Control: one form for `mock_aws`, one for the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.batch_operations.responses import BatchOperationsResponse

if TYPE_CHECKING:
    from collections.abc import Callable

url_paths: dict[str, Callable[..., Any]] = {
    r"{0}/v20180820/jobs$": BatchOperationsResponse.dispatch,
    r"{0}/v20180820/jobs/(?P<id>[^/]+)$": BatchOperationsResponse.dispatch,
    r"{0}/v20180820/jobs/(?P<id>[^/]+)/(?P<part>status|priority|tagging)$": BatchOperationsResponse.dispatch,
    "/v20180820/jobs": BatchOperationsResponse.dispatch,
    "/v20180820/jobs/<id>": BatchOperationsResponse.dispatch,
    "/v20180820/jobs/<id>/<part>": BatchOperationsResponse.dispatch,
}

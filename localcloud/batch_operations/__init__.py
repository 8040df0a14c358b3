"""Amazon S3 Batch Operations for moto. Importing it adds CreateJob and its kin to moto's S3 Control.

It works under `mock_aws` and under moto's server. Jobs run for real, each in a thread of its own: call
`wait_for_idle` to let them finish, `stop_all` to end them. `configure` sets the clock, the faults, and every
assumption about AWS.
"""

from __future__ import annotations

from moto.s3control import urls as _s3control_urls

from localcloud.batch_operations.data_plane import DataPlane, PretendDataPlane, S3DataPlane
from localcloud.batch_operations.lifecycle import stop_all, wait_for_idle
from localcloud.batch_operations.outside import OutsideDataPlane, OutsideSession
from localcloud.batch_operations.settings import FailureCodes, Settings, configure, settings
from localcloud.batch_operations.urls import url_paths as _url_paths

__all__ = [
    "DataPlane",
    "FailureCodes",
    "OutsideDataPlane",
    "OutsideSession",
    "PretendDataPlane",
    "S3DataPlane",
    "Settings",
    "configure",
    "settings",
    "stop_all",
    "wait_for_idle",
]

_s3control_urls.url_paths.update(_url_paths)

from __future__ import annotations

import pytest
from moto import mock_aws

from localcloud import account_settings
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import client


def test_the_limit_of_concurrency_is_told_and_moto_lacks_it() -> None:
    patches = Patches()
    with mock_aws():
        account_settings.install(patches, concurrency=10)
        limit = client("lambda").get_account_settings()["AccountLimit"]
        assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (10, 10)
        patches.undo()
        with pytest.raises(Exception, match=r"not.*implemented|NotImplemented"):
            client("lambda").get_account_settings()

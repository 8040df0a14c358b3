"""What a deployed ClaimPair makes of a claim that `seeder run --here` holds."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.functions import loaded

HERE = "here:laptop:4711:123456:run"
ARN = "arn:aws:states:us-east-1:123456789012:execution:seeder-seed:run"


@pytest.mark.parametrize("code", ["InvalidArn", "AccessDeniedException", "ValidationException"])
def test_a_run_on_somebodys_machine_is_taken_to_go_on(code: str) -> None:
    with loaded("claim_pair") as app, Stubber(app.clients.states()) as states:
        states.add_client_error("describe_execution", code)
        assert app._is_running(HERE)


def test_of_an_execution_an_error_is_an_error_and_one_that_is_gone_does_not_run() -> None:
    with loaded("claim_pair") as app, Stubber(app.clients.states()) as states:
        states.add_client_error("describe_execution", "ExecutionDoesNotExist")
        assert not app._is_running(ARN)
        states.add_client_error("describe_execution", "AccessDeniedException")
        with pytest.raises(ClientError):
            app._is_running(ARN)

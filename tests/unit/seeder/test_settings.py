from __future__ import annotations

import pytest

from seeder.settings import Settings


def test_the_environment_of_a_function_is_read() -> None:
    told = Settings.from_environment({"STATE_BUCKET": "s", "JOB_ROLE_ARN": "j", "COPY_FUNCTION_ARN": "c"})
    assert told == Settings("s", "j", "", "c")


def test_the_state_bucket_must_be_told() -> None:
    with pytest.raises(KeyError, match="STATE_BUCKET"):
        Settings.from_environment({})

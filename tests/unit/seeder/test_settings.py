from __future__ import annotations

import pytest

from seeder.settings import Settings


def test_the_environment_of_a_function_is_read() -> None:
    told = Settings.from_environment({"STATE_BUCKET": "s", "JOB_ROLE_ARN": "j", "COPY_FUNCTION_ARN": "c"})
    assert told == Settings("s", "j", "", "c")


def test_a_function_that_makes_roles_is_told_how() -> None:
    told = Settings.from_environment(
        {"STATE_BUCKET": "s", "STACK_NAME": "n", "ROLE_PATH": "/n/r/", "BOUNDARY_ARN": "b", "KMS_KEY_ID": "*"}
    )
    assert (told.stack_name, told.role_path, told.boundary_arn, told.kms_key_id) == ("n", "/n/r/", "b", "*")
    assert Settings.from_environment({"STATE_BUCKET": "s"}).kms_key_id == "none"


def test_the_state_bucket_must_be_told() -> None:
    with pytest.raises(KeyError, match="STATE_BUCKET"):
        Settings.from_environment({})

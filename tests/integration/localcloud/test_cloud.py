from __future__ import annotations

import os
import threading

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud


def test_the_users_own_aws_settings_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with LocalCloud(ScaledClock(1000)) as cloud:
        cloud.client("s3").create_bucket(Bucket="isolated")
        assert "AWS_PROFILE" not in os.environ
    assert os.environ["AWS_PROFILE"] == "no-such-profile"


def test_a_second_cloud_in_the_process_is_refused_until_the_first_has_stopped() -> None:
    with LocalCloud(ScaledClock(1000)), pytest.raises(RuntimeError, match="stop it first"):
        LocalCloud(ScaledClock(1000)).start()
    with LocalCloud(ScaledClock(1000)) as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_a_stopped_cloud_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with LocalCloud(ScaledClock(1000)) as cloud:
        server = cloud.serve()
        cloud.client("s3").create_bucket(Bucket="some-bucket")
        server.stop()
    assert [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()] == []

from __future__ import annotations

import re

import pytest

from localcloud.cloud import LocalCloud
from seeder_cli import api_page


def test_the_example_of_the_library_page_runs_as_it_stands(
    cloud: LocalCloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3 = cloud.client("s3")
    for name in ("my-bucket", "my-replica", "my-lake"):
        s3.create_bucket(Bucket=name)
    s3.put_object(Bucket="my-bucket", Key="a key", Body=b"1")
    (example,) = re.findall(r"```python\n(import boto3.*?)```", "\n".join(api_page.page()), re.DOTALL)
    exec(example, {})  # noqa: S102 - as its reader does
    assert capsys.readouterr().out == "False 1 a key\n"
    assert (
        s3.head_object(Bucket="my-lake", Key="datasets/sales/day=2026-01-01/part-1.csv")["ContentLength"] == 5
    )

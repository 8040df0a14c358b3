"""Idempotency records on a real S3 server."""

from __future__ import annotations

from seeder.lake.idempotency import S3PersistenceLayer
from tests import idempotent
from tests.servers import Server

BUCKET = "state"


def test_a_real_server_gives_the_same_answers(real: Server) -> None:
    s3 = real.buckets(BUCKET)

    def runs(situation: idempotent.Situation) -> int:
        prefix = f"records/{situation.__name__}/"
        return int(situation(lambda: S3PersistenceLayer(BUCKET, prefix, boto3_client=s3))[-1])

    assert {each: runs(each) for each in idempotent.RUNS} == idempotent.RUNS

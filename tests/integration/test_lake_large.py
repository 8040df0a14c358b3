"""Files in parts, and names with every trap, on the local cloud and on a real S3 server."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seeder.errors import AlreadyExists, Conflict
from seeder.lake import lake as lakes
from seeder.lake import multipart, objects, upkeep
from seeder.lake.lake import Lake
from tests.keys import TRAPS
from tests.servers import Server

BUCKET = "state"
PART = 5 * 1024 * 1024
BODY = bytes(range(256)) * (2 * PART // 256) + b"the rest"
NAMES = [key.replace("/", "|") for key in TRAPS if 0 < len(key.encode()) < 200]


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.buckets(BUCKET)


def test_parts_are_completed_only_where_the_condition_holds(s3: Any) -> None:
    first = multipart.create(s3, BUCKET, "large", io.BytesIO(BODY), metadata={"a": "b"}, part_bytes=PART)
    stored = objects.read(s3, BUCKET, "large")
    assert stored is not None
    assert (stored.body, stored.etag, stored.metadata) == (BODY, first.etag, {"a": "b"})
    assert not multipart.create(s3, BUCKET, "large", io.BytesIO(BODY), part_bytes=PART).is_new
    with pytest.raises(AlreadyExists):
        multipart.create(s3, BUCKET, "large", io.BytesIO(b"x" + BODY[1:]), part_bytes=PART)
    second = multipart.replace(s3, BUCKET, "large", io.BytesIO(b"small"), first.etag, part_bytes=PART)
    with pytest.raises(Conflict):
        multipart.replace(s3, BUCKET, "large", io.BytesIO(BODY), first.etag, part_bytes=PART)
    stands = objects.read(s3, BUCKET, "large")
    assert stands is not None
    assert (stands.body, stands.etag) == (b"small", second.etag)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_a_creation_in_parts_that_another_overtakes_is_refused(s3: Any) -> None:
    class Overtaken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            objects.create(s3, BUCKET, "overtaken", b"other")
            return super().read(size)

    with pytest.raises(AlreadyExists):
        multipart.create(s3, BUCKET, "overtaken", Overtaken(b"mine"), part_bytes=PART)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_files_large_and_small_with_any_name_agree_with_their_registry(
    server: Server, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lakes, "LARGE_BYTES", PART)
    large = tmp_path / "large"
    large.write_bytes(BODY)
    lake = Lake(s3, BUCKET)
    names = list(filter(server.ways.can_hold, NAMES[::4]))
    assert len(names) > 3
    entries = [lake.add_file("all traps", {"k": name}, name, b"1", 1) for name in names]
    entries += [lake.add_file("all traps", {"k": "large"}, "large", large, 5) for _ in range(2)]
    assert lake.read("all traps").entries == {entry.key: entry for entry in entries}
    lake.remove_files([entries[0].key])
    assert upkeep.verify(lake, timedelta(0)) == []

"""Others who write to a bucket while a run goes on: new objects, and new versions of their own."""

from __future__ import annotations

import threading
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "written meanwhile/"
PAUSE_SECONDS = 0.05
_DISTINCT = 40


class Writers:
    """Writes from a thread of its own for as long as it is entered."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)

    def __enter__(self) -> Writers:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _write(self) -> None:
        for number in count():
            if self._ended.wait(PAUSE_SECONDS):
                return
            key = f"{PREFIX}{number % _DISTINCT}.txt"
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=f"version {number}".encode())

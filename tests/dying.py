"""An S3 client that ends its caller at one of its writes, as a dying process would."""

from __future__ import annotations

from threading import Lock
from typing import Any


class Died(Exception):
    pass


class Dying:
    """An S3 client whose nth writing call is made, or not, and then ends the caller; no other does.

    Threads may share it.
    """

    def __init__(self, s3: Any, at: int, after: bool) -> None:
        self._s3, self._left, self._after = s3, at, after
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._s3, name)
        if name not in {"create_multipart_upload", "upload_part", "put_object", "complete_multipart_upload"}:
            return original

        def call(**given: Any) -> Any:
            with self._lock:
                self._left -= 1
                dies = self._left == 0
            if dies and not self._after:
                raise Died
            answer = original(**given)
            if dies:
                raise Died
            return answer

        return call

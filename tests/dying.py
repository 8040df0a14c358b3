"""An S3 client that ends its caller at one of its writes, as a dying process would."""

from __future__ import annotations

from typing import Any


class Died(Exception):
    pass


class Dying:
    """An S3 client whose nth writing call is made, or not, and then ends the caller."""

    def __init__(self, s3: Any, at: int, after: bool) -> None:
        self._s3, self._left, self._after = s3, at, after

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._s3, name)
        if name not in {"create_multipart_upload", "upload_part", "put_object", "complete_multipart_upload"}:
            return original

        def call(**given: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Died
            answer = original(**given)
            if self._left == 0:
                raise Died
            return answer

        return call

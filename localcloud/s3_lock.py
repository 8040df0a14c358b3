"""One S3 request at a time: moto's conditional writes are not safe among threads, S3's are."""

from __future__ import annotations

import re
import threading
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber

from localcloud.patching import Patches

_S3_HOST = re.compile(r"https?://([^/]+\.)?s3[.-](?!control)[^/]*amazonaws\.com")


def install(patches: Patches) -> None:
    """Serialise requests to S3 until the patches are undone; other services are left alone."""
    lock = threading.RLock()

    def process_request(self: Any, request: Any) -> Any:
        if not _S3_HOST.match(request.url):
            return original(self, request)
        with lock:
            return original(self, request)

    original = patches.replace(BotocoreStubber, "process_request", process_request)

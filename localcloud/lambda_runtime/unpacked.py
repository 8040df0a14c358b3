"""Code and layers as folders: what stands in /var/task and /opt on Lambda."""

from __future__ import annotations

import io
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

from moto.awslambda.models import lambda_backends


class Unpacked:
    """A folder of archives, each unpacked once, until `stop`."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="localcloud-lambda-"))
        self._lock = threading.Lock()

    def code(self, function: Any) -> Path:
        """Return the folder of a function's code."""
        return self._folder(f"code-{_name(function.code_sha_256)}", function.code_bytes)

    def layers(self, function: Any) -> list[Path]:
        """Return the folders of a function's layers; what a later one holds comes before the earlier's."""
        backend = lambda_backends[function.account_id][function.region]
        found = [backend.layers_versions_by_arn(layer["Arn"]) for layer in function.layers]
        return [
            self._folder(f"layer-{_name(each.code_sha_256)}", each.code_bytes) for each in reversed(found)
        ]

    def scratch(self) -> Path:
        """Return a new folder, an instance's own."""
        return Path(tempfile.mkdtemp(prefix="tmp-", dir=self._root))

    def stop(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._root, ignore_errors=True)

    def _folder(self, name: str, archive: bytes) -> Path:
        folder = self._root / name
        with self._lock:
            if not folder.exists():
                with zipfile.ZipFile(io.BytesIO(archive)) as packed:
                    packed.extractall(folder)
        return folder


def _name(digest: str) -> str:
    return digest.replace("/", "_").replace("+", "-").rstrip("=")

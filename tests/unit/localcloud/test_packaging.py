"""A folder is packed as it is, without what an interpreter left in it."""

from __future__ import annotations

import io
import py_compile
import zipfile
from pathlib import Path

from localcloud.deploy import _archive


def packed(folder: Path) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(_archive(folder))) as archive:
        return set(archive.namelist())


def test_bytecode_that_a_build_made_is_packed_and_what_an_interpreter_left_is_not(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("NAME = 1")
    for name, mode in (
        ("left.pyc", py_compile.PycInvalidationMode.TIMESTAMP),
        ("checked.pyc", py_compile.PycInvalidationMode.CHECKED_HASH),
        ("made.pyc", py_compile.PycInvalidationMode.UNCHECKED_HASH),
    ):
        py_compile.compile(str(source), str(tmp_path / "__pycache__" / name), invalidation_mode=mode)
    assert packed(tmp_path) == {"module.py", "__pycache__/made.pyc"}

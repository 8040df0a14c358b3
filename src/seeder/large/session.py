"""A session whose clients wait as long as S3 takes to copy, and read answers about any key."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.hooks import HierarchicalEmitter

from seeder.large.plan import CALL_SECONDS

_REFERENCE = re.compile(rb"&#(x?)([0-9A-Fa-f]+);")
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_FIRST_CHARACTER = 0x20
_NOT_XML = frozenset({*range(_FIRST_CHARACTER), 0xFFFE, 0xFFFF}) - {0x9, 0xA, 0xD}


def patient(read_seconds: int = CALL_SECONDS) -> botocore.session.Session:
    """Return a session for `seeder.clients.Clients`: its clients wait `read_seconds` for an answer.

    One UploadPartCopy takes minutes at 5 GiB, where botocore gives up after one minute.
    """
    hooks = HierarchicalEmitter()
    # Before botocore's own: it takes an answer that is no XML for an error of S3.
    hooks.register_first("before-parse.s3.*", without_illegal_characters)
    core = botocore.session.Session(event_hooks=hooks)
    core.set_default_client_config(Config(read_timeout=read_seconds))
    return core


def without_illegal_characters(**given: Any) -> None:
    """Drop what XML 1.0 can't carry from an answer before it is parsed.

    S3 echoes the key in answers about uploads, and a key may hold control characters; no XML parser takes those
    (S3 User Guide, "Naming Amazon S3 objects"). Nothing here reads the key of such an answer.
    """
    answer = given["response_dict"]
    body = answer.get("body")
    if isinstance(body, bytes):
        answer["body"] = _CONTROLS.sub(b"", _REFERENCE.sub(_legal, body))


def _legal(found: re.Match[bytes]) -> bytes:
    return b"" if int(found[2], 16 if found[1] else 10) in _NOT_XML else found[0]

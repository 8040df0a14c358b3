"""Names of runs: what asked for it, which pair it seeds, and what tells it from all others.

Contract: Step Functions API reference, StartExecution: `name` has 1 to 80 characters, no white space, no brackets, no
wildcards, none of `" # % \\ ^ | ~ ` $ & , ; : /`; a name stays taken for 90 days after the execution has ended.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
from datetime import UTC, datetime
from random import Random

LONGEST_NAME = 80
_DIGEST_CHARACTERS = 16
_LETTERS = 6
# No bucket's name has two dots in a row (S3 User Guide, "General purpose bucket naming rules").
_CUT = ".."
_FRESH = re.compile(rf"\d{{8}}-\d{{6}}-[a-z]{{{_LETTERS}}}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")


def run_name(trigger: str, source: str, destination: str, identity: str) -> str:
    """Return the name of a run, such as `rule-added-my-bucket-to-my-replica-3c621fe83f630d05`.

    The same arguments give the same name, others give another. It ends in a digest of them all, or in the `identity`
    itself where `fresh_identity` made it. Bucket names that are too long together lose their middles: `acme-..-logs`.
    """
    fresh = _FRESH.fullmatch(identity)
    ending = identity if fresh else _digest(trigger, source, destination, identity)
    room = LONGEST_NAME - len(f"{trigger}--to--{ending}")
    half = room // 2
    first = _cut(source, max(half, room - len(destination)))
    second = _cut(destination, max(room - half, room - len(source)))
    return _NOT_IN_NAMES.sub("-", f"{trigger}-{first}-to-{second}-{ending}")


def fresh_identity(now: datetime, random: Random) -> str:
    """Return an identity that no other run has, such as `20261123-025548-kqzvbd`: in UTC, in the order of time."""
    letters = "".join(random.choices(string.ascii_lowercase, k=_LETTERS))
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{letters}"


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_DIGEST_CHARACTERS]


def _cut(name: str, most: int) -> str:
    """Return a name of at most so many characters; what differs between names is often at their ends."""
    if len(name) <= most:
        return name
    tail = (most - len(_CUT)) // 2
    return f"{name[: most - len(_CUT) - tail]}{_CUT}{name[-tail:]}"

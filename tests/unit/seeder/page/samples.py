"""Records and rows for the pages: one that has everything, and strategies that draw anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from seeder.fleet.overview import STATES, PairRow
from seeder.record import Record
from seeder.report import Failure
from tests.keys import TRAPS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onload='alert(1)",
    "</title><svg onload=alert(1)>",
    "<taint>",
    "<!--",
    "-->",
    "]]>",
    "&lt;b&gt;&#60;",
    "{{7*7}}${x}",
    "</script><script>",
    "\u202egnp.exe",
    "\u2066a\u2069\u200f",
    "javascript:alert(1)",
    "\x00\x1b[31m",
    "\ud800",
]

any_text = st.one_of(st.sampled_from(MARKUP + TRAPS), st.text(max_size=30))
any_count = st.one_of(st.integers(0, 10**7), st.sampled_from([10**30, -1]))
any_json: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), any_count, st.floats(), any_text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)


def _document(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(any_count, any_text, any_json) for name in names}
    )


failures = st.lists(
    st.builds(
        Failure,
        code=any_text,
        count=any_count,
        example_key=any_text,
        message=any_text,
        kind=st.sampled_from(["retryable", "permanent", "person"]),
        advice=any_text,
    ),
    max_size=2,
)
_job = _document("id", "region", "operation", "round", "status", "total", "succeeded", "failed")
_line = _document("name", "quantity", "unit", "usd", "sure")
_tallies = st.dictionaries(any_text, st.one_of(st.tuples(any_count, any_count), any_json), max_size=3)
_verification = _document("equal", "missing", "different", "extra", "archived", "during", "differs")
_texts = (
    "run_id",
    "subject",
    "error",
    "cause",
    "source",
    "destination",
    "operation",
    "started_at",
    "ended_at",
)
_counts = ("total", "succeeded", "failed", "restored", "large", "archived")

# `construct`: a record that another release wrote may hold what this one would not.
any_record = st.fixed_dictionaries(
    {
        "state": st.one_of(st.sampled_from(["Complete", "Failed", "Skipped"]), any_text),
        "event": st.just("Seeding Failed"),
        **dict.fromkeys(_texts, any_text),
        **dict.fromkeys(_counts, any_count),
        "request": st.dictionaries(any_text, any_json, max_size=3),
        "replica": st.one_of(st.sampled_from(["", "equal", "extra", "differs"]), any_text),
        "failures": failures,
        "failure_files": st.lists(any_text, max_size=2),
        "archived_manifests": st.lists(any_text, max_size=2),
        "verification": st.tuples(_verification, st.dictionaries(any_text, any_text, max_size=2)).map(
            lambda both: {**both[0], "examples": both[1]}
        ),
        "jobs": st.lists(_job, max_size=2),
        "estimated_usd": any_text,
        "actual_usd": any_text,
        "stages": st.dictionaries(any_text, st.floats(), max_size=3),
        "census": st.fixed_dictionaries(
            {"classes": _tallies, "archived": _tallies, "prefixes": _tallies, "other_prefixes": any_json}
        ),
        "bill": st.fixed_dictionaries(
            {name: st.lists(_line, max_size=2) for name in ("estimated", "actual")}
        ),
    }
).map(lambda members: Record.model_construct(None, **members))

any_row = st.builds(
    PairRow,
    **dict.fromkeys(("source", "destination", "scope", "run_id", "trigger", "ended_at", "cause"), any_text),
    **dict.fromkeys(("total", "succeeded", "failed"), any_count),
    state=st.one_of(st.sampled_from(STATES), any_text),
    replica=st.one_of(st.sampled_from(["", "equal", "extra", "differs"]), any_text),
)


def row(number: int = 0, state: str = "Complete", **members: Any) -> PairRow:
    """Return a pair's row; one that Failed has a failure in ten objects."""
    failed = 10 if state == "Failed" else 0
    given: dict[str, Any] = {
        "source": f"source-{number:03}",
        "destination": f"replica-{number:03}",
        "scope": "",
        "run_id": f"manual-source-{number:03}",
        "trigger": "manual",
        "state": state,
        "total": 100,
        "succeeded": 100 - failed,
        "failed": failed,
        "replica": {"Complete": "equal", "Failed": "differs"}.get(state, ""),
        "ended_at": "2026-01-31T10:00:00Z",
        "cause": "10 of 100 objects were not copied: SlowDown 10" if failed else "",
    }
    return PairRow(**(given | members))


def record(**members: Any) -> Record:
    """Return the record of a run that failed, with all that a record can hold."""
    state = "s3://state/runs/manual-foghorn"
    given: dict[str, Any] = {
        "run_id": "manual-foghorn",
        "state": "Failed",
        "event": "Seeding Failed",
        "subject": "",
        "error": "SeedingFailed",
        "cause": "12 of 836 objects were not copied: AccessDenied 12 (for example 'logs/a b').",
        "source": "foghorn1.bucket",
        "destination": "foghorn2.bucket",
        "operation": "copy",
        "request": {"source": "foghorn1.bucket", "prefix": "logs/", "rounds": 3, "tags": {"team": "a"}},
        "started_at": "2026-01-31T09:05:00Z",
        "ended_at": "2026-01-31T09:31:12Z",
        "total": 836,
        "succeeded": 824,
        "failed": 12,
        "archived": 4,
        "archived_manifests": [f"{state}/manifests/archived.csv"],
        "failures": [
            {
                "code": "AccessDenied",
                "count": 12,
                "example_key": "logs/a b",
                "message": "Access Denied",
                "kind": "person",
                "advice": "Add s3:GetObject to the job's role, then run again.",
            }
        ],
        "failure_files": ["s3://state/datasets/seeding_failures/manual-foghorn-copy-0.csv"],
        "replica": "differs",
        "verification": {
            "equal": 824,
            "missing": 12,
            "archived": 4,
            "examples": {"missing": "logs/a b"},
            "differs": {"bucket": "state", "key": "runs/manual-foghorn/verification/1.csv", "etag": "x"},
        },
        "jobs": [
            {
                "id": "7d65913e",
                "region": "eu-west-1",
                "operation": "copy",
                "round": 0,
                "status": "Complete",
                "total": 836,
                "succeeded": 824,
                "failed": 12,
            }
        ],
        "estimated_usd": "0.26",
        "actual_usd": "0.51+",
        "stages": {"ResolveRequest": 0.8, "PairClaimed": 0.0, "PaginateKeys": 12.0, "AwaitJob": 1380.0},
        "census": {
            "objects": 836,
            "bytes": 3 * 1024**3,
            "classes": {"STANDARD_IA": [36, 1024**3], "STANDARD": [800, 2 * 1024**3]},
            "archived": {"GLACIER": [4, 1024]},
            "prefixes": {"logs/": [830, 1024], "": [2, 1024**3]},
            "other_prefixes": [4, 10],
        },
        "bill": {
            "estimated": [
                {"name": "Jobs", "quantity": 1, "unit": "jobs", "usd": "0.2500", "sure": "confirmed"},
                {"name": "Tasks", "quantity": 836, "unit": "objects", "usd": "0.0009", "sure": "second-hand"},
            ],
            "actual": [
                {"name": "Jobs", "quantity": 2, "unit": "jobs", "usd": "0.5000", "sure": "confirmed"},
                {"name": "Transfer", "quantity": 2048, "unit": "bytes", "usd": "0.0001", "sure": "confirmed"},
            ],
        },
    }
    return Record.model_validate(given | members)

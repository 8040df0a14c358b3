"""The replication rules of each bucket as they were last seen, and what each change of them set going.

One registry for each bucket, `metastore/replication/<bucket>.json` in the state bucket, swapped by whoever handles an
event. Who swaps it decides what is seeded, and writes the decision into it: a repeated delivery of the event, or a
call that died after the swap, finds the same runs again. Events can be handled at the same time, twice and out of
order (EventBridge User Guide, "Event delivery"), so only the configuration itself is compared, read after the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from seeder.errors import NotYetVisible
from seeder.fleet.registries import Shape, registry
from seeder.replication import Change, Rule, added

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST_DECISIONS = 50
# A run that adds a rule shows it within its own retries; one that died before is not waited for longer.
EXPECTED_FOR = timedelta(hours=1)
# So long a run that adds a rule is left alone with the configuration.
ALONE_FOR = timedelta(minutes=2)

Decide = Callable[[list[Change]], list[dict[str, Any]]]


class Expected(Shape):
    """A rule that a run of this application is about to add, and will seed itself."""

    rule_id: str
    run_id: str
    at: str

    @field_validator("at")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        if datetime.fromisoformat(value).tzinfo is None:
            raise ValueError("it has no time zone")
        return value


class _Rule(Shape):
    id: str
    destination: str
    prefix: str
    enabled: bool
    tags: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    priority: int = 0
    kms: bool = False


class _Decision(Shape):
    event_id: str
    at: str
    runs: list[dict[str, Any]]


class _Body(Shape):
    rules: list[_Rule] = Field(default=[])
    expected: list[Expected] = Field(default=[])
    decisions: list[_Decision] = Field(default=[])


class Seen:
    """The last seen rules of one bucket. Raises what `Registry` raises."""

    def __init__(
        self,
        s3: S3Client,
        state_bucket: str,
        bucket: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._registry = registry(s3, state_bucket, f"replication/{bucket}", _Body)
        self._now = now

    def rules(self) -> list[Rule] | None:
        """Return the rules as last seen; None where the bucket was never looked at."""
        body = self._registry.read().body
        return _rules(body) if body else None

    def decide(
        self, event_id: str, read: Callable[[], Sequence[Rule]], decide: Decide
    ) -> list[dict[str, Any]]:
        """Return the runs that an event asks for, decided once however often it is asked.

        `read` reads the bucket's rules; `decide` makes runs of what was added since they were last seen. Where they
        were never seen, all enabled rules count as added, with the reason "unknown".
        """
        runs: list[dict[str, Any]] = []

        def swap(body: dict[str, Any]) -> dict[str, Any] | None:
            nonlocal runs
            decisions = body.get("decisions", [])
            made = next((item for item in decisions if item["event_id"] == event_id), None)
            if made:
                runs = made["runs"]
                return None
            rules = list(read())
            expected = self._expected(body)
            runs = decide(_changes(body, rules, {item.rule_id for item in expected}))
            if not runs and body and rules == _rules(body):
                return None
            decision = {"event_id": event_id, "at": self._now().isoformat(), "runs": runs}
            ids = {rule.id for rule in rules}
            return {
                "rules": [asdict(rule) for rule in rules],
                "expected": [item.model_dump() for item in expected if item.rule_id not in ids],
                "decisions": [*decisions, *([decision] if runs else [])][-MOST_DECISIONS:],
            }

        self._registry.update(swap)
        return runs

    def expect(self, rule_id: str, run_id: str, rules: Sequence[Rule]) -> None:
        """Say that a run is about to add a rule beside the present `rules`, and will seed it itself.

        S3 takes a configuration as a whole and without conditions, so that two runs at once could each write what the
        other has not read. Raises NotYetVisible while another run is adding one.
        """

        def swap(body: dict[str, Any]) -> dict[str, Any] | None:
            others = [item for item in self._expected(body) if item.rule_id != rule_id]
            for item in others:
                if self._now() - datetime.fromisoformat(item.at) < ALONE_FOR:
                    raise NotYetVisible(f"the run '{item.run_id}' is adding a rule to the same bucket")
            expected = [*others, Expected(rule_id=rule_id, run_id=run_id, at=self._now().isoformat())]
            seen = {} if body else {"rules": [asdict(rule) for rule in rules]}
            return {**body, **seen, "expected": [item.model_dump() for item in expected]}

        self._registry.update(swap)

    def expect_no_more(self, rule_id: str) -> None:
        """Take back what `expect` said: the rule was not added."""

        def swap(body: dict[str, Any]) -> dict[str, Any] | None:
            left = [item for item in body.get("expected", []) if item["rule_id"] != rule_id]
            return None if left == body.get("expected", []) else {**body, "expected": left}

        self._registry.update(swap)

    def take_in(self, rules: Sequence[Rule]) -> None:
        """Count these rules as seen beside those that are; whoever calls this seeds them, or has."""
        ids = {rule.id for rule in rules}

        def swap(body: dict[str, Any]) -> dict[str, Any] | None:
            others = [rule for rule in _rules(body) if rule.id not in ids]
            after = [*others, *rules]
            expected = [item for item in body.get("expected", []) if item["rule_id"] not in ids]
            if after == _rules(body) and expected == body.get("expected", []):
                return None
            return {**body, "rules": [asdict(rule) for rule in after], "expected": expected}

        self._registry.update(swap)

    def _expected(self, body: dict[str, Any]) -> list[Expected]:
        items = [Expected.model_validate(item) for item in body.get("expected", [])]
        return [item for item in items if self._now() - datetime.fromisoformat(item.at) < EXPECTED_FOR]


def _changes(body: dict[str, Any], rules: Sequence[Rule], expected: set[str]) -> list[Change]:
    if not body:
        return [Change(change.rule, "unknown") for change in added([], rules)]
    # A rule that is expected counts as seen from now on: the run that adds it seeds it.
    before = [*_rules(body), *(rule for rule in rules if rule.id in expected)]
    return added(before, rules)


def _rules(body: dict[str, Any]) -> list[Rule]:
    return [
        Rule(**{**item, "tags": tuple((key, value) for key, value in item["tags"])})
        for item in body.get("rules", [])
    ]

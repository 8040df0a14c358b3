"""The replication rules that the account's buckets have already, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import code_of
from seeder.fleet.pairs import Known, LastRun, read_pairs
from seeder.fleet.request import names_of_buckets
from seeder.fleet.seen import Seen
from seeder.replication import Rule, read_rules

if TYPE_CHECKING:
    from seeder.clients import Clients

READERS = 16
_NOT_TO_BE_SEEN = frozenset({"403", "AccessDenied", "AllAccessDisabled", "NoSuchBucket", "404"})

Standing = Literal["seeded", "seen", "new", "disabled", "hidden"]


class Found(BaseModel):
    """A rule found: `seeded` has a run of its own, `seen` an event was handled of, `new` nothing is known of.

    `hidden` stands for a bucket whose configuration may not be read; `why` says so.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    standing: Standing
    rule_id: str = ""
    destination: str = ""
    prefix: str = ""
    tags: dict[str, str] = {}
    last_run: LastRun | None = None
    why: str = ""

    @property
    def selector(self) -> str:
        """How `fleet` and `seeder adopt --seed` name this rule."""
        return f"{self.source}/{self.rule_id}"


def find(clients: Clients, state_bucket: str, names: Iterable[str] = ()) -> list[Found]:
    """Return the rules of all buckets, or of those whose names match one of `names` (* and ? are wildcards).

    Raises ClientError where the buckets may not be listed, and what `Registry.read` raises.
    """
    wanted = list(names) or ["*"]
    home = clients.s3(clients.region)
    buckets = [
        bucket for bucket in names_of_buckets(home) if any(fnmatchcase(bucket, name) for name in wanted)
    ]
    known = read_pairs(home, state_bucket)
    with ThreadPoolExecutor(READERS) as readers:
        found = readers.map(lambda bucket: list(_of_bucket(clients, state_bucket, bucket, known)), buckets)
        return [item for items in found for item in items]


def _of_bucket(clients: Clients, state_bucket: str, bucket: str, known: list[Known]) -> Iterator[Found]:
    try:
        rules = read_rules(clients.s3_of(bucket), bucket)
    except ClientError as error:
        if code_of(error) not in _NOT_TO_BE_SEEN:
            raise
        yield Found(source=bucket, standing="hidden", why=str(error))
        return
    seen = Seen(clients.s3(clients.region), state_bucket, bucket).rules() if rules else None
    for rule in rules:
        last_run = _last_run(bucket, rule, known)
        yield Found(
            source=bucket,
            standing=_standing(rule, seen or [], last_run),
            rule_id=rule.id,
            destination=rule.destination,
            prefix=rule.prefix,
            tags=dict(rule.tags),
            last_run=last_run,
        )


def _last_run(source: str, rule: Rule, known: list[Known]) -> LastRun | None:
    scope = (source, rule.destination, rule.prefix, dict(rule.tags))
    for item in known:
        asked = item.request
        if scope == (asked["source"], asked["destination"], asked.get("prefix", ""), asked.get("tags", {})):
            return item.last_run
    return None


def _standing(rule: Rule, seen: list[Rule], last_run: LastRun | None) -> Standing:
    if not rule.enabled:
        return "disabled"
    if last_run:
        return "seeded"
    return "seen" if rule in seen else "new"

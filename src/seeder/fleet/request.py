"""What `fleet` is asked, by hand or by the schedule: many pairs at once, from a list or from what the account holds."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

from botocore.exceptions import ClientError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from seeder.documents import parsed
from seeder.errors import AccessDenied, InvalidRequest, code_of
from seeder.fleet.pairs import Choice, read_pairs
from seeder.fleet.seen import Seen
from seeder.replication import Rule, read_rules
from seeder.request import Request, Trigger, parse_request
from seeder.request.explanation import explain
from seeder.request.values import Text

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.clients import Clients

# All pairs of a fleet, and what became of them, pass through one execution (256 KiB; Step Functions developer guide,
# "Service quotas"), each with some ten of its 25,000 events.
MOST_PAIRS = 500
MOST_BYTES = 160 * 1024
# Pairs that fill a fleet, each with all its fields at their longest, take less.
MOST_CSV_BYTES = 4 * 1024 * 1024
EXAMPLE = '{"pairs": [{"source": "my-bucket", "destination": "my-replica"}]}'
_SOURCES = ("pairs", "buckets", "csv", "registry", "rules")
_ADDRESS = re.compile(r"s3://([A-Za-z0-9._-]{3,255})/(.+)", re.DOTALL)
_NO_TAGS = "NoSuchTagSet"


def _address(value: str) -> str:
    if _ADDRESS.fullmatch(value):
        return value
    raise ValueError(f"'{value}' is not the address of a CSV file; give one such as s3://my-bucket/pairs.csv")


class FleetRequest(BaseModel):
    """Which pairs to seed: just one of `pairs`, `buckets`, `csv`, `registry` and `rules`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    pairs: list[Any] | None = Field(default=None, description="The pairs, each as `seed` takes it.")
    buckets: str | None = Field(
        default=None,
        description="Seed every bucket whose name matches, such as app-*, to the one that `destination` names.",
    )
    destination: str = Field(
        default="{source}-replica",
        description="With buckets: the destination's name; {source} stands for the source's.",
    )
    csv: Annotated[Text, AfterValidator(_address)] | None = Field(
        default=None, description="A CSV file in S3, s3://bucket/key, whose header names fields of a pair."
    )
    registry: Choice | None = Field(
        default=None, description="Pairs that were seeded before: all, or by the source's name or tags."
    )
    rules: list[str] | None = Field(
        default=None,
        description="Enabled replication rules that are there already: names of source buckets (with * and ?), or "
        "bucket/rule-id for one rule.",
    )
    options: dict[str, Any] = Field(
        default={}, description="Fields for every pair that does not give them itself."
    )
    detached: bool = Field(default=False, description="Start the runs and do not wait for them.")
    trigger: Trigger = Field(default="manual", description="What asked for the fleet; the schedule says so.")


def parse_fleet(document: dict[str, Any]) -> FleetRequest:
    """Return the fleet in an input document. Raises InvalidRequest naming the first wrong field."""
    try:
        fleet = FleetRequest.model_validate(document)
    except ValidationError as error:
        raise explain(error, FleetRequest, EXAMPLE) from error
    given = [name for name in _SOURCES if getattr(fleet, name) is not None]
    if len(given) != 1:
        told = f"{' and '.join(given)} exclude each other" if given else "no pairs"
        raise InvalidRequest(
            given[1] if given else "pairs", f"{told}; give just one of {', '.join(_SOURCES)}"
        )
    if fleet.buckets is not None and "{source}" not in fleet.destination:
        raise InvalidRequest(
            "destination",
            f"'{fleet.destination}' is one bucket for all; use {{source}} in it, such as {{source}}-replica",
        )
    return fleet


def requests(fleet: FleetRequest, clients: Clients, state_bucket: str) -> list[Request]:
    """Return the request of each pair, none twice.

    Raises InvalidRequest naming the pair and its field, AccessDenied, ClientError.
    """
    rules = list(chosen_rules(fleet.rules, clients)) if fleet.rules is not None else []
    found = [_parse(item, place, fleet) for place, item in _documents(fleet, rules, clients, state_bucket)]
    distinct = list({request.model_dump_json(): request for request in found}.values())
    size = sum(len(json.dumps(request.model_dump(exclude_defaults=True))) for request in distinct)
    if len(distinct) > MOST_PAIRS or size > MOST_BYTES:
        raise InvalidRequest(
            next(name for name in _SOURCES if getattr(fleet, name) is not None),
            f"{len(distinct)} pairs of {size} bytes are too many for one fleet, which takes {MOST_PAIRS} and "
            f"{MOST_BYTES}; start several",
        )
    for source, rule in rules:
        Seen(clients.s3(clients.region), state_bucket, source).take_in([rule])
    return distinct


def _parse(item: Any, place: str, fleet: FleetRequest) -> Request:
    """Return a pair's request: what it says itself, else what the fleet says of all, else what fits the trigger."""
    scheduled = fleet.trigger == "schedule" or fleet.registry is not None
    resync = scheduled and not (isinstance(item, dict) and "inventory" in item)
    usual = {"trigger": fleet.trigger, "overlap": "skip", **({"resync": True} if resync else {})}
    try:
        return parse_request({**usual, **fleet.options, **item} if isinstance(item, dict) else item)
    except InvalidRequest as error:
        raise InvalidRequest(f"{place}.{error.field}", error.problem) from error


def _documents(
    fleet: FleetRequest, rules: list[tuple[str, Rule]], clients: Clients, state_bucket: str
) -> Iterator[tuple[str, Any]]:
    """Yield where each pair stands, and what it says."""
    if fleet.pairs is not None:
        yield from ((f"pairs[{number}]", item) for number, item in enumerate(fleet.pairs))
    elif fleet.csv is not None:
        yield from _of_csv(fleet.csv, clients)
    elif fleet.buckets is not None:
        yield from _of_names(fleet.buckets, fleet.destination, clients.s3(clients.region))
    elif fleet.registry is not None:
        for known in read_pairs(clients.s3(clients.region), state_bucket):
            if fleet.registry.takes(known.source, lambda name: _tags(clients, name)):
                yield f"registry['{known.source}']", known.request
    for source, rule in rules:
        yield f"rules['{source}/{rule.id}']", of_rule(source, rule) | {"resync": True}


def of_rule(source: str, rule: Rule) -> dict[str, Any]:
    """Return the request that seeds what a rule replicates."""
    scope = {"prefix": rule.prefix, "tags": dict(rule.tags)}
    return {
        "source": source,
        "destination": rule.destination,
        **{name: value for name, value in scope.items() if value},
        "trigger": "rule-added",
        "rule_id": rule.id,
    }


def chosen_rules(selectors: list[str], clients: Clients) -> Iterator[tuple[str, Rule]]:
    """Yield the enabled rules of the account's buckets that selectors (`bucket*` or `bucket/rule-id`) name.

    Raises InvalidRequest for a selector that names none, AccessDenied, ClientError.
    """
    wanted = [selector.partition("/") for selector in selectors]
    unused = set(selectors)
    for source in names_of_buckets(clients.s3(clients.region)):
        fits = [(name, rule_id) for name, _, rule_id in wanted if fnmatchcase(source, name)]
        if not fits:
            continue
        for rule in read_rules(clients.s3_of(source), source):
            mine = [(name, rule_id) for name, rule_id in fits if rule_id in ("", rule.id)]
            unused -= {f"{name}/{rule_id}" if rule_id else name for name, rule_id in mine}
            if rule.enabled and mine:
                yield source, rule
    if unused:
        raise InvalidRequest(
            "rules", f"'{min(unused)}' names no replication rule; `seeder adopt` lists those that there are"
        )


def names_of_buckets(s3: S3Client) -> list[str]:
    """Return the names of the account's buckets, in order. Raises ClientError."""
    pages = s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1000})
    return sorted(bucket["Name"] for page in pages for bucket in page.get("Buckets", []))


def _of_names(pattern: str, destination: str, s3: S3Client) -> Iterator[tuple[str, Any]]:
    """Yield the buckets that a pattern matches; those that are replicas of others among them are no sources."""
    names = [name for name in names_of_buckets(s3) if fnmatchcase(name, pattern)]
    if not names:
        raise InvalidRequest("buckets", f"'{pattern}' matches no bucket of this account; correct the pattern")
    replicas = {name: destination.replace("{source}", name) for name in names}
    for name in names:
        if name not in replicas.values():
            yield f"buckets['{name}']", {"source": name, "destination": replicas[name]}


def _of_csv(address: str, clients: Clients) -> Iterator[tuple[str, Any]]:
    match = _ADDRESS.fullmatch(address)
    assert match  # noqa: S101 - the request was checked
    try:
        answer = clients.s3_of(match[1]).get_object(Bucket=match[1], Key=match[2])
        body = answer["Body"].read(MOST_CSV_BYTES + 1)
    except ClientError as error:
        if code_of(error) in {"NoSuchKey", "NoSuchBucket", "404"}:
            raise InvalidRequest("csv", f"'{address}' is not there; correct the address") from error
        if code_of(error) in {"403", "AccessDenied"}:
            raise AccessDenied(f"csv: '{address}' may not be read: {error}") from error
        raise
    if len(body) > MOST_CSV_BYTES:
        raise InvalidRequest(
            "csv",
            f"'{address}' has more than {MOST_CSV_BYTES} bytes, and a fleet takes {MOST_PAIRS} pairs; give several "
            "smaller files",
        )
    try:
        rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True, restkey="")
        _require_distinct(rows.fieldnames or [])
        for row in rows:
            yield f"csv line {rows.line_num}", _of_row(row)
    except (UnicodeDecodeError, csv.Error) as error:
        problem = f"'{address}' is not a CSV file in UTF-8: {error}; save it as one"
        raise InvalidRequest("csv", problem) from error


def _require_distinct(header: Sequence[str]) -> None:
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest("csv line 1", f"'{twice}' heads two columns; give each field one")


def _of_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row's fields; what is no text in a request is JSON in its cell. Empty cells are not given."""
    fields: dict[str, Any] = {}
    for name, cell in row.items():
        if not cell:
            continue
        field = Request.model_fields.get(name)
        fields[name] = cell if field is None or isinstance(field.default, str) else _value(cell)
    return fields


def _value(cell: str) -> Any:
    try:
        return parsed(cell)
    except ValueError:
        return cell


def _tags(clients: Clients, bucket: str) -> dict[str, str]:
    """Return a bucket's tags; none where it has none, or is gone."""
    try:
        answer = clients.s3_of(bucket).get_bucket_tagging(Bucket=bucket)
    except ClientError as error:
        if code_of(error) in {_NO_TAGS, "NoSuchBucket", "404"}:
            return {}
        raise
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}
